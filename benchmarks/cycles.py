"""What a publish leaves behind when it is over: memory per publish/unpublish cycle.

An encoder connects, publishes three seconds of small frames at once (a segment and the beginning
of another), says goodbye as OBS does, and closes, over and over under one name. Twice:

- against the origin as an operator runs it, 3,000 times. Of the processes' own memory (anonymous
  pages) after every hundredth the least of the first and of the last third are compared, since
  garbage waits to be collected. Not PSS: that has a share of the libraries' pages in it, which
  grows when another program on the machine that has them mapped ends, by megabytes.
- against listener, reception and streams in this process, 200 times under tracemalloc, collected
  before each look: what Python itself still holds.

The first cycles fill pools and logs, and are not counted. Against the origin they are 1,500:
about then the interpreter's table of interned strings, through which names of files pass, doubles
once, which takes 2 MiB.

    python -m benchmarks.cycles [--cycles 3000] [--uncounted 1500] [--json]

Target: at most 200 bytes per cycle, both.
"""

import asyncio
import gc
import logging
import sys
import tempfile
import tracemalloc
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

import structlog

from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import tidecast_serve
from origin.auth.gate import OpenToAll
from origin.bench.cpu import tree
from origin.hls.rules import Rules
from origin.streams.clock import LoopClock
from origin.streams.reception import Reception
from origin.streams.registry import Registry
from origin.streams.stream import Patience
from tests.support.broadcasts import AAC_RECORD, AVC_RECORD
from tests.support.encoders import Encoder
from tests.support.listeners import listening
from tests.support.rtmp_client import rtmp_client
from tests.support.servers import NO_EDGE

SCRIPT = "benchmarks/cycles.py"
TARGET_BYTES = 200
EVERY = 100
HELD_UNCOUNTED, HELD_CYCLES = 50, 200
SETTLING_S = 0.2
MEDIA_S = 3
FRAME_MS, GOP_MS, SOUND_MS = 40, 2000, 1024 / 44.1


def main() -> None:
    """Measure, and print what was found."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--cycles", type=int, default=3000)
    parser.add_argument("--uncounted", type=int, default=1500)
    given = parser.parse_args()
    held = asyncio.run(hold())
    with (
        tempfile.TemporaryDirectory() as name,
        tidecast_serve(Path(name) / "data", *NO_EDGE) as server,
    ):
        marks = asyncio.run(measure(server.pid, server.rtmp, given.uncounted, given.cycles))
    emit([judged(held), seen_from_outside(marks)], as_json=given.json)


async def measure(pid: int, port: int, uncounted: int, cycles: int) -> list[tuple[int, int]]:
    """Go round; return cycles and KiB at every mark."""
    marks: list[tuple[int, int]] = []
    for number in range(1, uncounted + cycles + 1):
        await cycle(port)
        if number >= uncounted and number % EVERY == 0:
            await asyncio.sleep(SETTLING_S)  # what is written behind is written
            own_kib = anonymous_kib(tree(pid))
            marks.append((number - uncounted, own_kib))
            print(f"  {number}: {own_kib / 1024:.2f} MiB", file=sys.stderr, flush=True)
    return marks


def anonymous_kib(pids: Iterable[int]) -> int:
    """The processes' own memory: all but files that are mapped."""
    lines = [
        line
        for pid in pids
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        if line.startswith("Anonymous:")
    ]
    return sum(int(line.split()[1]) for line in lines)


async def cycle(port: int) -> None:
    """One publish, from the handshake to the goodbye."""
    async with rtmp_client(port) as client:
        await client.begin("main")
        await client.hear("NetStream.Publish.Start")
        client.writer.write(broadcast())
        await client.writer.drain()
        client.writer.write_eof()
        await client.closed()


@cache
def broadcast() -> bytes:
    """All that an encoder sends once its publish has been let in."""
    encoder = Encoder()
    return b"".join(media(encoder)) + encoder.goodbye()


def media(encoder: Encoder) -> Iterator[bytes]:
    """Metadata, headers, and frames in the order of their times."""
    yield encoder.metadata({"videocodecid": 7.0, "audiocodecid": 10.0, "framerate": 25.0})
    yield encoder.video(0, b"\x17\0\0\0\0" + AVC_RECORD)
    yield encoder.audio(0, b"\xaf\0" + AAC_RECORD)
    heard = 0
    for at in range(0, MEDIA_S * 1000, FRAME_MS):
        while heard * SOUND_MS <= at:
            yield encoder.audio(round(heard * SOUND_MS), b"\xaf\x01\x21\0\0\0")
            heard += 1
        first = b"\x17" if at % GOP_MS == 0 else b"\x27"
        yield encoder.video(at, first + b"\x01\0\0\0\0\0\0\5\x65" + at.to_bytes(4, "big"))


async def hold() -> float:
    """Go round in this process; return the bytes that Python holds on to per cycle."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    clock, admission = LoopClock(), OpenToAll()
    epochs = (f"epoch{number}" for number in count())
    registry = Registry(
        admission,
        rules=Rules(),
        patience=Patience(),
        clock=clock,
        new_epoch=lambda: next(epochs),
    )
    async with listening(Reception(registry, admission, clock)) as listener:
        for _ in range(HELD_UNCOUNTED):
            await cycle(listener.port)
        tracemalloc.start()
        for _ in range(HELD_UNCOUNTED):  # what is there by now, traced
            await cycle(listener.port)
        before = _held_bytes()
        for _ in range(HELD_CYCLES):
            await cycle(listener.port)
        after = _held_bytes()
        tracemalloc.stop()
        registry.close("measured")
    return (after - before) / HELD_CYCLES


def _held_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def judged(each: float) -> Result:
    """What Python holds on to."""
    return Result(
        name="memory that a publish/unpublish cycle leaves behind",
        value=f"{each:.0f} bytes",
        peers="",
        target=f"at most {TARGET_BYTES} bytes",
        met=each <= TARGET_BYTES,
        script=SCRIPT,
    )


def seen_from_outside(marks: list[tuple[int, int]]) -> Result:
    """The least of the first and of the last third, which are two thirds of the cycles apart."""
    memory = [kib for _, kib in marks]
    third = len(memory) // 3
    before, after = min(memory[:third]), min(memory[-third:])
    each = (after - before) * 1024 / (marks[-1][0] * 2 / 3)
    return Result(
        name=f"growth of the origin's own memory over {marks[-1][0]:,} cycles",
        value=f"{each:.0f} bytes per cycle ({before / 1024:.2f} MiB, then {after / 1024:.2f} MiB)",
        peers="",
        target=f"at most {TARGET_BYTES} bytes",
        met=each <= TARGET_BYTES,
        script=SCRIPT,
    )


if __name__ == "__main__":
    main()
