"""Watching over RTMP, with FFmpeg at both ends."""

import asyncio
from pathlib import Path

import pytest

from tests.support.pushers import Ffmpeg, Picture, Sound, pushing
from tests.support.servers import NO_EDGE, tidecast

SECONDS = 3
FRAMES_PER_S = 30


async def watch(url: str, ffmpeg: Ffmpeg) -> dict[str, int]:
    """Play some seconds and decode all of it; frames and bytes of both tracks by name."""
    process = await asyncio.create_subprocess_exec(
        str(ffmpeg.executable),
        *("-hide_banner", "-nostats", "-v", "error", "-xerror", "-i", url),
        *("-t", str(SECONDS), "-map", "0", "-f", "framecrc", "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, errors = await process.communicate()
    assert (process.returncode, errors.decode()) == (0, "")
    lines = [line for line in out.decode().splitlines() if not line.startswith("#")]
    return {track: sum(line.startswith(f"{track},") for line in lines) for track in "01"}


async def test_ffmpeg_plays_every_frame_of_what_ffmpeg_publishes(tmp_path: Path) -> None:
    async with tidecast(tmp_path, "--open", *NO_EDGE) as server:
        url = server.rtmp_url("main")
        async with pushing(url, Picture(frames_per_s=FRAMES_PER_S), Sound()):
            await server.until("main", "live")
            for tracks in await asyncio.gather(*[watch(url, ffmpeg) for ffmpeg in Ffmpeg]):
                assert min(tracks.values()) >= SECONDS * FRAMES_PER_S - 1
        with pytest.raises(AssertionError, match="permitted"):
            await watch(server.rtmp_url("nobody"), Ffmpeg.NINE)
    assert "[error" not in server.output()
