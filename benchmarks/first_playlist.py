"""How soon after its first GOP a stream can be played.

    python -m benchmarks.first_playlist [--rounds 4]

Publishes to a real `tidecast serve` in real time, frame by frame over RTMP, and asks for the media
playlist until it is there. Prints, for GOPs of one and of two seconds and some frame rates, what
passed between the sending of the keyframe that ends the first GOP and the playlist's arrival: the
wait for the frame that tells how long that keyframe lasts, up to 50 ms until the publisher is read,
and packaging. The target is 100 ms, at the worst.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from aiohttp import ClientSession

from benchmarks.support.arguments import arguments
from tests.support.broadcasts import AVC_RECORD
from tests.support.encoders import Encoder
from tests.support.rtmp_client import rtmp_client
from tests.support.servers import NO_EDGE, TidecastProcess, tidecast

TARGET_MS = 100
PLANS = ((30, 2), (30, 1), (60, 2), (25, 2), (24, 2))
"""Frames per second, and seconds between keyframes."""
ASK_EVERY_S = 0.004


def main() -> None:
    """Measure each plan some times."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    asyncio.run(measure(parser.parse_args().rounds))


async def measure(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with tidecast(Path(folder), "--open", *NO_EDGE) as origin:
            for rate, gop_s in PLANS:
                name = f"at{rate}-{gop_s}"
                waits = [
                    await first_playlist(origin, f"{name}-{number}", rate, gop_s)
                    for number in range(rounds)
                ]
                middle, worst = statistics.median(waits), max(waits)
                print(f"  {rate} fps, GOP {gop_s} s  {middle:4.0f} ms, at worst {worst:4.0f} ms")
    print(f"  (target: {TARGET_MS} ms)")


async def first_playlist(origin: TidecastProcess, name: str, rate: int, gop_s: int) -> float:
    """Publish until there is a playlist; return the milliseconds since the GOP's end."""
    url = f"{origin.control}/{name}/v0/index.m3u8"
    async with rtmp_client(origin.ports.rtmp) as client, ClientSession() as viewer:
        await client.begin(name)
        await client.hear("NetStream.Publish.Start")
        shown = asyncio.ensure_future(until_shown(viewer, url))
        encoder = Encoder()
        client.writer.write(encoder.metadata({"videocodecid": 7.0}))
        client.writer.write(encoder.video(0, b"\x17\x00\x00\x00\x00" + AVC_RECORD))
        began, number, ended = time.monotonic(), 0, 0.0
        while not shown.done():
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            if number == rate * gop_s:
                ended = time.monotonic()
            kind = b"\x17" if number % (rate * gop_s) == 0 else b"\x27"
            body = kind + b"\x01\x00\x00\x00" + b"\x00\x00\x00\x02\x65\x00"
            client.writer.write(encoder.video(number * 1000 // rate, body))
            number += 1
        return (await shown - ended) * 1000


async def until_shown(viewer: ClientSession, url: str) -> float:
    """Ask until it is there; return when that was."""
    while True:
        async with viewer.get(url) as answer:
            if answer.status == 200:
                return time.monotonic()
        await asyncio.sleep(ASK_EVERY_S)


if __name__ == "__main__":
    main()
