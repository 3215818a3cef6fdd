"""What several qualities cost the origin, beside one picture of the same total bit rate.

The same 6 Mbit/s with one sound come as one picture and as three (4, 1.5 and 0.5 Mbit/s), all of
30 frames per second, and both ways take turns.

* ``core``: one publish is read, cut and packaged in this process; the best of the rounds counts.
  With ``viewed``, every version of every playlist is rendered.
* ``origin``: so many publishers in real time, and the CPU time that all of `tidecast serve`
  spends on them (user and system), less what it spends when nobody publishes.

    python -m benchmarks.renditions [--seconds 15] [--publishers 10] [--rounds 3]

Prints a table and the ratios. Target: at most 1.5 of one picture's time, of the whole origin. The
core's ratio is higher: it has no sockets, where what is paid for is bytes.
"""

import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.servers import tidecast_serve, wait_for_playlist
from benchmarks.support.streams import NOON, new_presentation
from origin.bench.cpu import sample
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import MediaKind
from origin.rtmp.events import PublishRequested
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media
from origin.rtmp.session import ServerSession
from origin.streams.packager import Packager
from tests.support.broadcasts import AAC_RECORD, AVC_RECORD
from tests.support.chunks import ChunkSender, Sent
from tests.support.encoders import ECHO, HELLO, Encoder

TARGET = 1.5
FRAMES_PER_S, KEYFRAME_EVERY = 30, 60
SOUND_BYTES = 341
CHUNK_BYTES = 4096
PIECE_BYTES = 64 * 1024
STEP_MS = 100
WAYS = {
    "one picture of 6 Mbit/s": (6_000,),
    "three of 4, 1.5 and 0.5": (4_000, 1_500, 500),
}


def video_body(track: int, *, key: bool, data: bytes, is_header: bool = False) -> bytes:
    """As OBS sends it: the first track in legacy tags, others one by one (Enhanced RTMP v2)."""
    composition = bytes(3)
    packet = 0 if is_header else 1
    if not track:
        return bytes([0x17 if key else 0x27, packet]) + composition + data
    head = bytes([0x80 | (1 if key else 2) << 4 | 6, packet]) + b"avc1" + bytes([track])
    return head + (b"" if is_header else composition) + data


def messages(rates_k: tuple[int, ...], seconds: int) -> Iterator[Sent]:
    """Chunk stream, type, and body of every message, in the order of their times."""
    yield Sent(4, 8, 1, 0, b"\xaf\x00" + AAC_RECORD)
    for track in range(len(rates_k)):
        yield Sent(6, 9, 1, 0, video_body(track, key=True, data=AVC_RECORD, is_header=True))
    heard = 0
    for number in range(seconds * FRAMES_PER_S):
        at = number * 1000 // FRAMES_PER_S
        while heard * 64 // 3 <= at:
            yield Sent(4, 8, 1, heard * 64 // 3, b"\xaf\x01" + bytes(SOUND_BYTES))
            heard += 1
        key = number % KEYFRAME_EVERY == 0
        for track, rate_k in enumerate(rates_k):
            size = rate_k * 125 // FRAMES_PER_S
            unit = (size - 4).to_bytes(4, "big") + (b"\x65" if key else b"\x41") + bytes(size - 5)
            yield Sent(6, 9, 1, at, video_body(track, key=key, data=unit))


def recorded(rates_k: tuple[int, ...], seconds: int) -> bytes:
    """A whole session as bytes."""
    encoder = Encoder()
    sender = ChunkSender()
    pieces = [HELLO, ECHO, encoder.connect(), encoder.publish()]
    pieces += sender.chunks(Sent(2, 1, 0, 0, CHUNK_BYTES.to_bytes(4, "big")), 0)
    sender.chunk_size = CHUNK_BYTES
    for message in messages(rates_k, seconds):
        pieces += sender.chunks(message, 1 if 1 in sender.allowed_formats(message) else 0)
    return b"".join(pieces)


def package(data: bytes, *, viewed: bool) -> Presentation:
    """Do all that the origin does with a publish, but the sockets."""
    presentation = new_presentation(Rules())

    def look() -> None:
        if viewed:
            for rendition in presentation.renditions.values():
                rendition.playlist()

    packager = Packager(Rules(), presentation, lambda: NOON, look)
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    view = memoryview(data)
    for at in range(0, len(data), PIECE_BYTES):
        session.receive(view[at : at + PIECE_BYTES], 0.0)
        while (event := session.next_event()) is not None:
            if isinstance(event, Media):
                read = read_video if event.kind is MediaKind.VIDEO else read_audio
                for unit in read(event.body):
                    packager.push(event.at, unit)
            elif isinstance(event, PublishRequested):
                session.accept(event.request_id, 0.0)
        session.bytes_to_send()
    packager.flush()
    return presentation


class Feed(threading.Thread):
    """Publishers in real time, all in step; they never listen to what is said to them."""

    def __init__(self, port: int, rates_k: tuple[int, ...], publishers: int, seconds: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._publishers = publishers
        sender = ChunkSender()
        sender.chunk_size = CHUNK_BYTES
        self._steps: dict[int, bytes] = defaultdict(bytes)
        for message in messages(rates_k, seconds):
            step = message.timestamp // STEP_MS
            fmt = 1 if 1 in sender.allowed_formats(message) else 0
            self._steps[step] += b"".join(sender.chunks(message, fmt))

    def run(self) -> None:
        encoder = Encoder()
        larger = encoder.message(1, CHUNK_BYTES.to_bytes(4, "big"), stream=0)
        with ExitStack() as stack:
            connections: list[socket.socket] = []
            for number in range(self._publishers):
                connection = socket.create_connection(("127.0.0.1", self._port))
                connections.append(stack.enter_context(connection))
                hello = [HELLO, ECHO, encoder.connect(), encoder.publish(f"bench{number}"), larger]
                connection.sendall(b"".join(hello))
            began = time.monotonic()
            for step, data in sorted(self._steps.items()):
                time.sleep(max(0.0, began + step * STEP_MS / 1000 - time.monotonic()))
                for connection in connections:
                    connection.sendall(data)


def origin_costs(publishers: int, seconds: int) -> dict[str, float]:
    """CPU of the whole origin in percent of a core, for each way."""
    with (
        tempfile.TemporaryDirectory() as data,
        tidecast_serve(Path(data), pinned=False) as server,
    ):
        found: dict[str, float] = {}
        for name, rates in WAYS.items():
            feed = Feed(server.rtmp, rates, publishers, seconds + 8)
            feed.start()
            last = f"bench0/v{len(rates) - 1}/index.m3u8"
            wait_for_playlist(f"http://127.0.0.1:{server.control}/{last}")
            found[name] = sample(server.pid, seconds).cpu_percent
            feed.join()
        idle = sample(server.pid, seconds).cpu_percent
    return {name: percent - idle for name, percent in found.items()}


def cost(data: bytes, *, viewed: bool) -> float:
    began = time.process_time()
    package(data, viewed=viewed)
    return time.process_time() - began


def main() -> None:
    """Measure and print; the status is 1 if the target is missed."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--publishers", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    sessions = {name: recorded(rates, given.seconds) for name, rates in WAYS.items()}
    for name, rates in WAYS.items():
        assert len(package(sessions[name], viewed=False).renditions) == len(rates)
    best: dict[tuple[str, bool], float] = {}
    for _ in range(given.rounds):
        for name, data in sessions.items():
            for viewed in (False, True):
                spent = cost(data, viewed=viewed)
                best[name, viewed] = min(best.get((name, viewed), spent), spent)
    origin = origin_costs(given.publishers, given.seconds)
    print(f"{'':28}{'core, ms per s':>16}{'viewed':>9}{'origin, % of a core':>21}")
    for name in sessions:
        times = [best[name, viewed] / given.seconds * 1000 for viewed in (False, True)]
        print(f"{name:28}{times[0]:16.3f}{times[1]:9.3f}{origin[name]:21.1f}")
    one, several = WAYS
    ratios = [best[several, viewed] / best[one, viewed] for viewed in (False, True)]
    whole = origin[several] / origin[one]
    print(f"{'several / one':28}{ratios[0]:16.2f}{ratios[1]:9.2f}{whole:21.2f}   target {TARGET}")
    if whole > TARGET:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
