"""What a publish leaves behind when it is over: memory per publish/unpublish cycle.

An encoder connects, publishes three seconds of small frames at once (a segment and the beginning
of another), says goodbye as OBS does, and closes; 3,000 times, under one name, against the origin
as an operator runs it. The first cycles fill pools and are not counted. Of the others a line is
drawn through the memory (PSS of the processes) after every hundredth; its slope is the result.

    python -m benchmarks.cycles [--cycles 3000] [--uncounted 500] [--json]

Target: at most 200 bytes per cycle.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ingest import tidecast
from benchmarks.support.cpu import sample
from benchmarks.support.results import Result, emit
from tests.support.broadcasts import AAC_RECORD, AVC_RECORD
from tests.support.encoders import Encoder
from tests.support.rtmp_client import rtmp_client

SCRIPT = "benchmarks/cycles.py"
TARGET_BYTES = 200
EVERY = 100
SETTLING_S = 0.2
MEDIA_S = 3
FRAME_MS, GOP_MS, SOUND_MS = 40, 2000, 1024 / 44.1
MIB = 1 << 20


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cycles", type=int, default=3000)
    parser.add_argument("--uncounted", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, tidecast(Path(name)) as (pid, port):
        marks = asyncio.run(measure(pid, port, given.uncounted, given.cycles))
    emit([judged(marks)], as_json=given.json)


async def measure(pid: int, port: int, uncounted: int, cycles: int) -> list[tuple[int, float]]:
    """Go round; return cycles and MiB at every mark."""
    marks: list[tuple[int, float]] = []
    for number in range(1, uncounted + cycles + 1):
        await cycle(port)
        if number >= uncounted and number % EVERY == 0:
            await asyncio.sleep(SETTLING_S)  # what is written behind is written
            memory = await asyncio.to_thread(sample, pid, 0.01)
            marks.append((number - uncounted, memory.pss_mib))
            print(f"  {number}: {memory.pss_mib:.2f} MiB", file=sys.stderr, flush=True)
    return marks


async def cycle(port: int) -> None:
    """One publish, from the handshake to the goodbye."""
    async with rtmp_client(port) as client:
        await client.begin("main")
        await client.hear("NetStream.Publish.Start")
        client.writer.write(b"".join(media(client.encoder)) + client.encoder.goodbye())
        await client.writer.drain()
        client.writer.write_eof()
        await client.closed()


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


def judged(marks: list[tuple[int, float]]) -> Result:
    """Draw a line through the marks."""
    cycles, memory = zip(*marks, strict=True)
    slope, _ = statistics.linear_regression(cycles, memory)
    each = slope * MIB
    return Result(
        name=f"memory left behind by each of {cycles[-1]:,} publish/unpublish cycles",
        value=f"{each:.0f} bytes ({memory[0]:.1f} MiB before, {memory[-1]:.1f} MiB after)",
        peers="",
        target=f"at most {TARGET_BYTES} bytes",
        met=each <= TARGET_BYTES,
        script=SCRIPT,
    )


if __name__ == "__main__":
    main()
