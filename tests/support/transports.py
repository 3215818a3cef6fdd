"""A transport without a socket: the test is the network."""

import asyncio

from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Shared
from origin.streams.door import Door

NONCE = bytes(1528)


class FakeSocket:
    """Keeps the options that are set."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

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

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def write_eof(self) -> None:
        if self.is_reset:
            raise OSError("Transport endpoint is not connected")
        self.has_eof = True

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


class Wire:
    """A connection of the listener's, and its end in the test's hand."""

    def __init__(self, door: Door, settings: IngestSettings | None = None) -> None:
        self.shared = Shared(door, settings or IngestSettings(), Counters())
        self.transport = FakeTransport()
        self.connection = Connection(self.shared, NONCE)
        self.connection.connection_made(self.transport)

    def deliver(self, data: bytes) -> None:
        """One read's worth of bytes."""
        assert self.transport.reads, "read while paused"
        self.connection.get_buffer(-1)[: len(data)] = data
        self.connection.buffer_updated(len(data))

    def lose(self) -> None:
        self.connection.connection_lost(ConnectionResetError())
