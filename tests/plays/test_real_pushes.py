"""Real encoders push; every frame that they send can be decoded from what viewers are served."""

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
import pytest_asyncio

from tests.support.pushers import Codec, Ffmpeg, Picture, Sound, pushing
from tests.support.servers import TidecastProcess, tidecast

pytestmark = [pytest.mark.lasts(50), pytest.mark.timeout(300)]

SECONDS = 6
PICTURES = SECONDS * 30


@pytest.mark.parametrize("chunk_size", [128, 4096, 60_000])
async def test_no_frame_is_lost(tmp_path: Path, chunk_size: int) -> None:
    pushes = [(ffmpeg, b_frames) for ffmpeg in Ffmpeg for b_frames in (0, 2)]
    async with tidecast(tmp_path, "--open", "--chunk-size", str(chunk_size)) as server:
        for ffmpeg, b_frames in pushes:
            name = f"ffmpeg{ffmpeg.value[0]}-b{b_frames}"
            await push(server, name, Picture(b_frames=b_frames), Sound(), ffmpeg)
            for container in ("", "ts/"):
                url = f"{server.base}/{name}/{container}index.m3u8"
                await assert_decodes_without_complaint(url)
                pictures, sound_s = await asyncio.to_thread(count_decoded, url)
                assert pictures == PICTURES, url
                assert abs(sound_s - SECONDS) < 0.1, url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TidecastProcess]:
    """One origin and edge for all choices of tracks."""
    async with tidecast(tmp_path_factory.mktemp("pushes"), "--open") as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("picture", "sound", "name"),
    [
        pytest.param(Picture(), None, "video", id="video alone"),
        pytest.param(None, Sound(), "aac", id="aac alone"),
        pytest.param(None, Sound(codec=Codec.MP3, sample_rate=44_100), "mp3", id="mp3 alone"),
        pytest.param(
            Picture(frames_per_s=25),
            Sound(codec=Codec.MP3, sample_rate=44_100),
            "both-mp3",
            id="mp3",
        ),
        pytest.param(Picture(), Sound(sample_rate=22_050, channels=1), "mono", id="slow mono"),
    ],
)
async def test_every_choice_of_tracks_plays(
    server: TidecastProcess, picture: Picture | None, sound: Sound | None, name: str
) -> None:
    await push(server, name, picture, sound, Ffmpeg.NINE)
    for container in ("", "ts/"):
        url = f"{server.base}/{name}/{container}index.m3u8"
        await assert_decodes_without_complaint(url)
        pictures, sound_s = await asyncio.to_thread(count_decoded, url)
        assert pictures == (picture.frames_per_s * SECONDS if picture else 0)
        assert abs(sound_s - (SECONDS if sound else 0)) < 0.1


async def push(
    server: TidecastProcess,
    name: str,
    picture: Picture | None,
    sound: Sound | None,
    ffmpeg: Ffmpeg,
) -> None:
    """Publish as fast as the encoder can, and end politely."""
    async with pushing(
        server.rtmp_url(name),
        picture,
        sound,
        ffmpeg=ffmpeg,
        seconds=SECONDS,
        in_real_time=False,
    ) as pusher:
        assert await pusher.finished() == 0, pusher.log()
    await server.until(name, "ended")


async def assert_decodes_without_complaint(url: str) -> None:
    """Debian's ffmpeg decodes all of it, and has nothing to say."""
    process = await asyncio.create_subprocess_exec(
        *("/usr/bin/ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", url, "-f", "null", "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, output.decode()) == (0, "")


def count_decoded(url: str) -> tuple[int, float]:
    """The pictures, and the seconds of sound, that PyAV decodes."""
    pictures, sound = 0, Fraction(0)
    with av.open(url) as container:
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures += 1
            elif isinstance(frame, av.AudioFrame):
                sound += Fraction(frame.samples, frame.sample_rate)
    return pictures, float(sound)
