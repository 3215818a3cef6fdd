"""The edge between real viewers and a real origin: it asks once, and it bridges an outage."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.audience import Audience
from tests.support.pushers import pushing
from tests.support.servers import NO_EDGE, edge, tidecast
from tests.support.tap import tapped

pytestmark = [pytest.mark.lasts(50), pytest.mark.timeout(300)]

WATCHED_S = 10.0
OUTAGE_S = 10.0
LEAST_MEDIA = 5
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
        # A busy machine takes longer.
        await audience.watch(
            WATCHED_S, until=lambda polls: polls >= 6 and len(audience.segments) >= LEAST_MEDIA
        )
        watched_s = time.monotonic() - began
        assert audience.complaints == []
        assert audience.polls > 200 * 5
        media = {path: n for path, n in tap.requests.items() if path.endswith((".m4s", ".mp4"))}
        assert len(media) >= LEAST_MEDIA
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
            is_over = asyncio.Event()
            watching = asyncio.create_task(audience.watch(until=lambda _: is_over.is_set()))
            await audience.saw(LEAST_MEDIA)
            await origin.kill()
            await asyncio.sleep(OUTAGE_S)
        await origin.start()
        before = len(audience.segments)
        async with pushing(origin.rtmp_url("main")):
            await audience.saw(before + 3)  # what is new, and not what the outage kept from them
            is_over.set()
            await watching
        assert audience.complaints == []
