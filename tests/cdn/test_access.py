"""The access log of a real edge: both request paths write it, and SIGHUP lets go of a file."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.edge_processes import NOBODY, command, edge_process
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import PATIENCE_S, python

PLAYLIST = "/main/v0/index.m3u8"
KEPT = {"Cache-Control": "max-age=60"}
TARGET = PLAYLIST + "?token=s3cret&_HLS_msn=7"


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    origin.serve(PLAYLIST + "?_HLS_msn=7", Resource(b"#EXTM3U\n", headers=KEPT))
    origin.serve("/healthz", Resource(b"ok"))
    await origin.start()
    yield origin
    await origin.die()


def written(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


async def lines(file: Path, count: int) -> list[dict[str, object]]:
    """Wait for so many lines."""
    async with asyncio.timeout(PATIENCE_S):
        while len(written(file)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # another process gives no event
    return [json.loads(line) for line in written(file)]


def logging_to(file: Path) -> dict[str, str]:
    prefix = "TIDECAST_EDGE__LOG__ACCESS_"
    return {f"{prefix}SAMPLE": "1", f"{prefix}FILE": str(file)}


@pytest.mark.parametrize("is_fast", ["true", "false"])
async def test_both_paths_write_what_happened_and_no_token(
    origin: FakeOrigin, tmp_path: Path, is_fast: str
) -> None:
    file = tmp_path / "access.log"
    environment = {**logging_to(file), "TIDECAST_EDGE__LISTEN__FAST_PATH": is_fast}
    async with edge_process(origin.url, environment=environment) as (_, viewers):
        seen = await viewers.get(TARGET)
        assert seen.status == 200
        await viewers.get(TARGET, method="HEAD")
        await viewers.get(TARGET, method="DELETE")
        got, head, refused = await lines(file, 3)
    for line in (got, head, refused):
        assert line["target"] == PLAYLIST + "?_HLS_msn=7"
        assert line["address"] == "127.0.0.1"
        assert 0 <= float(str(line["seconds"])) < PATIENCE_S
    assert (got["method"], got["status"], got["bytes"]) == ("GET", 200, len(seen.body))
    assert (head["method"], head["status"], head["bytes"]) == ("HEAD", 200, 0)
    assert (refused["method"], refused["status"], refused["cache"]) == ("DELETE", 405, "local")
    assert (got["cache"], head["cache"]) == ("miss", "hit")
    assert got.keys() == head.keys() == refused.keys()
    assert "s3cret" not in "".join(written(file))


async def test_sighup_goes_on_in_a_new_file(origin: FakeOrigin, tmp_path: Path) -> None:
    file, rotated = tmp_path / "access.log", tmp_path / "access.log.1"
    environment = logging_to(file)
    async with edge_process(origin.url, workers=2, environment=environment) as (child, viewers):
        await viewers.get(TARGET)
        await lines(file, 1)
        file.rename(rotated)
        child.send(signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_S):
            while not written(file):
                await viewers.get(TARGET)  # until whichever worker answers has a new file
    assert "s3cret" not in "".join(written(file) + written(rotated))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_file_that_cannot_be_had_ends_it_with_a_sentence(
    tmp_path: Path, workers: str
) -> None:
    environment = logging_to(tmp_path / "missing" / "access.log")
    arguments = command(NOBODY, "--workers", workers)
    async with python(*arguments, environment=environment) as child:
        code, said = await child.exit()
    assert code == 1
    assert "log.access_file: " in said
    assert "No such file or directory" in said
