"""A camera that films a clock: each frame says in its picture when it was taken.

::

    async with filming(origin.rtmp_url("main")) as camera:
        began_ms = await camera.began()
        ...

The wall clock's milliseconds stand along the upper edge as black and white blocks, wide enough to
survive any encoder and any scaling, so that a page can be asked how old the picture on its screen
is (``glass.py`` reads them). Whatever lies between is measured with it, as no time stamp in the
stream could: encoder, origin, edges, player, decoder.

The camera runs in a process of its own, ``python -m tests.support.camera URL``, and encodes in
real time with the settings that a streamer would choose for low delay. With ``held`` it does all
that takes time beforehand and connects when it is told to, for tests in which somebody takes over.
"""

import argparse
import array
import asyncio
import math
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

GUARD = (True, False, True, False)
"""What the blocks begin with: no picture without a clock looks like it by accident."""
CLOCK_BITS = 20
"""The clock goes round in 17 minutes: longer than any latency."""
BLOCKS = len(GUARD) + CLOCK_BITS
BAND_ROWS = 24

WHITE, BLACK, GREY = 235, 16, 128
SAMPLE_RATE = 48_000
AAC_FRAME = 1024
TONE_HZ = 480  # a whole number of samples per period, so that periods can be strung together
STOP_WITHIN_S = 30.0
BEGIN_WITHIN_S = 60.0
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class Film:
    """What is filmed, and how it is encoded."""

    width: int = 426
    height: int = 240
    frames_per_s: int = 25
    gop_s: float = 2.0
    bitrate_k: int = 500


def blocks(at_ms: int) -> tuple[bool, ...]:
    """The clock as blocks from left to right, white for True, the least significant bit first."""
    return GUARD + tuple(bool(at_ms >> bit & 1) for bit in range(CLOCK_BITS))


class Painter:
    """Paints frames: the clock above, below it something that moves and costs little."""

    def __init__(self, film: Film) -> None:
        self._film = film
        block = film.width // BLOCKS
        self._white, self._black = bytes([WHITE]) * block, bytes([BLACK]) * block
        self._margin = bytes([BLACK]) * (film.width - block * BLOCKS)
        rows = film.height - BAND_ROWS
        self._wall = [bytes([40 + 120 * row // rows]) * film.width for row in range(rows)]
        self._colour = bytes([GREY])

    def paint(self, number: int, at_ms: int) -> av.VideoFrame:
        frame = av.VideoFrame(self._film.width, self._film.height, "yuv420p")
        luma, *chroma = frame.planes
        padding = bytes(luma.line_size - self._film.width)
        luma.update(b"".join(row + padding for row in self._rows(number, at_ms)))
        for plane in chroma:
            plane.update(self._colour * plane.buffer_size)
        return frame

    def _rows(self, number: int, at_ms: int) -> Iterator[bytes]:
        band = b"".join(self._white if each else self._black for each in blocks(at_ms))
        for _ in range(BAND_ROWS):
            yield band + self._margin
        side = self._film.height // 5
        left = number * 4 % (self._film.width - side)
        for row, wall in enumerate(self._wall):
            inside = side <= row < 2 * side
            box = bytes([WHITE]) * side
            yield wall[:left] + box + wall[left + side :] if inside else wall


class Tone:
    """A sine of one loudness, cut into frames of any encoder."""

    def __init__(self) -> None:
        period = SAMPLE_RATE // TONE_HZ
        wave = [0.2 * math.sin(2 * math.pi * n / period) for n in range(period)]
        self._wave = array.array("f", wave * (AAC_FRAME // period + 2))
        self._period = period
        self._position = 0

    def frame(self) -> av.AudioFrame:
        frame = av.AudioFrame("fltp", "stereo", AAC_FRAME)
        start = self._position % self._period
        samples = self._wave[start : start + AAC_FRAME].tobytes()
        for plane in frame.planes:
            plane.update(samples)
        frame.sample_rate = SAMPLE_RATE
        frame.pts = self._position
        self._position += AAC_FRAME
        return frame

    def is_due(self, elapsed_s: float) -> bool:
        return self._position < elapsed_s * SAMPLE_RATE


def film(url: str, what: Film) -> Iterator[int]:
    """Film until nobody wants another frame; yields the moment of each in milliseconds."""
    painter, tone = Painter(what), Tone()
    with av.open(url, "w", format="flv") as out:
        picture, sound = _picture(out, what), _sound(out)
        began, number = time.time(), 0
        while True:
            due = began + number / what.frames_per_s
            time.sleep(max(0.0, due - time.time()))
            at_ms = int(time.time() * 1000)
            frame = painter.paint(number, at_ms)
            frame.pts, frame.time_base = round((due - began) * 1000), MILLISECOND
            out.mux(picture.encode(frame))
            while tone.is_due((number + 1) / what.frames_per_s):
                out.mux(sound.encode(tone.frame()))
            yield at_ms
            number += 1


def _picture(out: av.container.OutputContainer, what: Film) -> VideoStream:
    stream = out.add_stream("libx264", rate=what.frames_per_s)
    stream.width, stream.height, stream.pix_fmt = what.width, what.height, "yuv420p"
    stream.bit_rate = what.bitrate_k * 1000
    stream.gop_size = round(what.gop_s * what.frames_per_s)
    stream.codec_context.time_base = MILLISECOND
    stream.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "sc_threshold": "0",
        "keyint_min": str(stream.gop_size),
    }
    return stream


def _sound(out: av.container.OutputContainer) -> AudioStream:
    stream = out.add_stream("aac", rate=SAMPLE_RATE)
    stream.layout = "stereo"
    return stream


class Camera:
    """One camera's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ready(self) -> None:
        """Wait until a held camera needs nothing more than to be told."""
        assert await self._line() == "held"

    def start(self) -> None:
        """Tell a held camera to connect and to film."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def began(self) -> int:
        """Wait until the first frame is sent: when it was taken, in milliseconds."""
        return int(await self._line())

    async def vanish(self) -> None:
        """SIGKILL: the kernel closes the socket, and nothing is said."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Say goodbye as an encoder does."""
        await self._end(signal.SIGINT)

    async def _line(self) -> str:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), BEGIN_WITHIN_S)
        return line.decode().strip()

    async def _end(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)
        await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)


@asynccontextmanager
async def filming(
    url: str, what: Film = Film(), *, held: bool = False, core: int | None = None
) -> AsyncIterator[Camera]:
    """A camera for as long as the block lasts; what is left of it vanishes at the end."""
    arguments = [sys.executable, "-m", "tests.support.camera", url]
    arguments += ["--size", f"{what.width}x{what.height}", "--fps", str(what.frames_per_s)]
    arguments += ["--gop", str(what.gop_s), "--bitrate", str(what.bitrate_k)]
    process = await asyncio.create_subprocess_exec(
        *(["taskset", "-c", str(core)] if core is not None else []),
        *arguments,
        *(["--held"] if held else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    camera = Camera(process)
    try:
        yield camera
    finally:
        await camera.vanish()


def main() -> None:
    """Film as the command line says, until SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--size", default="426x240")
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--gop", type=float, default=2.0)
    parser.add_argument("--bitrate", type=int, default=500)
    parser.add_argument("--held", action="store_true", help="connect after a line on stdin")
    given = parser.parse_args()
    width, height = (int(each) for each in given.size.split("x"))
    what = Film(width, height, given.fps, given.gop, given.bitrate)
    stopped: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    if given.held:
        print("held", flush=True)
        sys.stdin.readline()
    for number, at_ms in enumerate(film(given.url, what)):
        if number == 0:
            print(at_ms, flush=True)
        if stopped:
            break


if __name__ == "__main__":
    main()
