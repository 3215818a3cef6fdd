"""A cache with a slow origin behind it, and a clock that the test owns."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cdn.cache.cache import Cache, Limits
from cdn.cache.entry import Outcome
from cdn.errors import OriginFailed
from cdn.http.freshness import Defaults, Lifetime, lifetime_of
from cdn.http.keys import Key
from cdn.http.message import Head
from tests.support.clocks import FakeClock

KEY = Key("/main/v0/index.m3u8", gzip=False)
MAX_AGE_1 = (b"cache-control", b"max-age=1")
ETAG = (b"etag", b'"v1"')
LIMITS = Limits(memory_bytes=10**6, patience_s=1.5, retry_s=1.0)


@dataclass
class Answer:
    """What the origin is going to say."""

    body: bytes = b"the body"
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = (MAX_AGE_1, ETAG)
    is_down: bool = False
    breaks_off: bool = False
    is_chunked: bool = False


@dataclass
class SlowOrigin:
    """Answers when it may; counts what it was asked."""

    answer: Answer = field(default_factory=Answer)
    requests: Counter[Key] = field(default_factory=Counter)
    etags: list[bytes | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.may_end = asyncio.Event()
        self.may_end.set()

    @asynccontextmanager
    async def fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator["Reply"]:
        self.requests[key] += 1
        self.etags.append(etag)
        self.asked.set()
        await self.may_answer.wait()
        if self.answer.is_down:
            raise OriginFailed("connection refused")
        yield Reply(self.answer, self.may_end)


class Reply:
    """A body in two halves, with a gate between them."""

    def __init__(self, answer: Answer, may_end: asyncio.Event) -> None:
        self.head = Head(answer.status, answer.headers)
        self.length = None if answer.is_chunked else len(answer.body)
        self._answer = answer
        self._may_end = may_end

    async def pieces(self) -> AsyncIterator[bytes]:
        middle = len(self._answer.body) // 2
        yield self._answer.body[:middle]
        await self._may_end.wait()
        if self._answer.breaks_off:
            raise OriginFailed("reset in the middle")
        yield self._answer.body[middle:]


def judge(_key: Key, head: Head) -> Lifetime:
    return lifetime_of(head, Defaults())


@dataclass
class Stage:
    origin: SlowOrigin
    clock: FakeClock
    cache: Cache

    async def body(self, key: Key = KEY) -> bytes:
        found = await self.cache.get(key)
        return b"".join([piece async for piece in found.entry.body.read()])

    async def outcome(self, key: Key = KEY) -> Outcome:
        return (await self.cache.get(key)).outcome
