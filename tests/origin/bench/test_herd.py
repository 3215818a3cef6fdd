"""A herd holds one request until it is released, by a live stream or by the test origin."""

import asyncio

import pytest
from click.testing import CliRunner

from origin.bench.errors import CannotMeasure
from origin.bench.held_origin import PLAYLIST_PATH, HeldOrigin, Position, playlist, wanted_position
from origin.bench.herd import Herd, HerdReport, held_origin, run_herd
from origin.bench.target import inspect
from origin.cli import main
from tests.origin.bench.live_fake import Habits, live_fake
from tests.support.servers import free_ports

MANY = 200


def released(herd: Herd, part_bytes: int = 5_000) -> HerdReport:
    port = herd.release_port
    assert port is not None
    with held_origin(port, part_bytes):
        return run_herd(inspect(f"http://127.0.0.1:{port}{PLAYLIST_PATH}"), herd)


@pytest.mark.parametrize("holds_part", [False, True], ids=["playlist", "part"])
async def test_the_test_origin_releases_everybody_at_once(holds_part: bool) -> None:
    (port,) = free_ports(1)
    herd = Herd(MANY, holds_part, port, settle_s=0.2)
    report = await asyncio.to_thread(released, herd)
    assert report.is_whole, report
    assert report.after_publication_ms is not None
    assert report.after_publication_ms.first > 0
    if holds_part:
        assert report.bytes > MANY * 5_000


async def test_a_live_stream_releases_everybody_by_itself() -> None:
    async with live_fake() as serving:
        herd = Herd(20)
        report = await asyncio.to_thread(lambda: run_herd(inspect(serving.url), herd))
    assert report.status_200 == 20
    assert report.after_first_ms is not None
    assert report.after_publication_ms is None


async def test_a_classic_stream_has_nothing_to_hold() -> None:
    async with live_fake(Habits(low_latency=False)) as serving:
        with pytest.raises(CannotMeasure, match="nothing on it can be held"):
            await asyncio.to_thread(lambda: run_herd(inspect(serving.url), Herd(5)))


def test_the_test_origin_holds_what_is_not_published_and_answers_it_once() -> None:
    origin, answers = HeldOrigin(10, "e", lambda: 42.0), list[bytes]()
    origin.ask(f"{PLAYLIST_PATH}?_HLS_msn=100&_HLS_part=1", answers.append)
    origin.ask("/herd/v0/e-100.1.m4s", answers.append)
    origin.ask(f"{PLAYLIST_PATH}?_HLS_msn=100&_HLS_part=2", answers.append)
    assert answers == []
    origin.ask("/release", answers.append)
    assert len(answers) == 3
    assert answers[-1].endswith(b"42.000000\n")


def test_its_hint_is_the_part_that_a_blocking_reload_waits_for() -> None:
    newest = Position(100, 3)
    assert 'PRELOAD-HINT:TYPE=PART,URI="e-101.0.m4s"' in playlist(newest, "e")
    assert wanted_position("/herd/v0/e-101.0.m4s") == newest.next()
    assert wanted_position(f"{PLAYLIST_PATH}?_HLS_msn=101&_HLS_part=0") == newest.next()


def test_the_command_says_what_is_wrong_and_ends_with_two() -> None:
    (port,) = free_ports(1)
    done = CliRunner().invoke(main, ["bench", "herd", f"http://127.0.0.1:{port}/x.m3u8"])
    assert done.exit_code == 2
    assert "tidecast: Nothing answers" in done.output
