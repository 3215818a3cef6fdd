"""What reading RTMP costs, beside pyrtmp: time per message and per megabyte.

Each recorded H.264 session of tests/corpus/rtmp is read from memory in pieces of 64 KiB, by our
session with its FLV reader, and by pyrtmp's chunk reader, in turns in one process. Ours does more
of the work (commands, states, frames); pyrtmp's reader stops at messages. CPU time; the best of
several rounds.

    python -m benchmarks.rtmp_core [--rounds 5]

Prints a table and the ratio. Target: at most a tenth of pyrtmp's time.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

from pyrtmp import StreamClosedException
from pyrtmp.messages.handshake import C0, C1
from pyrtmp.session_manager import SessionManager

from benchmarks.support.arguments import arguments
from origin.media.coded import MediaKind
from origin.rtmp.events import PublishRequested
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media
from origin.rtmp.session import ServerSession

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "rtmp"
PIECE_BYTES = 64 * 1024
TARGET = 0.1


class Cost(NamedTuple):
    """Of reading one session once."""

    messages: int
    seconds: float


def read_with_ours(data: bytes) -> int:
    """The number of media messages."""
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    view, count = memoryview(data), 0
    for at in range(0, len(data), PIECE_BYTES):
        session.receive(view[at : at + PIECE_BYTES], 0.0)
        while (event := session.next_event()) is not None:
            if isinstance(event, Media):
                (read_video if event.kind is MediaKind.VIDEO else read_audio)(event.body)
                count += 1
            elif isinstance(event, PublishRequested):
                session.accept(event.request_id, 0.0)
        session.bytes_to_send()
    return count


def read_with_pyrtmp(data: bytes) -> int:
    """The number of media messages."""
    return asyncio.run(_read_with_pyrtmp(data))


async def _read_with_pyrtmp(data: bytes) -> int:
    reader, count = asyncio.StreamReader(), 0
    reader.feed_data(data)
    reader.feed_eof()
    manager = SessionManager(reader=reader, writer=cast(Any, None))
    await C0.from_stream(manager.fifo_reader)
    await C1.from_stream(manager.fifo_reader)
    await C1.from_stream(manager.fifo_reader)
    with suppress(StreamClosedException):
        async for chunk in cast(Any, manager.read_chunks_from_stream()):
            if chunk.msg_type_id == 1:
                manager.reader_chunk_size = int.from_bytes(chunk.payload)
            count += chunk.msg_type_id in (8, 9)
    return count


def cost(read: Callable[[bytes], int], data: bytes) -> Cost:
    """Of one reading, in CPU time."""
    began = time.process_time()
    return Cost(read(data), time.process_time() - began)


def main() -> None:
    """Measure and print; the status is 1 if the target is missed."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{'session':<28}{'ours':>12}{'MB/s':>8}{'pyrtmp':>14}{'MB/s':>8}{'ratio':>9}")
    worst = 0.0
    for path in sorted(CORPUS.glob("*h264*.bin")):
        data = path.read_bytes()
        pairs = [(cost(read_with_ours, data), cost(read_with_pyrtmp, data)) for _ in range(rounds)]
        ours, theirs = (min(costs, key=lambda c: c.seconds) for costs in zip(*pairs, strict=True))
        assert ours.messages == theirs.messages, path.name
        ratio = ours.seconds / theirs.seconds
        worst = max(worst, ratio)
        shown = [
            f"{each.seconds / each.messages * 1e6:7.1f} us/msg{len(data) / each.seconds / 1e6:8.1f}"
            for each in (ours, theirs)
        ]
        print(f"{path.stem:<28}{shown[0]}{shown[1]}{ratio:9.3f}")
    print(f"worst ratio {worst:.3f}; target {TARGET}")
    if worst > TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
