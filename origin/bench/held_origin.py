"""A low-latency origin that publishes when it is told to: the other end of ``bench herd``.

    python -m origin.bench.held_origin --port 9000 [--part-bytes 40960]

It knows one playlist, ``/herd/v0/index.m3u8``. Blocking reloads of what is not published yet and
requests for the hinted part are held; ``GET /release`` publishes one part, which answers them
all, and says when that was by the machine's monotonic clock; ``GET /requests`` says how often each
address was asked for. A cache under measurement is put in front of it; everything is cacheable as
low-latency HLS has it.
"""

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

STREAM = "/herd/v0/"
PLAYLIST_PATH = f"{STREAM}index.m3u8"
RELEASE_PATH, REQUESTS_PATH = "/release", "/requests"
PART_S, PARTS_PER_SEGMENT = 0.5, 4
LISTED_SEGMENTS, WITH_PARTS = 6, 3
"""Before the open one; and how many, that one among them, are listed with their parts."""
FIRST_MSN = 100
TARGET_S = 2
IMMUTABLE = "public, max-age=31536000, immutable"
PART = re.compile(rf"{STREAM}[0-9a-z]+-(\d+)\.(\d+)\.m4s")
Send = Callable[[bytes], None]


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """The newest part."""

    msn: int
    part: int

    def next(self) -> "Position":
        """Return the part after it."""
        if self.part + 1 < PARTS_PER_SEGMENT:
            return Position(self.msn, self.part + 1)
        return Position(self.msn + 1, 0)


def playlist(newest: Position, epoch: str) -> str:
    """Write the playlist whose last part is ``newest``."""
    first = newest.msn - LISTED_SEGMENTS
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        f"#EXT-X-TARGETDURATION:{TARGET_S}",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5",
        f"#EXT-X-PART-INF:PART-TARGET={PART_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{first}",
    ]
    for msn in range(first, newest.msn + 1):
        is_open = msn == newest.msn
        if msn > newest.msn - WITH_PARTS:
            for part in range(newest.part + 1 if is_open else PARTS_PER_SEGMENT):
                flag = ",INDEPENDENT=YES" if part == 0 else ""
                uri = f"{epoch}-{msn}.{part}.m4s"
                lines.append(f'#EXT-X-PART:DURATION={PART_S},URI="{uri}"{flag}')
        if not is_open:
            lines += [f"#EXTINF:{TARGET_S:.5f},", f"{epoch}-{msn}.m4s"]
    hint = newest.next()
    lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{epoch}-{hint.msn}.{hint.part}.m4s"')
    return "\n".join(lines) + "\n"


def wanted_position(target: str) -> Position | None:
    """Return what has to be published before this can be answered; None: nothing."""
    url = urlsplit(target)
    if part := PART.fullmatch(url.path):
        return Position(int(part[1]), int(part[2]))
    query = parse_qs(url.query)
    if url.path == PLAYLIST_PATH and "_HLS_msn" in query:
        return Position(int(query["_HLS_msn"][0]), int(query.get("_HLS_part", ["0"])[0]))
    return None


class HeldOrigin:
    """What is published, and who waits for more."""

    def __init__(self, part_bytes: int, epoch: str, now: Callable[[], float]) -> None:
        self.newest = Position(FIRST_MSN, 0)
        self.requests: Counter[str] = Counter()
        self._part = bytes(part_bytes)
        self._epoch = epoch
        self._playlist = playlist(self.newest, epoch).encode()
        self._now = now
        self._waiting: list[tuple[Position, str, Send]] = []

    def ask(self, target: str, send: Send) -> None:
        """Answer a request now, or when what it wants is published."""
        if target == RELEASE_PATH:
            send(_answer(200, self._release().encode(), "no-store", "text/plain"))
            return
        if target == REQUESTS_PATH:
            send(_answer(200, json.dumps(self.requests).encode(), "no-store", "application/json"))
            return
        self.requests[target] += 1
        wanted = wanted_position(target)
        if wanted is not None and wanted > self.newest:
            self._waiting.append((wanted, target, send))
        else:
            send(self._answer(target))

    def _release(self) -> str:
        self.newest = self.newest.next()
        self._playlist = playlist(self.newest, self._epoch).encode()
        published = self._now()
        ready = [entry for entry in self._waiting if entry[0] <= self.newest]
        self._waiting = [entry for entry in self._waiting if entry[0] > self.newest]
        for _, target, send in ready:
            send(self._answer(target))
        return f"{published:.6f}\n"

    def _answer(self, target: str) -> bytes:
        url = urlsplit(target)
        if url.path == PLAYLIST_PATH:
            age = 6 * TARGET_S if url.query else 1
            kind = "application/vnd.apple.mpegurl"
            return _answer(200, self._playlist, f"public, max-age={age}", kind)
        if url.path.startswith(STREAM) and url.path.endswith(".m4s"):
            return _answer(200, self._part, IMMUTABLE, "video/mp4")
        if url.path in ("/healthz", "/readyz"):
            return _answer(200, b"ok\n", "no-store", "text/plain")
        return _answer(404, b"", "max-age=1", "text/plain")


def _answer(status: int, body: bytes, cache_control: str, content_type: str) -> bytes:
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Not Found'}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: {cache_control}\r\n\r\n"
    )
    return head.encode() + body


class HeldConnection(asyncio.Protocol):
    """One client: requests without bodies, one after the other."""

    def __init__(self, origin: HeldOrigin) -> None:
        self._origin = origin
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, self._received = self._received.split(b"\r\n\r\n", 1)
            self._origin.ask(head.split(b" ", 2)[1].decode("latin-1"), self._send)

    def _send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


async def serve(host: str, port: int, origin: HeldOrigin) -> asyncio.Server:
    """Listen; the caller keeps the server."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: HeldConnection(origin), host, port, backlog=4096)


async def _main(port: int, part_bytes: int) -> None:
    origin = HeldOrigin(part_bytes, f"{int(time.time()):x}", time.monotonic)
    server = await serve("127.0.0.1", port, origin)
    print(f"http://127.0.0.1:{port}{PLAYLIST_PATH}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A low-latency origin that publishes when told.")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--part-bytes", type=int, default=40_960)
    given = parser.parse_args()
    asyncio.run(_main(given.port, given.part_bytes))
