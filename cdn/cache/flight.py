"""One fetch under way, and those who wait for its result.

Ten thousand viewers may wait for one playlist. So that they cost neither a task nor a future each,
a waiter is an object with two methods, and landing is a loop over them. A waiter that goes is
taken out of the loop; nobody else notices. A flight belongs to the cache, never to a viewer.

::

    IN THE AIR ──land(entry)──> LANDED: the object is handed out as it grows; who comes now gets
        │   │                   it without waiting
        │   └──release(entry)──> everybody who waits gets another object instead, the fetch goes on
        └──fail(failure)──> everybody who waits is told
"""

import asyncio
from typing import Protocol

import structlog

from cdn.cache.entry import Entry, Found, Outcome
from cdn.errors import OriginFailed

UNANSWERED = "a viewer could not be answered"
_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("edge")


class Waiter(Protocol):
    """Who waits; called once, unless it leaves before."""

    def on_found(self, found: Found) -> None: ...
    def on_failure(self, failure: OriginFailed) -> None: ...


class Waiting:
    """How many wait, over all flights: read from other threads, which may not walk our sets."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Flight:
    """One fetch of one key."""

    __slots__ = ("_first", "_joined", "_waiters", "began_at", "entry", "is_open", "old",
                 "purged", "slow", "task", "waiting")  # fmt: skip

    def __init__(self, old: Entry | None, began_at: float, waiting: Waiting) -> None:
        self.old = old
        """What the key led to before; its body may turn out to be good still."""
        self.began_at = began_at
        self.entry: Entry | None = None
        """The new object, from its head on: whoever comes now reads it as it grows."""
        self.is_open = True
        """Nothing has come of it yet: who asks for the same may join without asking further."""
        self.slow = False
        """Viewers' patience is over: who comes now gets the old object without waiting."""
        self.purged = False
        """What comes was asked for before a purge, and must not be kept after it."""
        self.task: asyncio.Task[None] | None = None
        self._first: Waiter | None = None
        self._joined: Found | None = None
        # A dict, as a set that keeps the order: first come, first served.
        self._waiters: dict[Waiter, None] = {}
        self.waiting = waiting

    def join(self, waiter: Waiter) -> None:
        """Have ``waiter`` told when the flight lands; the first one is who it is flown for."""
        if self._first is None:
            self._first = waiter
        self._waiters[waiter] = None
        self.waiting.count += 1

    def leave(self, waiter: Waiter) -> None:
        """Forget ``waiter``, who has left or has been told."""
        if waiter in self._waiters:
            del self._waiters[waiter]
            self.waiting.count -= 1

    def joined(self, entry: Entry) -> Found:
        """Return the answer of those who came to a flight that was under way."""
        if self._joined is None or self._joined.entry is not entry:
            self._joined = self._found(entry, joined=True)
        return self._joined

    def purge(self) -> None:
        """Bring those who wait what they asked for, but keep nothing and take nobody else along."""
        self.purged = True
        self.is_open = False

    def land(self, entry: Entry) -> None:
        """Hand out the new object, from now on and to everybody."""
        self.entry = entry
        self.release(entry)

    def release(self, entry: Entry) -> None:
        """Give everybody who waits this object."""
        self.is_open = False
        found, joined = self._found(entry, joined=False), self.joined(entry)
        waiters, waiting, first = self._waiters, self.waiting, self._first
        # Whoever is told may cause another to leave: each is looked up once more.
        for waiter in tuple(waiters):
            if waiter in waiters:
                del waiters[waiter]
                waiting.count -= 1
                try:
                    waiter.on_found(found if waiter is first else joined)
                except Exception:
                    _log.exception(UNANSWERED)

    def fail(self, failure: OriginFailed) -> None:
        """Tell everybody who waits that there is nothing."""
        self.is_open = False
        reason = str(failure)
        for waiter in tuple(self._waiters):
            if waiter in self._waiters:
                self.leave(waiter)
                try:
                    waiter.on_failure(OriginFailed(reason))
                except Exception:
                    _log.exception(UNANSWERED)

    def _found(self, entry: Entry, *, joined: bool) -> Found:
        if entry.standing_in:
            return Found(entry, Outcome.STALE)
        if self.old is None:
            return Found(entry, Outcome.MISS_JOINED if joined else Outcome.MISS)
        return Found(entry, Outcome.EXPIRED_JOINED if joined else Outcome.EXPIRED)
