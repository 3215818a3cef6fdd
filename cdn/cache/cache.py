"""The cache: what may be served, who fetches what is missing, and what stands in for it.

One rule stands above all others: whatever viewers do, the origin sees at most one request per key
at a time. The first viewer who asks for a key that is missing or expired starts a *flight*, a task
of the cache's own; everybody else who asks meanwhile joins it::

    ask(key) ── fresh ──────────────────────────────────────────────> HIT
       │
       └─ missing, expired ──> flight ── origin's head ──┬─ new object ──> at once, as it grows
              ^                   │                      └─ 304 ─────────> the old one, renewed
       others join it             │
                                  └── failed, slow ──┬─ something may stand in ──> STALE
                                                     └─ nothing may ─────────────> OriginFailed

- A viewer who leaves takes its own wait away; the flight belongs to the cache and goes on.
- A new object is handed out from its first byte on. Where an old one could still stand in, viewers
  wait for the end of the new one instead, because then a fetch that breaks off hurts nobody.
- A body that broke off is never stored. A failure is not remembered at all, except that an old
  object that stands in does so for ``retry_s`` before the origin is asked again.
- What stands in for a playlist is the newest one of its path, whatever directives it came under,
  or a newer delta for who asks for one: a player must not be sent back in time, and a low-latency
  player asks for a version that was never here. The latter asks again at once after every answer;
  what stands in under directives is therefore held back until ``retry_s`` after the flight began,
  and is never stored under them.
- Nobody loses patience with a request under directives: to be held is what it is for.
- An answer that may not be stored is still given to everyone who waited for it. That is safe only
  because requests to the origin are made from the key alone (see ``keys``): they carry nothing of
  a viewer, so no answer can be meant for one of them.

Everything here runs on one event loop, and all time comes from the clock that is handed in.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from cdn.cache.body import Body
from cdn.cache.entry import Entry, Found, Outcome
from cdn.cache.flight import Flight, Waiter, Waiting
from cdn.cache.store import Store, has_directives
from cdn.clock import Clock
from cdn.errors import OriginFailed
from cdn.http.freshness import PRECISE_AGE_FIELD, TARGETED_FIELD, Lifetime
from cdn.http.keys import Key
from cdn.http.message import Head


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

GIVEN_UP = "the edge has given up the request"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept, and how long viewers and the origin are made to wait."""

    memory_bytes: int
    patience_s: float
    retry_s: float


class Cache:
    """Answers by key, with one fetch for each however many ask."""

    def __init__(self, *, fetch: Fetch, judge: Judge, clock: Clock, limits: Limits) -> None:
        self._fetch = fetch
        self._judge = judge
        self._clock = clock
        self._limits = limits
        self._store = Store(limits.memory_bytes)
        self._flights: dict[Key, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = Waiting()
        self._holds = True

    def limit(self, limits: Limits) -> None:
        """Change how much is kept, and how patient the cache is."""
        self._limits = limits
        self._store.limit(limits.memory_bytes)

    @property
    def used_bytes(self) -> int:
        return self._store.used_bytes

    @property
    def store(self) -> Store:
        """What is kept; its version tells whether a key may lead to another entry than before."""
        return self._store

    @property
    def objects(self) -> int:
        return len(self._store)

    @property
    def evicted(self) -> int:
        """How many objects had to go because memory was short."""
        return self._store.evicted

    @property
    def flights(self) -> int:
        return len(self._flights)

    @property
    def waiting(self) -> int:
        """How many requests wait for the origin, held ones among them."""
        return self._waiting.count

    def lookup(self, key: Key) -> Entry | None:
        """Return what can be served now, without waiting for anything."""
        entry = self._store.peek(key)
        if entry is None or self._clock.monotonic() >= entry.ask_at:
            return None
        self._store.touch(key)
        return entry

    def would_serve(self, key: Key, entry: Entry) -> bool:
        """Say whether this very entry is what is kept under a key; it is in use, then."""
        if self._store.peek(key) is not entry:
            return False
        self._store.touch(key)
        return True

    def ask(self, key: Key, waiter: Waiter) -> Found | Flight:
        """Return what is here, or the one flight that fetches it, which ``waiter`` has joined.

        Raises ``OriginFailed`` where nothing may be waited for any more.
        """
        entry = self.lookup(key)
        if entry is not None:
            return Found(entry, Outcome.STALE if entry.standing_in else Outcome.HIT)
        flight = self._flights.get(key)
        if flight is not None:
            if flight.entry is not None:
                return flight.joined(flight.entry)
            if flight.slow and (stand_in := self._stand_in(key, flight)) is not None:
                return Found(stand_in, Outcome.STALE)
        if not self._holds and has_directives(key):
            return self._let_go(key)
        if flight is None:
            flight = self._launch(key)
        flight.join(waiter)
        return flight

    async def get(self, key: Key) -> Found:
        """Return what is here, or wait for the one fetch of it; raise ``OriginFailed``."""
        waiter = _Patient()
        answer = self.ask(key, waiter)
        if not isinstance(answer, Flight):
            return answer
        try:
            return await waiter.result
        finally:
            answer.leave(waiter)

    def purge(self, prefix: str) -> int:
        """Forget everything whose address begins with ``prefix``; return how many objects.

        Those who wait get what they asked for before; whoever comes now has it fetched anew.
        """
        for key in [key for key in self._flights if key.target.startswith(prefix)]:
            self._flights.pop(key).purge()
        return self._store.purge(prefix)

    def release_held(self) -> None:
        """Hold no request under directives any more: the edge is about to close."""
        self._holds = False
        for key, flight in list(self._flights.items()):
            if flight.entry is None and has_directives(key):
                stand_in = self._stand_in(key, flight)
                if stand_in is None:
                    flight.fail(OriginFailed("the edge is about to close"))
                else:
                    flight.release(_for_once(stand_in))

    async def close(self) -> None:
        """Call every flight back; who still waits is told that the origin failed."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _let_go(self, key: Key) -> Found:
        stand_in = self._newest_standing_in(key)
        if stand_in is None:
            raise OriginFailed("the edge is about to close")
        return Found(_for_once(stand_in), Outcome.STALE)

    def _launch(self, key: Key) -> Flight:
        old, began_at = self._store.peek(key), self._clock.monotonic()
        flight = self._flights[key] = Flight(old, began_at, self._waiting)
        flight.task = asyncio.create_task(self._fly(key, flight))
        self._tasks.add(flight.task)
        flight.task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, key: Key, flight: Flight) -> None:
        impatience = self._clock.call_later(
            self._limits.patience_s, lambda: self._lose_patience(key, flight)
        )
        etag = flight.old.head.get(b"etag") if flight.old is not None else None
        try:
            try:
                async with self._fetch(key, etag) as reply:
                    entry = await self._take_in(key, flight, reply)
                flight.land(entry)
            except OriginFailed as failure:
                await self._substitute(key, flight, failure)
        except BaseException:
            flight.fail(OriginFailed(GIVEN_UP))
            raise
        finally:
            impatience.cancel()
            if self._flights.get(key) is flight:
                del self._flights[key]

    async def _take_in(self, key: Key, flight: Flight, reply: Reply) -> Entry:
        old, head = flight.old, reply.head
        if head.status == 304:
            if old is None:
                raise OriginFailed("the origin answered 304 to a request without a condition")
            return self._keep(flight, self._entry(key, _renewed(old.head, head), old.body))
        can_fall_back = self._stand_in(key, flight) is not None
        if can_fall_back and self._is_failure(key, head.status, old):
            raise OriginFailed(f"the origin answered {head.status}")
        entry = self._entry(key, head, Body(reply.length))
        if can_fall_back:
            await self._grow(entry.body, reply)
        else:
            # Not before this turn of the loop is over: a body that is here already is then handed
            # out whole, in one write for each of those who wait.
            landing = asyncio.get_running_loop().call_soon(flight.land, entry)
            try:
                await self._grow(entry.body, reply)
            finally:
                landing.cancel()
        return self._keep(flight, entry)

    async def _grow(self, body: Body, reply: Reply) -> None:
        try:
            async for piece in reply.pieces():
                body.feed(piece)
                self._store.grow(len(piece))
            body.finish()
        except OriginFailed as failure:
            body.fail(failure)
            raise
        except BaseException:
            body.fail(OriginFailed(GIVEN_UP))
            raise
        finally:
            self._store.grow(-body.size)

    async def _substitute(self, key: Key, flight: Flight, failure: OriginFailed) -> None:
        """Let something else stand in for what could not be had, if anything may."""
        if self._stand_in(key, flight) is not None and has_directives(key):
            self._store.doubt(key)
            await self._until(flight.began_at + self._limits.retry_s)
        stand_in = self._stand_in(key, flight)
        if stand_in is None:
            flight.fail(failure)
        elif has_directives(key):
            flight.release(_for_once(stand_in))
        else:
            self._store.doubt(key)
            ask_at = min(self._clock.monotonic() + self._limits.retry_s, stand_in.stale_until)
            again = replace(stand_in, key=key, ask_at=ask_at, standing_in=True)
            flight.release(self._keep(flight, again))

    async def _until(self, then: float) -> None:
        over = asyncio.Event()
        timer = self._clock.call_later(then - self._clock.monotonic(), over.set)
        try:
            if self._clock.monotonic() < then:
                await over.wait()
        finally:
            timer.cancel()

    def _lose_patience(self, key: Key, flight: Flight) -> None:
        if flight.entry is not None or has_directives(key):
            return
        stand_in = self._stand_in(key, flight)
        if stand_in is not None:
            flight.slow = True
            flight.release(stand_in)

    def _stand_in(self, key: Key, flight: Flight) -> Entry | None:
        """Return what may be served instead of what this flight is to bring."""
        if flight.purged:
            return None
        newest, old = self._newest_standing_in(key), flight.old
        if old is None or has_directives(key):
            return newest
        if newest is not None and newest.born_at > old.born_at:
            return newest
        may_stand_in = self._clock.monotonic() < old.stale_until
        return replace(old, standing_in=True) if may_stand_in else None

    def _newest_standing_in(self, key: Key) -> Entry | None:
        # A version of a playlist is no good for as long as it may be cached (which is for ever, in
        # effect) and then some; it is good for as long as a stream may stand still.
        newest = self._store.newest(key)
        if newest is None or self._clock.monotonic() >= newest.born_at + newest.stale_for_s:
            return None
        until = newest.born_at + newest.stale_for_s
        head = newest.head if newest.key == key else _not_to_be_kept(newest.head)
        return replace(newest, head=head, stale_until=until, standing_in=True)

    def _is_failure(self, key: Key, status: int, old: Entry | None) -> bool:
        """Say whether an answer is worse than what could stand in.

        An origin that has just been restarted does not know its streams until their publishers
        are back. What it says is missing or not yet due, straight after an outage, is not
        believed yet.
        """
        is_after_outage = (old is not None and old.standing_in) or self._store.is_doubted(key)
        return status >= 500 or (status in (400, 404) and is_after_outage)

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

    def _keep(self, flight: Flight, entry: Entry) -> Entry:
        if not flight.purged:
            self._store.keep(entry)
            if not entry.standing_in:
                self._store.note_newest(entry)
        return entry


class _Patient:
    """A waiter that is a coroutine."""

    __slots__ = ("result",)

    def __init__(self) -> None:
        self.result: asyncio.Future[Found] = asyncio.get_running_loop().create_future()

    def on_found(self, found: Found) -> None:
        if not self.result.done():
            self.result.set_result(found)

    def on_failure(self, failure: OriginFailed) -> None:
        if not self.result.done():
            self.result.set_exception(failure)


def _for_once(entry: Entry) -> Entry:
    """Make an answer of ``entry`` that not even we keep."""
    return replace(entry, head=_not_to_be_kept(entry.head), storable=False, standing_in=True)


def _not_to_be_kept(head: Head) -> Head:
    """Tell caches behind us that this stands under a name that is not its own."""
    replaced = (b"cache-control", b"expires", TARGETED_FIELD)
    kept = tuple(field for field in head.headers if field[0] not in replaced)
    return Head(head.status, (*kept, (b"cache-control", b"no-store")))


_OF_ONE_ANSWER = frozenset([b"age", b"cache-status", PRECISE_AGE_FIELD])
"""Fields that tell how one answer came about, and nothing of those after it."""


def _renewed(old: Head, news: Head) -> Head:
    """Merge the fields of a 304 into the stored head (RFC 9111, 3.2)."""
    replaced = {name for name, _ in news.headers} | _OF_ONE_ANSWER
    kept = [field for field in old.headers if field[0] not in replaced]
    return Head(old.status, (*kept, *news.headers))
