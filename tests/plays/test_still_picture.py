"""A picture that stops while its sound goes on: what a viewer in Chromium has of it."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from origin.media.coded import VIDEO_TRACK
from tests.plays.test_viewer import plays
from tests.support.browser import SMALL, chromium, visit
from tests.support.replays import replaying
from tests.support.servers import tidecast
from tests.validator.recorder import Recorder
from tests.validator.validate import validate

pytestmark = [pytest.mark.timeout(240), pytest.mark.lasts(35)]

PATIENCE_S = 60.0
STILL_S = 4.0
"""After which the origin has found out that the picture has stopped, and a page plays on."""
PLAYED_S, OF_S = 5.0, 6.0


async def test_sound_plays_on_while_the_picture_is_gone_and_then_it_moves_in_the_same_player(
    tmp_path: Path,
) -> None:
    async with tidecast(tmp_path, "--open") as server, chromium() as browser:
        recording = Recorder(f"{server.base}/main/index.m3u8")
        replay = replaying(server.ports.rtmp, "main", "ffmpeg5_h264_aac")
        async with visit(browser, viewport=SMALL) as viewer, recording as recorder:
            async with replay as publisher:
                await server.until("main", "live")
                await viewer.page.goto(f"{server.base}/main")
                is_live = viewer.page.locator("body[data-state=live]")
                await expect(is_live).to_be_attached(timeout=PATIENCE_S * 1000)
                with recorder.silence():
                    publisher.without.add(VIDEO_TRACK)
                    await asyncio.sleep(STILL_S)
                assert await plays(viewer.page, PLAYED_S, of=OF_S)
                publisher.without.clear()
                async with asyncio.timeout(PATIENCE_S):
                    await moves(viewer.page)
                await publisher.leave()
            session = await recorder.ended(PATIENCE_S)
        assert len(viewer.asked_for("/main/index.m3u8")) == 1, "the same player went on"
        assert viewer.complaints == []
    # What it says of rates is for encoders that hold theirs: this is a recording, over and over.
    assert [each for each in validate(session) if each.rule != "V1"] == []


async def moves(page: Page) -> None:
    """Wait for two frames as close to each other as a camera's; stills are not."""
    await page.evaluate(
        """() => new Promise((seen) => {
            const video = document.querySelector("video");
            const wait = (last) => video.requestVideoFrameCallback((_, { mediaTime }) => {
                if (mediaTime > last && mediaTime < last + 0.2) seen(); else wait(mediaTime);
            });
            wait(Infinity);
        })"""
    )
