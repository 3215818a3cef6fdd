"""The commands as people type them, against Tidecast as they run it."""

import asyncio
import json
import sys
from pathlib import Path

from tests.support.pushers import pushing
from tests.support.servers import tidecast


async def bench(*arguments: str) -> dict[str, object]:
    """Run ``tidecast bench ... --json``; its report."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "origin", "bench", *arguments, "--json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(100):
        output, said = await process.communicate()
    assert output, said.decode()
    report: dict[str, object] = json.loads(output)
    return report


async def test_viewers_and_a_herd_get_all_of_a_real_stream(tmp_path: Path) -> None:
    async with tidecast(tmp_path, "--open") as server, pushing(server.rtmp_url("main")):
        await server.until("main", "live")
        url = f"{server.base}/main/index.m3u8"
        low, classic, herd = await asyncio.gather(
            bench("viewers", url, "-n", "25", "--seconds", "5"),
            bench("viewers", url, "-n", "25", "--seconds", "5", "--classic"),
            bench("herd", url, "-n", "50"),
        )
    for report in (low, classic):
        assert report["playing"] == 25
        assert report["errors"] == {}
        assert (report["skipped"], report["rewound"]) == (0, 0)
    assert herd["status_200"] == 50


async def test_publishers_with_keys_of_their_own_are_let_in(tmp_path: Path) -> None:
    async with tidecast(tmp_path, "--open", "--edge-workers", "0") as server:
        report = await bench(
            *("ingest", server.rtmp_url("cam-{n}"), "-n", "3", "--seconds", "3"),
            *("--pid", str(server.pid), "--kbit", "300"),
        )
    assert report["accepted"] == 3
    assert report["lost"] == {}
    assert isinstance(report["server_cpu_percent"], float)
