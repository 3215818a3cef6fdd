"""Many RTMP publishers in one cheap process: python -m benchmarks.support.publishers --help

A file is published to KEY0, KEY1, ... in real time, over and over. Its chunks are prepared once and
shared: message headers after the first carry time deltas, so that the same bytes serve every
connection and every repetition, and the publishers cost little beside the server they measure.
"""

import argparse
import heapq
import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

AUDIO, VIDEO, DATA = 8, 9, 18
CHUNK_STREAM = {AUDIO: 4, VIDEO: 6, DATA: 5}
CHUNK_SIZE = 4096  # what OBS uses
HANDSHAKE_REPLY = 1 + 2 * 1536


@dataclass(frozen=True, slots=True)
class Tag:
    """An FLV tag."""

    at: int
    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """What is due at a moment: the bytes up to ``end``."""

    due_ms: int
    end: int


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A file as chunks: headers, the first pass, and every later pass."""

    headers: bytes
    first: bytes
    again: bytes
    first_slots: tuple[Slot, ...]
    again_slots: tuple[Slot, ...]
    period_ms: int


@dataclass(order=True, slots=True)
class Publisher:
    """One connection; ordered by when its next bytes are due."""

    due: float
    number: int
    connection: socket.socket = field(compare=False)
    began: float = field(compare=False)
    turn: int = field(default=0, compare=False)
    slot: int = field(default=0, compare=False)
    sent: int = field(default=0, compare=False)


def read_flv(path: Path) -> Iterator[Tag]:
    """The tags of an FLV file (Adobe FLV 10.1, annex E)."""
    data, position = path.read_bytes(), 13
    while position + 11 <= len(data):
        size = int.from_bytes(data[position + 1 : position + 4], "big")
        at = int.from_bytes(data[position + 4 : position + 7], "big") | data[position + 7] << 24
        yield Tag(at, data[position] & 0x1F, data[position + 11 : position + 11 + size])
        position += 11 + size + 4


def prepare(path: Path) -> Broadcast:
    """Turn a file into chunks that can be sent to any number of connections."""
    tags = list(read_flv(path))
    headers = b"".join(_chunks(tag, _with_set_data_frame(tag)) for tag in tags if _is_header(tag))
    body = [tag for tag in tags if not _is_header(tag)]
    times = [tag.at for tag in body if tag.kind == VIDEO]
    period = times[-1] - times[0] + (times[-1] - times[0]) // (len(times) - 1)
    last = {tag.kind: tag.at for tag in body}
    first, first_slots = _pass(body, dict.fromkeys(last, body[0].at))
    again, again_slots = _pass(body, {kind: at - period for kind, at in last.items()})
    return Broadcast(headers, first, again, first_slots, again_slots, period)


def run(host: str, port: int, key: str, path: Path, number: int, seconds: float) -> dict[str, int]:
    """Publish from ``number`` connections for ``seconds``; return what came of it."""
    broadcast = prepare(path)
    publishers, failed, poll = list[Publisher](), 0, select.epoll()
    by_descriptor: dict[int, socket.socket] = {}
    end = time.monotonic() + seconds
    for index in range(number):
        connection = _connect(host, port, f"{key}{index}")
        connection.sendall(broadcast.headers)
        connection.setblocking(False)
        now = time.monotonic()
        heapq.heappush(publishers, Publisher(now, index, connection, now))
        poll.register(connection.fileno(), select.EPOLLIN)
        by_descriptor[connection.fileno()] = connection
        time.sleep(0.02)
    while publishers and (now := time.monotonic()) < end:
        while publishers and publishers[0].due <= now:
            publisher = heapq.heappop(publishers)
            try:
                _send_due(publisher, broadcast, now)
            except OSError:
                failed += 1
                continue
            heapq.heappush(publishers, publisher)
        wait = publishers[0].due - time.monotonic() if publishers else 0
        for descriptor, _ in poll.poll(max(0.0, min(wait, 0.02))):
            if not by_descriptor[descriptor].recv(65536):  # acknowledgements; none is read
                poll.unregister(descriptor)
    for publisher in publishers:
        publisher.connection.close()
    return {"published": number, "failed": failed}


def _send_due(publisher: Publisher, broadcast: Broadcast, now: float) -> None:
    data = broadcast.again if publisher.turn else broadcast.first
    slots = broadcast.again_slots if publisher.turn else broadcast.first_slots
    due_ms = (now - publisher.began) * 1000 - publisher.turn * broadcast.period_ms
    while publisher.slot + 1 < len(slots) and slots[publisher.slot + 1].due_ms <= due_ms:
        publisher.slot += 1
    target = slots[publisher.slot].end
    try:
        publisher.sent += publisher.connection.send(data[publisher.sent : target])
    except BlockingIOError:
        publisher.due = now + 0.01
        return
    if publisher.sent < target:
        publisher.due = now + 0.002
        return
    publisher.slot += 1
    if publisher.slot == len(slots):
        publisher.turn, publisher.slot, publisher.sent = publisher.turn + 1, 0, 0
        slots = broadcast.again_slots
    elapsed_ms = publisher.turn * broadcast.period_ms + slots[publisher.slot].due_ms
    publisher.due = publisher.began + elapsed_ms / 1000


def _pass(body: list[Tag], previous: dict[int, int]) -> tuple[bytes, tuple[Slot, ...]]:
    """One pass over the file, with time deltas from ``previous``; one slot per video frame."""
    out, slots, start, last = bytearray(), list[Slot](), body[0].at, dict(previous)
    for tag in body:
        if tag.kind == VIDEO or not slots:
            slots.append(Slot(tag.at - start, 0))
        out += _chunks(tag, tag.body, delta=tag.at - last[tag.kind])
        last[tag.kind] = tag.at
        slots[-1] = Slot(slots[-1].due_ms, len(out))
    return bytes(out), tuple(slots)


def _chunks(tag: Tag, body: bytes, *, delta: int | None = None) -> bytes:
    """One message as chunks: type 0, or type 1 with a time delta (RTMP 1.0, section 5.3.1.2)."""
    stream = CHUNK_STREAM[tag.kind]
    head = bytes([stream if delta is None else 0x40 | stream])
    head += max(0, delta or 0).to_bytes(3, "big") + len(body).to_bytes(3, "big") + bytes([tag.kind])
    if delta is None:
        head += struct.pack("<I", 1)
    out = bytearray(head + body[:CHUNK_SIZE])
    for position in range(CHUNK_SIZE, len(body), CHUNK_SIZE):
        out += bytes([0xC0 | stream]) + body[position : position + CHUNK_SIZE]
    return bytes(out)


def _is_header(tag: Tag) -> bool:
    if tag.kind == DATA:
        return True
    return tag.body[1] == 0 and (tag.body[0] >> 4 == 10 or tag.body[0] & 15 == 7)


def _with_set_data_frame(tag: Tag) -> bytes:
    return _amf("@setDataFrame") + tag.body if tag.kind == DATA else tag.body


def _amf(*values: str | float | dict[str, str] | None) -> bytes:
    out = b""
    for value in values:
        if value is None:
            out += b"\x05"
        elif isinstance(value, str):
            out += b"\x02" + struct.pack(">H", len(value)) + value.encode()
        elif isinstance(value, dict):
            pairs = (struct.pack(">H", len(k)) + k.encode() + _amf(v) for k, v in value.items())
            out += b"\x03" + b"".join(pairs) + b"\x00\x00\x09"
        else:
            out += b"\x00" + struct.pack(">d", value)
    return out


def _connect(host: str, port: int, key: str) -> socket.socket:
    """Handshake, connect, createStream and publish; wait for each answer that matters."""
    connection = socket.create_connection((host, port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"\x03" + bytes(8) + os.urandom(1528))
    received = bytearray()
    while len(received) < HANDSHAKE_REPLY:
        received += _receive(connection)
    info = {"app": "live", "tcUrl": f"rtmp://{host}:{port}/live", "flashVer": "FMLE/3.0"}
    connection.sendall(
        bytes(received[1:1537])
        + b"\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00"
        + struct.pack(">I", CHUNK_SIZE)
        + _command(0, _amf("connect", 1.0, info))
    )
    _wait_for(connection, b"NetConnection.Connect.Success")
    number = count(2)
    connection.sendall(
        _command(0, _amf("releaseStream", float(next(number)), None, key))
        + _command(0, _amf("FCPublish", float(next(number)), None, key))
        + _command(0, _amf("createStream", 4.0, None))
    )
    _wait_for(connection, b"_result\x00" + struct.pack(">d", 4.0))
    connection.sendall(_command(1, _amf("publish", 5.0, None, key, "live")))
    _wait_for(connection, b"NetStream.Publish.Start")
    return connection


def _command(stream: int, payload: bytes) -> bytes:
    return (
        b"\x03\x00\x00\x00" + len(payload).to_bytes(3, "big") + b"\x14"
        + struct.pack("<I", stream) + payload
    )  # fmt: skip


def _wait_for(connection: socket.socket, word: bytes) -> None:
    received = b""
    while word not in received:
        received += _receive(connection)


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


def main() -> None:
    """Read the command line, publish, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("flv", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1935)
    parser.add_argument("--key", default="cam")
    parser.add_argument("-n", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    print(json.dumps(run(given.host, given.port, given.key, given.flv, given.n, given.seconds)))


if __name__ == "__main__":
    main()
