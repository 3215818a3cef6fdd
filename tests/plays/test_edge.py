"""The edge between real viewers and a real origin: it asks once, and it bridges an outage."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.audience import Audience
from tests.support.pushers import pushing
from tests.support.servers import NO_EDGE, edge, tidecast
from tests.support.tap import tapped

pytestmark = [pytest.mark.apart, pytest.mark.lasts(30)]

WATCHED_S = 10.0
OUTAGE_S = 10.0
PLAYLIST_LIFETIME_S = 0.5


async def test_two_hundred_viewers_cost_the_origin_one_request_per_object(tmp_path: Path) -> None:
    async with (
        tidecast(tmp_path, "--open", *NO_EDGE) as origin,
        tapped(origin.ports.control) as tap,
        edge(tmp_path, tap.url) as node,
        pushing(origin.rtmp_url("main")),
    ):
        await origin.until("main", "live")
        audience = Audience(f"{node.base}/main/index.m3u8", 200)
        began = time.monotonic()
        await audience.watch(WATCHED_S, least_polls=6)  # a busy machine takes longer
        watched_s = time.monotonic() - began
        assert audience.complaints == []
        assert audience.polls > 200 * 5
        media = {path: n for path, n in tap.requests.items() if path.endswith((".m4s", ".mp4"))}
        assert len(media) >= 5
        assert set(media.values()) == {1}
        most = watched_s / PLAYLIST_LIFETIME_S + 3
        assert 1 < tap.requests["/main/v0/index.m3u8"] <= most


async def test_nobody_sees_an_error_while_the_origin_is_gone(tmp_path: Path) -> None:
    async with (
        tidecast(tmp_path, "--open", *NO_EDGE) as origin,
        edge(tmp_path, origin.control) as node,
    ):
        audience = Audience(f"{node.base}/main/index.m3u8", 20)
        async with pushing(origin.rtmp_url("main")):
            await origin.until("main", "live")
            watching = asyncio.create_task(audience.watch(OUTAGE_S + 20))
            await asyncio.sleep(6)
            before = len(audience.segments)
            await origin.kill()
            await asyncio.sleep(OUTAGE_S)
        await origin.start()
        async with pushing(origin.rtmp_url("main")):
            await watching
        assert audience.complaints == []
        assert len(audience.segments) > before, "nobody saw what came after the outage"
