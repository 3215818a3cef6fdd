"""FFmpeg pushes every codec; all of it is decoded from what viewers get, and Chromium plays it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Page, expect

from tests.plays.test_real_pushes import assert_decodes_without_complaint, count_decoded
from tests.support.browser import SMALL, chromium, visit
from tests.support.pushers import Codec, Encoder, Ffmpeg, Picture, Sound, pushing
from tests.support.servers import TidecastProcess, tidecast

pytestmark = [pytest.mark.lasts(30), pytest.mark.timeout(300)]

SECONDS = 3
RATE = 25


def tiny(encoder: Encoder, *, b_frames: int = 0) -> Picture:
    return Picture(160, 90, RATE, gop_frames=RATE, b_frames=b_frames, bitrate_k=60, encoder=encoder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TidecastProcess]:
    """One origin and edge for all pushes."""
    async with tidecast(tmp_path_factory.mktemp("codecs"), "--open") as running:
        yield running


PUSHES = [
    pytest.param(
        tiny(Encoder.HEVC, b_frames=2), Sound(), "hvc1.1.6.L30.90,mp4a.40.2", id="hevc-aac"
    ),
    pytest.param(tiny(Encoder.AV1), Sound(Codec.OPUS), "av01.0.00M.08,opus", id="av1-opus"),
    pytest.param(tiny(Encoder.VP9), Sound(Codec.OPUS), "vp09.00.10.08,opus", id="vp9-opus"),
    pytest.param(tiny(Encoder.H264), Sound(Codec.AC3), "avc1.42c00b,ac-3", id="h264-ac3"),
    pytest.param(tiny(Encoder.H264), Sound(Codec.EAC3), "avc1.42c00b,ec-3", id="h264-eac3"),
    pytest.param(tiny(Encoder.H264), Sound(Codec.FLAC), "avc1.42c00b,fLaC", id="h264-flac"),
    pytest.param(tiny(Encoder.H264), Sound(Codec.MP3), "avc1.42c00b,mp4a.40.34", id="h264-mp3"),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("picture", "sound", "codecs"), PUSHES)
async def test_every_frame_of_a_push_is_decoded_from_what_the_edge_serves(
    server: TidecastProcess, picture: Picture, sound: Sound, codecs: str
) -> None:
    name = codecs.replace(".", "-").replace(",", "-").lower()
    async with pushing(
        server.rtmp_url(name),
        picture,
        sound,
        ffmpeg=Ffmpeg.NINE,
        seconds=SECONDS,
        in_real_time=False,
    ) as pusher:
        assert await pusher.finished() == 0, pusher.log()
    await server.until(name, "ended")
    url = f"{server.base}/{name}/index.m3u8"
    async with ClientSession() as client:
        async with client.get(url) as answer:
            assert f'CODECS="{codecs}"' in await answer.text()
        async with client.get(f"{server.base}/{name}/ts/index.m3u8") as answer:
            assert answer.status == (200 if sound.codec is Codec.MP3 else 404)
    await assert_decodes_without_complaint(url)
    pictures, sound_s = await asyncio.to_thread(count_decoded, url)
    assert pictures == SECONDS * RATE
    assert abs(sound_s - SECONDS) < 0.1


@pytest.mark.asyncio(loop_scope="module")
async def test_chromium_plays_av1_and_vp9_and_says_of_hevc_that_it_cannot(
    server: TidecastProcess,
) -> None:
    async with chromium() as browser, visit(browser, viewport=SMALL) as viewer:
        for encoder, sound in ((Encoder.AV1, Codec.OPUS), (Encoder.VP9, Codec.FLAC)):
            async with on_air(server, viewer.page, encoder, Sound(sound)):
                await reaches(viewer.page, "live")
                await a_second_is_shown(viewer.page)
        async with on_air(server, viewer.page, Encoder.HEVC, Sound()):
            await reaches(viewer.page, "unplayable")
            await expect(viewer.page.get_by_text("It is sent as HEVC, AAC.")).to_be_visible()
        assert viewer.complaints == []


@asynccontextmanager
async def on_air(
    server: TidecastProcess, page: Page, encoder: Encoder, sound: Sound
) -> AsyncIterator[None]:
    """A stream of its own, and the page that shows it."""
    name = encoder.name.lower()
    async with pushing(server.rtmp_url(name), tiny(encoder), sound):
        await page.goto(f"{server.base}/{name}")
        yield


async def reaches(page: Page, state: str) -> None:
    await expect(page.locator(f"body[data-state={state}]")).to_be_attached()


async def a_second_is_shown(page: Page) -> None:
    """Wait for a second's pictures, decoded and put on the screen."""
    await page.evaluate(
        """(pictures) => new Promise((seen) => {
            const video = document.querySelector('video');
            const look = () => video.getVideoPlaybackQuality().totalVideoFrames > pictures
                ? seen() : video.requestVideoFrameCallback(look);
            video.requestVideoFrameCallback(look);
        })""",
        RATE,
    )
