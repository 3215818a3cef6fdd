"""Answers as bytes, for the fast path: rendered once, written for every viewer alike.

What varies over time in an answer from the cache is Age and the ttl of Cache-Status, both in whole
seconds. A rendering therefore says until when it is true, and is used until then. Bodies are not
copied, except that a small one is joined to its head: one buffer costs the system less than two.
(What is asked for often is copied once more, into a file that sockets share: see ``parcels``.)

The bytes are those that uvicorn would write for the same answer, which a test holds them to.
"""

import math
from dataclasses import dataclass
from http import HTTPStatus

from cdn.cache.entry import Found, Outcome
from cdn.front.answer import Asked, answer
from cdn.front.local import Document
from cdn.front.parcels import Parcel
from cdn.http.freshness import whole_seconds
from cdn.http.message import Headers

JOINED_BYTES = 16 * 1024
"""Bodies up to this size are joined to their heads."""

_CACHE_STATUS = {
    Outcome.HIT: b"tidecast; hit; ttl=%d",
    Outcome.STALE: b"tidecast; hit; ttl=%d; detail=stale-if-error",
    Outcome.MISS: b"tidecast; fwd=miss; ttl=%d",
    Outcome.MISS_JOINED: b"tidecast; fwd=miss; ttl=%d; collapsed",
    Outcome.EXPIRED: b"tidecast; fwd=stale; ttl=%d",
    Outcome.EXPIRED_JOINED: b"tidecast; fwd=stale; ttl=%d; collapsed",
}

_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer, ready to be written.

    ``parcel`` is all of it where the body is whole; else it is the head, and the body follows as
    it grows: in chunks where nobody knows its length (RFC 9112, 7.1).
    """

    found: Found
    until: float
    status: int
    parcel: Parcel
    body_bytes: int
    grows: bool
    is_chunked: bool


def cache_headers(found: Found, now: float) -> Headers:
    """Say how old an answer is, and how it was come by (RFC 9211)."""
    entry = found.entry
    ttl = whole_seconds(entry.fresh_until - now)
    return (
        (b"age", b"%d" % max(0, whole_seconds(now - entry.born_at))),
        (b"cache-status", _CACHE_STATUS[found.outcome] % ttl),
    )


def render(
    found: Found, if_none_match: bytes | None, now: float, *, closes: bool, joins: bool = True
) -> Rendered:
    """Render an answer from the cache to a plain GET; ``joins`` allows for a copy of the body."""
    entry = found.entry
    body = entry.body
    asked = Asked(if_none_match=if_none_match)
    reply = answer(entry.head, body.length, complete=body.complete, asked=asked)
    grows = reply.has_body and not body.complete
    is_chunked = grows and body.length is None and reply.status not in (204, 304)
    head = head_bytes(
        reply.status,
        (*reply.headers, *cache_headers(found, now)),
        closes=closes,
        is_chunked=is_chunked,
    )
    pieces = tuple(body.pieces) if reply.has_body and not grows else ()
    size = sum(map(len, pieces))
    buffers = (head, *pieces)
    if joins and 0 < size <= JOINED_BYTES:
        buffers = (b"".join(buffers),)
    until, parcel = _true_until(found, now), Parcel(buffers)
    return Rendered(found, until, reply.status, parcel, size, grows, is_chunked)


def _true_until(found: Found, now: float) -> float:
    entry = found.entry
    age, ttl = whole_seconds(now - entry.born_at), whole_seconds(entry.fresh_until - now)
    # The ttl is still true at the moment itself: that is when ten thousand are answered who waited.
    return min(entry.born_at + age + 1, math.nextafter(entry.fresh_until - ttl, math.inf))


def render_document(document: Document, *, closes: bool) -> bytes:
    """Render an answer in the edge's own words."""
    head = head_bytes(document.status, document.headers, closes=closes, is_chunked=False)
    return head + document.body


def head_bytes(status: int, headers: Headers, *, closes: bool, is_chunked: bool) -> bytes:
    """Return the head of an answer, to its empty line."""
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, _PHRASES.get(status, b""))]
    lines += [b"%b: %b\r\n" % field for field in headers]
    if closes:
        lines.append(b"connection: close\r\n")
    if is_chunked:
        lines.append(b"transfer-encoding: chunked\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)
