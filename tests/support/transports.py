"""A transport without a socket: the test is the network."""

import asyncio
import socket

from origin.ingest.beat import Beat, Reader
from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Shared
from origin.streams.door import Door

NONCE = bytes(1528)


class FakeSocket:
    """Keeps the options that are set."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []
        self.arrived = b""
        self.has_ended = False

    def recv_into(self, buffer: memoryview) -> int:
        """What a beat reads."""
        if not self.arrived and not self.has_ended:
            raise BlockingIOError
        data, self.arrived = self.arrived[: len(buffer)], self.arrived[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """What was borrowed is given back."""

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.options.append((level, option, value))


class FakeTransport(asyncio.Transport):
    """Keeps what is written; never calls back by itself."""

    def __init__(self, peername: object = ("2001:db8::7", 5000, 0, 0)) -> None:
        self.socket = FakeSocket()
        super().__init__({"peername": peername, "socket": self.socket})
        self.written = b""
        self.is_reset = False  # by the peer, which nobody has noticed yet
        self.has_eof = False
        self.is_aborted = False
        self.reads = True
        self.waiting_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def write_eof(self) -> None:
        if self.is_reset:
            raise OSError("Transport endpoint is not connected")
        self.has_eof = True

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes

    def close(self) -> None:
        self.is_aborted = True

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits here."""


class FakeBeat(Beat):
    """Strikes when the test delivers; lends the fake sockets themselves."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()

    def join(self, reader: Reader) -> None:
        self.readers.add(reader)

    def leave(self, reader: Reader) -> None:
        self.readers.discard(reader)

    def borrow(self, sock: socket.socket) -> socket.socket:
        return sock


class Wire:
    """A connection of the listener's, and its end in the test's hand."""

    def __init__(
        self, door: Door, settings: IngestSettings | None = None, shared: Shared | None = None
    ) -> None:
        self.beat = FakeBeat()
        if shared is None:
            shared = Shared(door, settings or IngestSettings(), Counters(), self.beat)
            shared.stopwatch = lambda: 0.0  # a turn takes no time but what the test says
        elif isinstance(shared.beat, FakeBeat):
            self.beat = shared.beat
        self.shared = shared
        self.transport = FakeTransport()
        self.connection = Connection(self.shared, NONCE)
        self.connection.connection_made(self.transport)

    def deliver(self, data: bytes) -> None:
        """One read's worth of bytes."""
        if self.connection in self.beat.readers:
            self.transport.socket.arrived += data
            self.connection.on_beat()
            return
        assert self.transport.reads, "read while paused"
        self.connection.get_buffer(-1)[: len(data)] = data
        self.connection.buffer_updated(len(data))

    def lose(self) -> None:
        self.connection.connection_lost(ConnectionResetError())
