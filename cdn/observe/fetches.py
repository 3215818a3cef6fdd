"""Requests to the origin, as an operator sees them: how long they take, and what they bring.

``Fetches`` stands between the cache and whoever fetches for it, looks and changes nothing::

    cache ── key ──> Fetches ── key ──> upstream
                       │  first byte, last byte        ──> Metrics
                       └─ the bodies of media playlists ──> PlaylistAges

Media playlists are collected a second time for that, some kilobytes twice a second and stream;
everything else passes through untouched.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cdn.clock import Clock
from cdn.http.keys import Key, kind_of
from cdn.http.message import Head
from cdn.observe.ages import PlaylistAges, is_watched
from cdn.observe.metrics import Metrics


class Reply(Protocol):
    """The origin's answer, as far as it is looked at and handed on here."""

    @property
    def head(self) -> Head: ...
    @property
    def length(self) -> int | None: ...
    def pieces(self) -> AsyncIterator[bytes]: ...


Fetch = Callable[[Key, bytes | None], AbstractAsyncContextManager[Reply]]


class Fetches:
    """A fetch that is watched; ``oldest_s`` says for how long the oldest one has been under way."""

    def __init__(self, fetch: Fetch, metrics: Metrics, ages: PlaylistAges, clock: Clock) -> None:
        self._fetch = fetch
        self._metrics = metrics
        self._ages = ages
        self._clock = clock
        self._started: dict[object, float] = {}

    def oldest_s(self) -> float:
        """Return for how long the oldest request to the origin has been under way, or 0."""
        started = tuple(self._started.values())  # a scrape asks from its own thread
        return self._clock.monotonic() - min(started) if started else 0.0

    @asynccontextmanager
    async def __call__(self, key: Key, etag: bytes | None) -> AsyncGenerator[Reply]:
        started, ticket, kind = self._clock.monotonic(), object(), kind_of(key.target)
        self._started[ticket] = started
        has_age = is_watched(key)
        if has_age:
            self._ages.asked(key, started)
        try:
            async with self._fetch(key, etag) as reply:
                self._metrics.began(kind, self._clock.monotonic() - started)
                is_new = has_age and reply.head.status == 200
                yield _Copied(reply, self, key) if is_new else reply
        finally:
            del self._started[ticket]
            now = self._clock.monotonic()
            self._metrics.fetched(kind, now - started)
            if has_age:
                self._ages.done(key, now)

    def came(self, key: Key, head: Head, body: bytes) -> None:
        """Take in a media playlist that has arrived as a whole."""
        self._ages.came(key, head, body, self._clock.monotonic())


class _Copied:
    """A reply whose body is kept while it passes through."""

    def __init__(self, reply: Reply, fetches: Fetches, key: Key) -> None:
        self._reply = reply
        self._fetches = fetches
        self._key = key
        self.head = reply.head
        self.length = reply.length

    async def pieces(self) -> AsyncIterator[bytes]:
        kept: list[bytes] = []
        async for piece in self._reply.pieces():
            kept.append(piece)
            yield piece
        self._fetches.came(self._key, self.head, b"".join(kept))
