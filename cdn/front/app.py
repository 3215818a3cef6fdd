"""One request of one viewer, as an ASGI application.

This is the whole path from a request to its answer: method, local addresses, key, cache, answer,
counters. Everything that is decided is decided elsewhere (``keys``, ``cache``, ``answer``); what is
left here is to ask in the right order and to write.

When the origin breaks off in the middle of a body that a viewer is already reading, this
application returns without finishing its response. The server then closes the connection, and the
viewer sees a body that is shorter than announced, or chunks without their end: an error, which
it is, and which players retry.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from email.utils import formatdate
from typing import NamedTuple, TypeAlias, TypedDict, cast

from cdn.cache.body import PIECE_BYTES, Body, cut
from cdn.cache.cache import Cache
from cdn.cache.entry import Found
from cdn.clock import Clock
from cdn.errors import OriginFailed, RequestRefused
from cdn.front.answer import (
    ALLOWED_METHODS,
    PREFLIGHT_HEADERS,
    SHARED_HEADERS,
    Answer,
    answer,
    asked_of,
)
from cdn.front.local import CACHE_STATUS, LOCAL, NO_COPY, Document, document, refusal
from cdn.front.wire import cache_headers
from cdn.health import Health
from cdn.http.freshness import PRECISE_AGE_FIELD
from cdn.http.keys import Kind, key_of, kind_of
from cdn.http.loops import CAME_THROUGH, FIELD, PSEUDONYM, is_loop
from cdn.http.message import Headers
from cdn.observe import Metrics
from cdn.observe.access_log import Access, AccessLog


class HttpScope(TypedDict):
    """What is read of an ASGI HTTP scope."""

    http_version: str
    method: str
    raw_path: bytes
    query_string: bytes
    headers: Iterable[tuple[bytes, bytes]]
    client: tuple[str, int] | None


Scope: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, object]]]
Send: TypeAlias = Callable[[MutableMapping[str, object]], Awaitable[None]]


class Counted(NamedTuple):
    """What the metrics want to know of an answer."""

    kind: Kind
    status: int
    cache: str
    sent_bytes: int


class App:
    """Answers viewers from the cache."""

    def __init__(
        self,
        *,
        cache: Cache,
        clock: Clock,
        health: Health,
        probe: Callable[[], Awaitable[None]],
        metrics: Metrics,
        name: str = PSEUDONYM,
        access_log: AccessLog | None = None,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._health = health
        self._probe = probe
        self._metrics = metrics
        self._name = name
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, HTTP only; the server is told not to offer more)."""
        with contextlib.suppress(asyncio.CancelledError):  # time to drain is over: nothing is wrong
            await self._serve(cast(HttpScope, scope), send)

    async def _serve(self, http: HttpScope, send: Send) -> None:
        asked_at = self._clock.monotonic()
        try:
            counted = await self._answer(http, send)
        except RequestRefused as refused:
            counted = await self._local(http, send, self._refusal(refused.status, refused.detail))
        except OriginFailed:
            counted = await self._local(http, send, self._refusal(503, NO_COPY))
        self._metrics.answered(*counted)
        if self._access_log is not None and self._access_log.wants():
            self._access_log.write(self._access(http, counted, asked_at))

    async def _answer(self, scope: HttpScope, send: Send) -> Counted:
        method, path = scope["method"], scope["raw_path"]
        if method == "OPTIONS":
            headers = ((b"date", _date()), CACHE_STATUS, *PREFLIGHT_HEADERS, *SHARED_HEADERS)
            return await self._local(scope, send, Document(204, headers))
        if method not in ("GET", "HEAD"):
            raise RequestRefused(405, f"An edge answers {ALLOWED_METHODS.decode()}.")
        if path == b"/healthz":
            return await self._local(scope, send, document(200, {"status": "ok"}, date=_date()))
        if path == b"/readyz":
            return await self._readiness(scope, send)
        return await self._from_cache(scope, send)

    async def _from_cache(self, scope: HttpScope, send: Send) -> Counted:
        fields = _combined(scope["headers"])
        came_through = fields.get(FIELD, b"")
        if is_loop(came_through, self._name):
            raise RequestRefused(508, "CDN-Loop names this edge, or too many.")
        CAME_THROUGH.set(came_through)
        key = key_of(scope["raw_path"], scope["query_string"], fields.get(b"accept-encoding", b""))
        found = await self._cache.get(key)
        entry = found.entry
        if entry.body.length is None and scope["http_version"] != "1.1":
            await _whole(entry.body)
        asked = asked_of(fields, is_head=scope["method"] == "HEAD")
        reply = answer(entry.head, entry.body.length, complete=entry.body.complete, asked=asked)
        headers = (*reply.headers, *cache_headers(found, self._clock.monotonic()))
        if came_through:  # another edge, to which half a second makes a difference
            headers = (*headers, self._precise_age(found))
        await self._start(send, reply.status, headers)
        sent_bytes = await _write(send, reply, entry.body)
        return Counted(kind_of(key.target), reply.status, found.outcome.value, sent_bytes)

    def _precise_age(self, found: Found) -> tuple[bytes, bytes]:
        age_s = max(0.0, self._clock.monotonic() - found.entry.born_at)
        return PRECISE_AGE_FIELD, b"%.3f" % age_s

    async def _readiness(self, scope: HttpScope, send: Send) -> Counted:
        obstacle = await self._health.obstacle(self._probe)
        if obstacle is not None:
            raise RequestRefused(503, obstacle)
        return await self._local(scope, send, document(200, {"status": "ready"}, date=_date()))

    def _refusal(self, status: int, detail: str) -> Document:
        return refusal(status, detail, date=_date())

    async def _local(self, scope: HttpScope, send: Send, said: Document) -> Counted:
        await self._start(send, said.status, said.headers)
        await send({"type": "http.response.body", "body": said.body})
        path = scope["raw_path"].decode("latin-1")
        return Counted(kind_of(path), said.status, LOCAL, len(said.body))

    def _access(self, scope: HttpScope, counted: Counted, asked_at: float) -> Access:
        client, query = scope["client"], scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        return Access(
            address=client[0] if client else "",
            method=scope["method"],
            target=target.decode("latin-1"),
            status=counted.status,
            sent_bytes=counted.sent_bytes,
            cache=counted.cache,
            seconds=self._clock.monotonic() - asked_at,
        )

    async def _start(self, send: Send, status: int, headers: Headers) -> None:
        if self._health.draining:
            headers = (*headers, (b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})


def _combined(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return fields by name; several lines of one are one list (RFC 9110, 5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + b", " + value if name in fields else value
    return fields


def _date() -> bytes:
    return formatdate(usegmt=True).encode()


async def _whole(body: Body) -> None:
    """Wait for the end: who speaks HTTP/1.0 is sent no chunks, but a length (RFC 9112, 6.1)."""
    async for _ in body.read():
        pass


async def _write(send: Send, reply: Answer, body: Body) -> int:
    """Write what the answer says of the body; return how many bytes that were."""
    if not reply.has_body:
        return await _write_pieces(send, ())
    if reply.span is not None:
        return await _write_pieces(send, cut(body.pieces, *reply.span))
    if body.complete:
        return await _write_pieces(send, body.pieces)
    return await _write_growing(send, body)


async def _write_pieces(send: Send, pieces: Sequence[bytes | memoryview]) -> int:
    small = [each for piece in pieces for each in in_small_pieces(piece)]
    for piece in small[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    last = small[-1] if small else b""
    await send({"type": "http.response.body", "body": last, "more_body": False})
    return sum(map(len, pieces))


async def _write_growing(send: Send, body: Body) -> int:
    sent_bytes = 0
    try:
        async for whole in body.read():
            for piece in in_small_pieces(whole):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent_bytes += len(piece)
    except OriginFailed:
        return sent_bytes  # without an end to the response: see the top of this module
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return sent_bytes


def in_small_pieces(piece: bytes | memoryview) -> Iterable[bytes | memoryview]:
    """Cut what is large: under TLS each write is encrypted whole, into the connection's memory."""
    if len(piece) <= PIECE_BYTES:
        return (piece,)
    view = memoryview(piece)
    return (view[at : at + PIECE_BYTES] for at in range(0, len(view), PIECE_BYTES))
