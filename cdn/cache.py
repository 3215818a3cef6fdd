"""The cache: what is kept, for how long, and who fetches what is missing.

One rule stands above all others: whatever viewers do, the origin sees at most one request per key
at a time. The first viewer who asks for a key that is missing or expired starts a *flight*, a task
of the cache's own; everybody else who asks meanwhile joins it::

    get(key) ── fresh ──────────────────────────────────────────────> HIT
       │
       └─ missing, expired ──> flight ── origin's head ──┬─ new object ──> at once, as it grows
              ^                   │                      └─ 304 ─────────> the old one, renewed
       others join it             │
                                  └── failed, slow ──┬─ there is an old one ──> STALE
                                                     └─ there is none ────────> OriginFailed

- A viewer who leaves cancels its own wait; the flight belongs to the cache and goes on.
- A new object is handed out from its first byte on. Where an old one could still stand in, viewers
  wait for the end of the new one instead, because then a fetch that breaks off hurts nobody.
- A body that broke off is never stored. A failure is not remembered at all, except that an old
  object that stands in does so for ``retry_s`` before the origin is asked again.
- An answer that may not be stored is still given to everyone who waited for it. That is safe only
  because requests to the origin are made from the key alone (see ``keys``): they carry nothing of
  a viewer, so no answer can be meant for one of them.

Memory is counted, not guessed: an entry costs the bytes of its body and its headers and a fixed
overhead, bodies in flight are counted as they grow, and the least recently used entries go as soon
as the sum passes the limit. (A slow reader may hold the bytes of an entry that is gone.)

Everything here runs on one event loop, and all time comes from the clock that is handed in.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, Protocol

from cdn.body import Body
from cdn.clock import Clock
from cdn.errors import OriginFailed
from cdn.freshness import Lifetime
from cdn.keys import Key
from cdn.message import Head

ENTRY_OVERHEAD_BYTES = 1024
"""What an entry costs beside its bytes: 960 were measured, for an answer with four headers."""


class Reply(Protocol):
    """The origin's answer, once its head is there."""

    @property
    def head(self) -> Head: ...
    @property
    def length(self) -> int | None: ...
    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body; raise ``OriginFailed`` unless all of it came."""
        ...


Fetch = Callable[[Key, bytes | None], AbstractAsyncContextManager[Reply]]
"""Asks the origin for a key, with the ETag of what is already here; raises ``OriginFailed``."""

Judge = Callable[[Key, Head], Lifetime]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, and how long viewers and the origin are made to wait."""

    memory_bytes: int
    patience_s: float
    retry_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its times on the cache's clock.

    Until ``ask_at`` it is served without asking the origin: while it is fresh or, ``standing_in``
    for an origin that failed, a little longer. After ``stale_until`` it may not stand in.
    """

    key: Key
    head: Head
    body: Body
    storable: bool
    born_at: float
    ask_at: float
    fresh_until: float
    stale_until: float
    standing_in: bool = False

    @property
    def cost(self) -> int:
        headers = sum(len(name) + len(value) for name, value in self.head.headers)
        return self.body.size + headers + len(self.key.target) + ENTRY_OVERHEAD_BYTES


class Outcome(Enum):
    """How a request was answered; the values are the metrics' label."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    MISS_JOINED = "miss_collapsed"
    EXPIRED = "expired"
    EXPIRED_JOINED = "expired_collapsed"


class Found(NamedTuple):
    """An answer, and how it was come by."""

    entry: Entry
    outcome: Outcome


class Flight:
    """One fetch under way, and those who wait for its result."""

    __slots__ = ("_waiters", "entry", "old", "slow", "task")

    def __init__(self, old: Entry | None) -> None:
        self.old = old
        """What the key led to before; its body may turn out to be good still."""
        self.entry: Entry | None = None
        """The new object, from its head on: whoever comes now reads it as it grows."""
        self.slow = False
        """Viewers' patience is over: who comes now gets the old object without waiting."""
        self.task: asyncio.Task[None] | None = None
        self._waiters: list[asyncio.Future[Entry]] = []

    async def landed(self) -> Entry:
        if self.entry is not None:
            return self.entry
        # A future for each: cancelling a shared one would take all the others down.
        waiter: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return await waiter

    def land(self, entry: Entry) -> None:
        self.entry = entry
        self.release(entry)

    def release(self, entry: Entry) -> None:
        for waiter in self._leaving():
            waiter.set_result(entry)

    def fail(self, failure: OriginFailed) -> None:
        for waiter in self._leaving():
            waiter.set_exception(OriginFailed(str(failure)))

    def _leaving(self) -> list[asyncio.Future[Entry]]:
        waiters, self._waiters = self._waiters, []
        return [waiter for waiter in waiters if not waiter.done()]


class Cache:
    """Answers by key, with one fetch for each however many ask."""

    def __init__(self, *, fetch: Fetch, judge: Judge, clock: Clock, limits: Limits) -> None:
        self._fetch = fetch
        self._judge = judge
        self._clock = clock
        self._limits = limits
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._stored_bytes = 0
        self._growing_bytes = 0
        self._flights: dict[Key, Flight] = {}

    @property
    def used_bytes(self) -> int:
        return self._stored_bytes + self._growing_bytes

    @property
    def objects(self) -> int:
        return len(self._entries)

    @property
    def flights(self) -> int:
        return len(self._flights)

    def lookup(self, key: Key) -> Found | None:
        """Return what can be served now, without waiting for anything."""
        entry = self._entries.get(key)
        if entry is None or self._clock.monotonic() >= entry.ask_at:
            return None
        self._entries.move_to_end(key)
        return Found(entry, Outcome.STALE if entry.standing_in else Outcome.HIT)

    async def get(self, key: Key) -> Found:
        """Return what is here, or wait for the one fetch of it; raise ``OriginFailed``."""
        found = self.lookup(key)
        if found is not None:
            return found
        old = self._entries.get(key)
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._launch(key, old)
        elif flight.slow and old is not None and self._may_stand_in(old):
            return Found(old, Outcome.STALE)
        entry = await flight.landed()
        if entry.standing_in:
            return Found(entry, Outcome.STALE)
        if flight.old is None:
            return Found(entry, Outcome.MISS_JOINED if joined else Outcome.MISS)
        return Found(entry, Outcome.EXPIRED_JOINED if joined else Outcome.EXPIRED)

    async def close(self) -> None:
        """Call every flight back; who still waits is told that the origin failed."""
        tasks = [flight.task for flight in self._flights.values() if flight.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _launch(self, key: Key, old: Entry | None) -> Flight:
        flight = self._flights[key] = Flight(old)
        flight.task = asyncio.create_task(self._fly(key, flight))
        return flight

    async def _fly(self, key: Key, flight: Flight) -> None:
        impatience = self._clock.call_later(
            self._limits.patience_s, lambda: self._lose_patience(flight)
        )
        etag = flight.old.head.get(b"etag") if flight.old is not None else None
        try:
            async with self._fetch(key, etag) as reply:
                entry = await self._take_in(key, flight, reply)
            flight.land(entry)
        except OriginFailed as failure:
            self._stand_in(flight, failure)
        except BaseException:
            flight.fail(OriginFailed("the edge has given up the request"))
            raise
        finally:
            impatience.cancel()
            del self._flights[key]

    async def _take_in(self, key: Key, flight: Flight, reply: Reply) -> Entry:
        old, head = flight.old, reply.head
        if head.status == 304:
            if old is None:
                raise OriginFailed("the origin answered 304 to a request without a condition")
            return self._keep(self._entry(key, _renewed(old.head, head), old.body))
        can_fall_back = old is not None and self._may_stand_in(old)
        if can_fall_back and _is_failure(head.status, old):
            raise OriginFailed(f"the origin answered {head.status}")
        entry = self._entry(key, head, Body(reply.length))
        if not can_fall_back:
            flight.land(entry)
        await self._grow(entry.body, reply)
        return self._keep(entry)

    async def _grow(self, body: Body, reply: Reply) -> None:
        try:
            async for piece in reply.pieces():
                body.feed(piece)
                self._growing_bytes += len(piece)
                self._make_room()
            body.finish()
        except OriginFailed as failure:
            body.fail(failure)
            raise
        except BaseException:
            body.fail(OriginFailed("the edge has given up the request"))
            raise
        finally:
            self._growing_bytes -= body.size

    def _stand_in(self, flight: Flight, failure: OriginFailed) -> None:
        """Let the old object stand in for what could not be had, if it still may."""
        old = flight.old
        if old is None or not self._may_stand_in(old):
            flight.fail(failure)
            return
        ask_at = min(self._clock.monotonic() + self._limits.retry_s, old.stale_until)
        flight.release(self._keep(replace(old, ask_at=ask_at, standing_in=True)))

    def _lose_patience(self, flight: Flight) -> None:
        if flight.entry is None and flight.old is not None and self._may_stand_in(flight.old):
            flight.slow = True
            flight.release(replace(flight.old, standing_in=True))

    def _may_stand_in(self, entry: Entry) -> bool:
        return self._clock.monotonic() < entry.stale_until

    def _entry(self, key: Key, head: Head, body: Body) -> Entry:
        now, lifetime = self._clock.monotonic(), self._judge(key, head)
        fresh_until = now + lifetime.fresh_s
        return Entry(
            key=key,
            head=head,
            body=body,
            storable=lifetime.storable,
            born_at=now - lifetime.age_s,
            ask_at=fresh_until,
            fresh_until=fresh_until,
            stale_until=fresh_until + lifetime.stale_if_error_s,
        )

    def _keep(self, entry: Entry) -> Entry:
        """Put an entry in the place of whatever its key led to before."""
        before = self._entries.pop(entry.key, None)
        if before is not None:
            self._stored_bytes -= before.cost
        if entry.storable:
            self._entries[entry.key] = entry
            self._stored_bytes += entry.cost
            self._make_room()
        return entry

    def _make_room(self) -> None:
        while self._entries and self.used_bytes > self._limits.memory_bytes:
            _, evicted = self._entries.popitem(last=False)
            self._stored_bytes -= evicted.cost


def _is_failure(status: int, old: Entry | None) -> bool:
    """Say whether an answer is worse than the old object.

    An origin that has just been restarted does not know its streams until their publishers are
    back. What it says is missing, straight after an outage, is not believed yet.
    """
    is_after_outage = old is not None and old.standing_in
    return status >= 500 or (status == 404 and is_after_outage)


def _renewed(old: Head, news: Head) -> Head:
    """Merge the fields of a 304 into the stored head (RFC 9111, 3.2)."""
    replaced = {name for name, _ in news.headers}
    kept = [field for field in old.headers if field[0] not in replaced]
    return Head(old.status, (*kept, *news.headers))
