"""A real encoder with a real fault is told so; a bandwidth test is measured and not published."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.support.pushers import Picture, Sound, pushing
from tests.support.servers import ASK_EVERY_S, NO_EDGE, tidecast

FOUND_WITHIN_S = 90.0
TEN_SECONDS = Picture(gop_frames=300)
Told = dict[str, Any]


async def test_an_encoder_is_told_what_is_wrong_and_a_bandwidth_test_is_not_published(
    tmp_path: Path,
) -> None:
    async with (
        tidecast(tmp_path, "--open", *NO_EDGE) as server,
        pushing(server.rtmp_url("main"), TEN_SECONDS, Sound()),
        pushing(server.rtmp_url("test?bandwidthtest=true"), Picture(), Sound()) as tester,
        ClientSession() as client,
    ):
        streams = f"{server.control}/api/v1/streams"
        health = await told(client, f"{streams}/main/health", has_long_intervals)
        assert health["colour"] in ("yellow", "red")
        assert (health["width"], health["height"]) == (320, 180)
        assert (health["video_codec"], health["audio_codec"]) == ("H.264", "AAC")
        async with client.get(f"{server.control}/metrics") as answer:
            page = await answer.text()
        assert 'tidecast_ingest_health{code="keyframe_interval_long",stream="main"} 1.0' in page
        assert 'stream="test"' not in page

        await told(client, f"{streams}/test/bandwidth-test", lambda test: test["bitrate"] > 50_000)
        await tester.stop()
        result = await told(
            client, f"{streams}/test/bandwidth-test", lambda test: not test["is_running"]
        )
        assert result["health"]["video_codec"] == "H.264"
        assert "bandwidth test is over" in server.output()
        async with client.get(streams) as answer:
            assert [each["name"] for each in (await answer.json())["streams"]] == ["main"]


def has_long_intervals(health: Told) -> bool:
    return "keyframe_interval_long" in {finding["code"] for finding in health["findings"]}


async def told(client: ClientSession, url: str, is_so: Callable[[Told], bool]) -> Told:
    """Ask until what is told there is so."""
    async with asyncio.timeout(FOUND_WITHIN_S):
        while True:
            async with client.get(url) as answer:
                said: Told = await answer.json()
                if answer.status == 200 and is_so(said):
                    return said
            await asyncio.sleep(ASK_EVERY_S)  # another process gives no event
