"""Streamers who send several pictures or several sounds at once: FFmpeg 9, Enhanced RTMP v2.

::

    async with climbing(origin.rtmp_url("main"), [Rung(640, 1200), Rung(320, 300)], sounds=2):
        ...

All pictures are one test pattern in several sizes, with their keyframes at the same moments, as
OBS sends them; all sounds are tones of their own.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.pushers import Ffmpeg, Pusher

FRAMES_PER_S = 30
LOWEST_TONE_HZ = 330


@dataclass(frozen=True, slots=True)
class Rung:
    """One picture of the ladder, 16:9."""

    width: int
    bitrate_k: int
    b_frames: int = 0
    frames_per_s: int = FRAMES_PER_S

    @property
    def size(self) -> str:
        return f"{self.width}:{self.width * 9 // 16 // 2 * 2}"


@asynccontextmanager
async def climbing(
    url: str, rungs: Sequence[Rung], *, sounds: int = 1, seconds: float | None = None
) -> AsyncGenerator[Pusher]:
    """A publisher for as long as the block lasts; what is left of it vanishes at the end."""
    process = await asyncio.create_subprocess_exec(
        *command(url, rungs, sounds=sounds, seconds=seconds),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    pusher = Pusher(process)
    try:
        yield pusher
    finally:
        await pusher.vanish()


def command(
    url: str, rungs: Sequence[Rung], *, sounds: int = 1, seconds: float | None = None
) -> list[str]:
    """The command line; without ``seconds`` it goes on until it is stopped."""
    fastest = max(rung.frames_per_s for rung in rungs)
    largest = max(rung.width for rung in rungs)
    pattern = f"testsrc2=s={largest}x{largest * 9 // 16 // 2 * 2}:r={fastest}"
    inputs = ["-re", "-f", "lavfi", "-i", pattern]
    for number in range(sounds):
        inputs += ["-re", "-f", "lavfi", "-i", f"sine=frequency={LOWEST_TONE_HZ * (number + 1)}"]
    splits = "".join(f"[s{index}]" for index in range(len(rungs)))
    scales = ";".join(
        f"[s{index}]scale={rung.size},fps={rung.frames_per_s}[v{index}]"
        for index, rung in enumerate(rungs)
    )
    coding = ["-filter_complex", f"[0:v]split={len(rungs)}{splits};{scales}"]
    for index, rung in enumerate(rungs):
        coding += ["-map", f"[v{index}]", *_coding(index, rung)]
    for number in range(sounds):
        coding += ["-map", f"{number + 1}:a"]
    coding += ["-c:a", "aac", "-b:a", "64k", "-ac", "2"] if sounds else []
    limit = [] if seconds is None else ["-t", str(seconds)]
    quiet = ["-hide_banner", "-nostats", "-loglevel", "warning"]
    return [str(Ffmpeg.NINE.executable), *quiet, *inputs, *coding, *limit, "-f", "flv", url]


def _coding(index: int, rung: Rung) -> list[str]:
    """A rate that holds still, and a keyframe every two seconds."""
    rate = f"{rung.bitrate_k}k"
    gop = str(2 * rung.frames_per_s)
    options = {
        "c": "libx264", "preset": "ultrafast", "pix_fmt": "yuv420p", "g": gop, "keyint_min": gop,
        "sc_threshold": "0", "bf": str(rung.b_frames), "b": rate, "maxrate": rate, "minrate": rate,
        "bufsize": rate, "x264-params": "nal-hrd=cbr",
    }  # fmt: skip
    return [word for name, value in options.items() for word in (f"-{name}:v:{index}", value)]
