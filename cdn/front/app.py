"""One request of one viewer, as an ASGI application.

This is the whole path from a request to its answer: method, local addresses, key, cache, answer,
counters. Everything that is decided is decided elsewhere (``keys``, ``cache``, ``answer``); what is
left here is to ask in the right order and to write.

When the origin breaks off in the middle of a body that a viewer is already reading, this
application returns without finishing its response. The server then closes the connection, and the
viewer sees a body that is shorter than announced, or chunks without their end: an error, which
it is, and which players retry.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeAlias, TypedDict, cast

from cdn.body import Body, cut
from cdn.cache import Cache
from cdn.clock import Clock
from cdn.entry import Found, Outcome
from cdn.errors import OriginFailed, RequestRefused
from cdn.freshness import whole_seconds
from cdn.front.answer import (
    ALLOWED_METHODS,
    PREFLIGHT_HEADERS,
    SHARED_HEADERS,
    Answer,
    answer,
    asked_of,
)
from cdn.health import Health
from cdn.keys import key_of, kind_of
from cdn.message import Headers
from cdn.observe import Metrics

RETRY_AFTER_S = 1
"""What viewers are told when the origin is down: players that poll live do so about as often."""

LOCAL = "local"
"""The metrics' label for requests that never reach the cache."""

_CACHE_STATUS = {
    Outcome.HIT: b"tidecast; hit; ttl=%d",
    Outcome.STALE: b"tidecast; hit; ttl=%d; detail=stale-if-error",
    Outcome.MISS: b"tidecast; fwd=miss; ttl=%d",
    Outcome.MISS_JOINED: b"tidecast; fwd=miss; ttl=%d; collapsed",
    Outcome.EXPIRED: b"tidecast; fwd=stale; ttl=%d",
    Outcome.EXPIRED_JOINED: b"tidecast; fwd=stale; ttl=%d; collapsed",
}


class HttpScope(TypedDict):
    """What is read of an ASGI HTTP scope."""

    method: str
    raw_path: bytes
    query_string: bytes
    headers: Iterable[tuple[bytes, bytes]]


Scope: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, object]]]
Send: TypeAlias = Callable[[MutableMapping[str, object]], Awaitable[None]]


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
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._health = health
        self._probe = probe
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3, HTTP only; the server is told not to offer more)."""
        http = cast(HttpScope, scope)
        try:
            await self._answer(http, send)
        except RequestRefused as refusal:
            await self._refuse(http, send, refusal.status, refusal.detail)
        except OriginFailed:
            # The reason names addresses that are nobody's business: it is in the log.
            detail = "The origin does not answer, and there is no copy that could stand in."
            await self._refuse(http, send, 503, detail)

    async def _answer(self, scope: HttpScope, send: Send) -> None:
        method, path = scope["method"], scope["raw_path"]
        if method == "OPTIONS":
            await self._local(scope, send, 204, PREFLIGHT_HEADERS)
        elif method not in ("GET", "HEAD"):
            raise RequestRefused(405, f"An edge answers {ALLOWED_METHODS.decode()}.")
        elif path == b"/healthz":
            await self._document(scope, send, 200, {"status": "ok"})
        elif path == b"/readyz":
            await self._readiness(scope, send)
        else:
            await self._from_cache(scope, send)

    async def _from_cache(self, scope: HttpScope, send: Send) -> None:
        fields = dict(scope["headers"])
        key = key_of(scope["raw_path"], scope["query_string"], fields.get(b"accept-encoding", b""))
        found = await self._cache.get(key)
        entry = found.entry
        asked = asked_of(fields, is_head=scope["method"] == "HEAD")
        reply = answer(entry.head, entry.body.length, complete=entry.body.complete, asked=asked)
        headers = (*reply.headers, *self._from_cache_headers(found))
        await self._start(send, reply.status, headers)
        sent_bytes = await _write(send, reply, entry.body)
        kind = kind_of(key.target)
        self._metrics.answered(kind, reply.status, found.outcome.value, sent_bytes)

    def _from_cache_headers(self, found: Found) -> Headers:
        now, entry = self._clock.monotonic(), found.entry
        ttl = whole_seconds(entry.fresh_until - now)
        return (
            (b"age", b"%d" % max(0, whole_seconds(now - entry.born_at))),
            (b"cache-status", _CACHE_STATUS[found.outcome] % ttl),
        )

    async def _readiness(self, scope: HttpScope, send: Send) -> None:
        obstacle = await self._health.obstacle(self._probe)
        if obstacle is not None:
            raise RequestRefused(503, obstacle)
        await self._document(scope, send, 200, {"status": "ready"})

    async def _refuse(self, scope: HttpScope, send: Send, status: int, detail: str) -> None:
        problem: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
        }
        extra: Headers = ()
        if status == 503:
            extra = ((b"retry-after", b"%d" % RETRY_AFTER_S),)
        elif status == 405:
            extra = ((b"allow", ALLOWED_METHODS),)
        await self._document(scope, send, status, problem, extra, b"application/problem+json")

    async def _document(
        self,
        scope: HttpScope,
        send: Send,
        status: int,
        document: dict[str, object],
        extra: Headers = (),
        content_type: bytes = b"application/json",
    ) -> None:
        body = json.dumps(document).encode()
        headers = (
            (b"content-type", content_type),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *extra,
        )
        await self._local(scope, send, status, headers, body)

    async def _local(
        self, scope: HttpScope, send: Send, status: int, headers: Headers, body: bytes = b""
    ) -> None:
        date = (b"date", formatdate(usegmt=True).encode())
        await self._start(send, status, (date, *headers, *SHARED_HEADERS))
        await send({"type": "http.response.body", "body": body})
        path = scope["raw_path"].decode("latin-1")
        self._metrics.answered(kind_of(path), status, LOCAL, len(body))

    async def _start(self, send: Send, status: int, headers: Headers) -> None:
        if self._health.draining:
            headers = (*headers, (b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})


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
    for piece in pieces[:-1]:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    last = pieces[-1] if pieces else b""
    await send({"type": "http.response.body", "body": last, "more_body": False})
    return sum(map(len, pieces))


async def _write_growing(send: Send, body: Body) -> int:
    sent_bytes = 0
    try:
        async for piece in body.read():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            sent_bytes += len(piece)
    except OriginFailed:
        return sent_bytes  # without an end to the response: see the top of this module
    await send({"type": "http.response.body", "body": b"", "more_body": False})
    return sent_bytes
