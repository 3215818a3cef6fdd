"""What all connections of one edge process share: the cache, the clock, memories and counters.

The sweep is the one timer for all of them. It counts its own strokes, once a second while
anybody is connected, and asks every connection whether it has been waited for too long; a
connection keeps the number of the stroke at which something last happened, and no timer.
"""

import asyncio
import socket
from collections.abc import Hashable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Protocol

from cdn.cache.body import PIECE_BYTES
from cdn.cache.cache import Cache
from cdn.cache.entry import Found
from cdn.clock import Clock
from cdn.front.crowd import Crowds
from cdn.front.door import Door
from cdn.front.local import NO_COPY, Document, refusal
from cdn.front.parcels import Parcel
from cdn.front.renderings import Again, Renderings
from cdn.front.request import Request, RequestReader
from cdn.front.wire import Rendered
from cdn.health import Health
from cdn.http.keys import Key
from cdn.observe import Metrics
from cdn.observe.access_log import Access, AccessLog

STROKE_S = 1.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a connection may keep the edge waiting, in strokes of the sweep (seconds)."""

    head_s: int
    keep_alive_s: int
    slow_reader_s: int


class Guest(Hashable, Protocol):
    """A connection, as the sweep sees it."""

    def check(self, stroke: int) -> None:
        """Close the connection if it has been waited for too long."""
        ...

    def cut(self) -> None:
        """Close the connection at once, whatever is still to be written."""
        ...


class Hall:
    """One for each edge process; made before its first connection."""

    def __init__(
        self,
        *,
        cache: Cache,
        clock: Clock,
        health: Health,
        metrics: Metrics,
        deadlines: Deadlines,
        door: Door,
        access_log: AccessLog | None = None,
        is_tls: bool = False,
    ) -> None:
        self.cache = cache
        self.clock = clock
        self.health = health
        self.deadlines = deadlines
        self.door = door
        self.read = RequestReader().read
        self.stroke = 0
        self.slow_readers_cut = 0
        self.access_log = access_log
        self.is_tls = is_tls
        self.renderings = Renderings(cache, clock, metrics)
        self.crowds = Crowds(self.again_for)
        self._guests: set[Guest] = set()
        self._sweeps = False

    @property
    def guests(self) -> int:
        """How many connections there are."""
        return len(self._guests)

    def gather_in(self, guests: set[Guest]) -> None:
        """Keep connections in this set, before the first of them comes."""
        self._guests = guests

    def cut_off(self) -> None:
        """Close what is left when the time to drain is over: closing politely may take for ever."""
        for guest in tuple(self._guests):
            guest.cut()

    def admits(self, guest: Guest, transport: asyncio.BaseTransport) -> bool:
        """Say whether a connection may come in."""
        address = address_of(transport) if self.door.wants_addresses else ""
        return self.door.admit(guest, len(self._guests), address)

    def prepare(self, transport: asyncio.Transport) -> None:
        """Have a transport say soon that its viewer does not read.

        Under TLS it would take half a megabyte first, encrypted for this viewer alone.
        """
        if self.is_tls:
            transport.set_write_buffer_limits(high=PIECE_BYTES)

    def enter(self, guest: Guest) -> None:
        self._guests.add(guest)
        if not self._sweeps:
            self._sweeps = True
            self.clock.call_later(STROKE_S, self._sweep)

    def leave(self, guest: Guest) -> None:
        self._guests.discard(guest)
        self.door.leave(guest)

    def replace(self, guest: Guest, successor: Guest) -> None:
        """Let another object stand for a connection; it enters by itself."""
        self.door.hand_over(guest, successor)
        self._guests.discard(guest)

    def share(self, parcel: Parcel) -> None:
        """Note that an answer was copied to one more viewer: the next may share its pages.

        Not under TLS, where every viewer's bytes are his own.
        """
        if not self.is_tls:
            self.renderings.shelf.wrote(parcel)

    def is_piecemeal(self, rendered: Rendered) -> bool:
        """Say whether an answer cannot be written at once (see ``sending``)."""
        return rendered.grows or (self.is_tls and rendered.body_bytes > PIECE_BYTES)

    def again_for(self, found: Found, request: Request) -> Again | None:
        """Return what all get who wait for one thing; nothing where each is a case of its own."""
        if self.health.draining or self.access_log is not None:
            return None
        rendered = self.renderings.of(found, request, closes=False, joins=not self.is_tls)
        return None if self.is_piecemeal(rendered) else self.renderings.again_of(request, rendered)

    def no_copy(self) -> Document:
        """Return what a viewer is told when the origin has failed and nothing may stand in."""
        return refusal(503, NO_COPY, date=formatdate(usegmt=True).encode())

    def count(self, key: Key, status: int, cache: str, sent_bytes: int) -> None:
        tally = self.renderings.tally(key, status, cache)
        tally.requests += 1
        tally.sent_bytes += sent_bytes

    def log(self, address: str, key: Key, facts: tuple[int, str, int], asked_at: float) -> None:
        """Write a line, if there is an access log and this request is of its sample."""
        if self.access_log is not None and self.access_log.wants():
            (status, cache, sent_bytes), target = facts, key.target
            seconds = self.clock.monotonic() - asked_at
            self.access_log.write(
                Access(address, "GET", target, status, sent_bytes, cache, seconds)
            )

    def _sweep(self) -> None:
        self.stroke += 1
        self.renderings.forget()
        self.crowds.forget()
        for guest in tuple(self._guests):
            guest.check(self.stroke)
        self._sweeps = bool(self._guests)
        if self._sweeps:
            self.clock.call_later(STROKE_S, self._sweep)


def address_of(transport: asyncio.BaseTransport) -> str:
    """Return where a connection comes from, as far as anybody knows."""
    peer: tuple[object, ...] | str | None = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def socket_of(transport: asyncio.BaseTransport) -> int:
    """Return the descriptor of a connection; it is the connection's until that is lost."""
    found: socket.socket | None = transport.get_extra_info("socket")
    return -1 if found is None else found.fileno()
