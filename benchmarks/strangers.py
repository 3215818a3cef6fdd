"""What one peer can cost in one turn of the event loop, whatever it sends.

A turn is what a connection does before it gives the loop back to everybody else. Each flood is
delivered from memory to a connection of the listener's with a stream behind it, without pause and
in reads of its buffer's size. What is told is CPU time: the longest turn, in the best of several
rounds, and for those who have shown no key the share of a core that all of them together can have,
which is the queue's turns in a second times what one of them takes on average.

    python -m benchmarks.strangers [--rounds 3] [--only WORD]

Takes two minutes. Whatever it is, a turn should be over in 10 ms: a fifth of the time between two
beats at which publishers are read.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.support.arguments import arguments
from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import READ_BUFFER_BYTES, Counters, Shared
from origin.rtmp.amf0 import AmfValue, encode
from origin.service.memory import keep_memory
from tests.fuzz.run import quiet
from tests.support.broadcasts import AVC_RECORD, OTHER_AVC_RECORD
from tests.support.encoders import ECHO, HELLO, Encoder
from tests.support.stations import Station
from tests.support.transports import NONCE, FakeBeat, FakeTransport

TARGET_S = 0.010
FLOOD_BYTES = READ_BUFFER_BYTES
WATCHING = 100
CHUNK_SIZE = 60_000
NO_WAIT = IngestSettings(strangers_per_address=1000, stranger_turns_per_s=1_000_000)


class Deaf(FakeTransport):
    """Forgets what is written."""

    @property
    def is_over(self) -> bool:
        """Whether the connection has been closed."""
        return self.is_aborted or self.has_eof

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """It would be sent."""


class Timed(Connection):
    """Notes the CPU seconds of each of its turns."""

    def __init__(self, shared: Shared, nonce: bytes) -> None:
        super().__init__(shared, nonce)
        self.turns: list[float] = []
        self.line = Deaf()

    def buffer_updated(self, nbytes: int) -> None:
        before, began = len(self.turns), time.thread_time()
        super().buffer_updated(nbytes)
        self.turns[before:] = [time.thread_time() - began]

    async def until_idle(self) -> None:
        """Return when all that was received has been handled."""
        while (self._turn_is_due or self._decision) and not self.line.is_over:  # noqa: ASYNC110
            await asyncio.sleep(0)

    def _take_turn(self) -> None:
        began = time.thread_time()
        super()._take_turn()
        self.turns.append(time.thread_time() - began)


@dataclass(frozen=True)
class Flood:
    """``setup`` is sent first, and not measured."""

    name: str
    setup: bytes
    data: bytes
    has_players: bool = False


def flood(name: str, setup: bytes, make: Callable[[int], bytes], **options: bool) -> Flood:
    """``make`` over and over, with the number of its turn."""
    pieces, size, number = list[bytes](), 0, 0
    while size < FLOOD_BYTES:
        pieces.append(make(number))
        size += len(pieces[-1])
        number += 1
    return Flood(name, setup, b"".join(pieces), **options)


def strangers() -> Iterator[Flood]:
    """What needs no key."""
    e, one_byte = Encoder(chunk_size=CHUNK_SIZE), Encoder(chunk_size=1)
    start = HELLO + ECHO + e.connect() + e.message(1, CHUNK_SIZE.to_bytes(4), stream=0)
    tiny = HELLO + ECHO + e.connect() + e.message(1, (1).to_bytes(4), stream=0)
    keys: dict[str, AmfValue] = {f"{number:02x}": None for number in range(250)}

    def command(*values: AmfValue, raw: bytes = b"") -> bytes:
        return e.message(20, encode(*values) + raw)

    empty = b"\x0a" + (250).to_bytes(4)
    yield flood("pings", start, lambda n: e.ping(n))
    yield flood("messages of no bytes", start + e.message(99, b""), lambda n: b"\xc3" * 10_000)
    yield flood("chunks of one byte", tiny, lambda n: one_byte.message(99, bytes(4000)))
    yield flood("createStream", start, lambda n: command("createStream", 4.0, None))
    yield flood("FCPublish", start, lambda n: command("FCPublish", 4.0, None, "key"))
    yield flood("unknown commands", start, lambda n: command("_checkbw", "y" * 16_000))
    yield flood("commands of 250 keys", start, lambda n: command("releaseStream", keys))
    nulls, objects = empty + b"\x05" * 250, empty + b"\x03\0\0\x09" * 250
    yield flood("commands of 250 nulls", start, lambda n: command("releaseStream", raw=nulls))
    yield flood("commands of 250 objects", start, lambda n: command("releaseStream", raw=objects))
    text = b"\x02" + (16_000).to_bytes(2) + b"\xff" * 16_000
    yield flood("text that is none", start, lambda n: command("releaseStream", raw=text))
    tag = b"\x63" + bytes(10) + bytes(4)
    yield flood("aggregates of nothing", start, lambda n: e.message(22, tag * 1000))
    too_many: dict[str, AmfValue] = {f"{number:04x}": None for number in range(2_300)}
    yield flood("a command of 2,300 keys", start, lambda n: command("releaseStream", too_many))


def publishers() -> Iterator[Flood]:
    """What a key is needed for."""
    e = Encoder(chunk_size=CHUNK_SIZE)
    start = HELLO + ECHO + e.connect() + e.publish()
    start += e.message(1, CHUNK_SIZE.to_bytes(4), stream=0)
    header = e.video(0, b"\x17\0\0\0\0" + AVC_RECORD)
    headers = (header, e.video(0, b"\x17\0\0\0\0" + OTHER_AVC_RECORD))
    index: list[AmfValue] = [1.0] * 28_800
    keys: dict[str, AmfValue] = {f"{number:04x}": None for number in range(900)}

    def keyframe(at: int, body: bytes = b"\0\0\0\5\x65abcd") -> bytes:
        return e.video(at, b"\x17\1\0\0\0" + body)

    yield flood("metadata of 900 keys", start, lambda n: e.metadata(keys))
    yield flood(
        "metadata of 57,600 keyframes", start, lambda n: e.metadata({"keyframes": {"times": index}})
    )
    for name, watched in (("metadata", False), ("metadata, 100 players", True)):
        yield flood(name, start, lambda n: e.metadata({"n": float(n)}), has_players=watched)
    yield flood("keyframes", start + header, lambda n: keyframe(40 * n))
    yield flood("keyframes, each a segment", start + header, lambda n: keyframe(990 * n))
    yield flood("jumps in time", start + header, lambda n: keyframe(5000 * n))
    yield flood("new configurations", start, lambda n: headers[n % 2] + keyframe(40 * n))
    units = b"\0\0\0\1\x65" * 4090
    yield flood("keyframes of 4,090 NAL units", start + header, lambda n: keyframe(40 * n, units))
    yield from _tracks(e, start)


def _tracks(e: Encoder, start: bytes) -> Iterator[Flood]:
    """Enhanced RTMP, several tracks in a message."""
    unit = b"\0\0\0\0\0\0\2\x65\0"
    frames = b"".join(bytes((n,)) + len(unit).to_bytes(3) + unit for n in range(16))
    begin = start + b"".join(
        e.video(0, b"\x96\0avc1" + bytes((n,)) + AVC_RECORD) for n in range(16)
    )
    for name, step in (("16 tracks", 40), ("16 tracks, segments", 990), ("16 tracks, jumps", 5000)):

        def messages(number: int, step: int = step) -> bytes:
            return e.video(step * number, b"\x96\x11avc1" + frames)

        yield flood(name, begin, messages)
    colour = encode("colorInfo") + b"\x0a" + (60).to_bytes(4) + b"\x05" * 60
    told = b"".join(bytes((n % 16,)) + len(colour).to_bytes(3) + colour for n in range(32))
    yield flood("colours of 32 tracks", begin, lambda n: e.video(n, b"\xd6\x14avc1" + told))


async def turns_of(flood: Flood) -> list[float]:
    """CPU seconds of each turn that ``flood`` takes."""
    station = Station()
    shared = Shared(station.registry, NO_WAIT, Counters(), FakeBeat())
    shared.audience_of = station.registry.audience_of
    peer = await _connect(shared, flood.setup)
    if flood.has_players:
        play = Encoder()
        for _ in range(WATCHING):
            await _connect(shared, HELLO + ECHO + play.connect() + play.play("key"))
    peer.turns.clear()
    await _deliver(shared, peer, flood.data)
    return peer.turns


async def _connect(shared: Shared, setup: bytes) -> Timed:
    peer = Timed(shared, NONCE)
    peer.connection_made(peer.line)
    await _deliver(shared, peer, setup)
    return peer


async def _deliver(shared: Shared, peer: Timed, data: bytes) -> None:
    """Send ``data`` in as large reads as there can be, and wait until it has been handled."""
    transport, beat = peer.line, shared.beat
    for at in range(0, len(data), READ_BUFFER_BYTES):
        await peer.until_idle()
        if transport.is_over:
            return
        piece = data[at : at + READ_BUFFER_BYTES]
        if isinstance(beat, FakeBeat) and peer in beat.readers:
            transport.socket.arrived = piece
            peer.on_beat()
        else:
            peer.get_buffer(-1)[: len(piece)] = piece
            peer.buffer_updated(len(piece))
    await peer.until_idle()


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", metavar="WORD", help="floods with this in their name")
    given = parser.parse_args()
    keep_memory()  # as the origin does
    worst = 0.0
    per_s = IngestSettings().stranger_turns_per_s
    for title, floods in (("without a key", strangers()), ("with one", publishers())):
        print(f"{title:<32}{'longest turn':>14}{'turns':>8}{'mean':>10}{'of a core':>12}")
        for each in floods:
            if given.only not in each.name:
                continue
            with quiet():
                rounds = [asyncio.run(turns_of(each)) for _ in range(given.rounds)]
            longest = min(max(turns) for turns in rounds)
            mean = min(sum(turns) / len(turns) for turns in rounds)
            share = f"{mean * per_s:>12.1%}" if title == "without a key" else ""
            count = len(rounds[-1])
            print(f"{each.name:<32}{longest * 1e3:>11.2f} ms{count:>8}{mean * 1e3:>7.2f} ms{share}")
            worst = max(worst, longest)
    print(f"longest {worst * 1e3:.1f} ms; target {TARGET_S * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
