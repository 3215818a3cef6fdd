"""What all connections of one listener share. The listener makes it, its connections use it.

Everything runs on one loop's thread, so nothing here is locked.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from origin.ingest.beat import Beat
from origin.ingest.queue import Queue
from origin.ingest.settings import IngestSettings
from origin.streams.audience import Audience
from origin.streams.door import Door

READ_BUFFER_BYTES = 256 * 1024
"""What one read can take: a keyframe at 6 Mbit/s in one piece."""


Objection: TypeAlias = Callable[[str, str], str | None]
"""What to answer to ``connect`` instead of yes, by its app and the peer's address; None: yes."""


class Member(Protocol):
    """A connection, as far as the listener has to do with it."""

    gone: asyncio.Future[None]

    def ask_to_reconnect(self, reason: str) -> None: ...

    def send_away(self, reason: str) -> None: ...


@dataclass(slots=True)
class Counters:
    """What the listener has seen, for whoever exports it."""

    accepted: int = 0
    """Connections taken in since the start."""
    open: int = 0
    """Connections at this moment."""
    refused: int = 0
    """Connections beyond a limit, and publishes that were turned down."""
    broken: int = 0
    """Connections closed because they broke the protocol or missed a deadline."""
    players: int = 0
    """Players at this moment."""
    bytes_in: int = 0
    """Bytes received since the start."""


class Shared:
    """The door, the settings, the buffer, the counters, and who is there."""

    def __init__(
        self,
        door: Door,
        settings: IngestSettings,
        counters: Counters,
        beat: Beat | None = None,
        objection: Objection | None = None,
    ) -> None:
        self.door = door
        self.settings = settings
        self.counters = counters
        self.buffer = memoryview(bytearray(READ_BUFFER_BYTES))
        self.quick_ack: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it
        self.members: set[Member] = set()
        self.beat = beat or Beat()
        self.queue = Queue(settings.stranger_turns_per_s)
        self.stopwatch: Callable[[], float] = time.perf_counter
        self.objection = objection
        self.shortage: Callable[[], str | None] = lambda: None
        """Why nobody new can be let in to publish at the moment, if so."""
        self.audience_of: Callable[[str], Audience | None] = lambda name: None
        """Where a stream of this name is watched."""
        self._strangers: Counter[str] = Counter()  # not let in to publish yet, by address

    def welcome(self, member: Member, address: str) -> str | None:
        """Take a new connection in; return why it has to go again, if it has to."""
        self.counters.accepted += 1
        self.counters.open += 1
        self.members.add(member)
        reason = None
        if self.counters.open > self.settings.connections:
            reason = "too many at once"
        elif self._strangers[address] >= self.settings.strangers_per_address:
            reason = "too many from one address"
        if reason is None:
            self._strangers[address] += 1
        else:
            self.counters.refused += 1
        return reason

    def trust(self, address: str) -> None:
        """A stranger from there has been let in, or has left."""
        self._strangers[address] -= 1
        if not self._strangers[address]:
            del self._strangers[address]

    def acknowledge_at_once(self, sock: socket.socket) -> None:
        """Have the kernel acknowledge this read without its usual delay.

        FFmpeg writes each command of its start in two pieces with Nagle's algorithm on, and waits
        40 ms for the acknowledgement of the first, four times. The option lasts for one read.
        """
        if self.quick_ack is not None:
            sock.setsockopt(socket.IPPROTO_TCP, self.quick_ack, 1)

    def forget(self, member: Member) -> None:
        self.members.discard(member)
        self.counters.open -= 1
