"""From a cached answer to the answer for one viewer: conditions, ranges and the edge's own headers.

Decides and does nothing: an ``Answer`` says which status, which headers and which bytes; whoever
holds the connection writes them.

- Conditions (RFC 9110, 13): If-None-Match, compared weakly. Dates are not compared; the origin
  gives everything a strong ETag.
- Ranges (RFC 9110, 14): one range of a whole body. Several at once are answered with everything,
  which the RFC allows and which keeps an old way to exhaust servers shut; so is a range of a
  body that is still on its way, whose length may not be known yet.
- Cross-origin access: anybody may read, nobody may send credentials, so that one answer fits all.
- Cache-Status (RFC 9211) says how the answer was come by.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cdn.http.message import Head, Headers

ALLOWED_METHODS = b"GET, HEAD, OPTIONS"

SHARED_HEADERS: Headers = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Age, Cache-Status, Content-Length, Content-Range, Date, ETag",
    ),
    (b"timing-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
)
"""What the edge says with every answer; the origin's own fields of these names give way."""

PREFLIGHT_HEADERS: Headers = (
    (b"access-control-allow-methods", ALLOWED_METHODS),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-max-age", b"86400"),
    (b"allow", ALLOWED_METHODS),
)

_SHARED_NAMES = frozenset(name for name, _ in SHARED_HEADERS)
_REPLACED = _SHARED_NAMES | {b"age", b"tidecast-age", b"accept-ranges"}
_RANGE = re.compile(rb"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.IGNORECASE)

# RFC 9110, 15.4.5: what a 304 repeats, so that the viewer's own cache can renew its copy.
_IN_NOT_MODIFIED = frozenset(
    [b"cache-control", b"content-location", b"date", b"etag", b"expires", b"vary"]
)


class Span(NamedTuple):
    """First and last byte, both included."""

    first: int
    last: int


OUTSIDE = Span(0, -1)
"""The span of a range that holds no byte of the body: 416 (RFC 9110, 15.5.17)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for beside its address."""

    is_head: bool = False
    if_none_match: bytes | None = None
    if_range: bytes | None = None
    range: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and which bytes; a body without a span goes out whole."""

    status: int
    headers: Headers
    has_body: bool = False
    span: Span | None = None


def answer(head: Head, length: int | None, *, complete: bool, asked: Asked) -> Answer:
    """Decide what one viewer gets of a cached answer."""
    headers = tuple(field for field in head.headers if field[0] not in _REPLACED)
    headers += SHARED_HEADERS
    if head.status != 200:
        return _whole(head.status, headers, length, asked)
    if asked.if_none_match is not None and matches(asked.if_none_match, head.get(b"etag")):
        kept = tuple(f for f in headers if f[0] in _IN_NOT_MODIFIED or f[0] in _SHARED_NAMES)
        return Answer(304, kept)
    if complete and length is not None and _wants_range(asked, head):
        span = parse_range(asked.range or b"", length)
        if span == OUTSIDE:
            unsatisfied = (*SHARED_HEADERS, (b"content-range", b"bytes */%d" % length))
            return Answer(416, (*unsatisfied, (b"content-length", b"0")))
        if span is not None:
            return _partial(headers, span, length)
    return _whole(200, (*headers, (b"accept-ranges", b"bytes")), length, asked)


def _whole(status: int, headers: Headers, length: int | None, asked: Asked) -> Answer:
    if length is not None and status not in (204, 304):
        headers = (*headers, (b"content-length", b"%d" % length))
    return Answer(status, headers, has_body=not asked.is_head)


def _partial(headers: Headers, span: Span, length: int) -> Answer:
    size = span.last - span.first + 1
    own = (
        (b"accept-ranges", b"bytes"),
        (b"content-range", b"bytes %d-%d/%d" % (span.first, span.last, length)),
        (b"content-length", b"%d" % size),
    )
    return Answer(206, headers + own, has_body=True, span=span)


def _wants_range(asked: Asked, head: Head) -> bool:
    # Range is defined for GET alone (RFC 9110, 14.2); If-Range compares strongly (13.1.5).
    if asked.range is None or asked.is_head:
        return False
    etag = head.get(b"etag")
    return asked.if_range is None or (
        etag is not None and not etag.startswith(b"W/") and asked.if_range.strip() == etag
    )


def parse_range(value: bytes, length: int) -> Span | None:
    """Read a Range field; None for one that is ignored (broken, other units, several ranges)."""
    found = _RANGE.fullmatch(value.strip())
    if found is None or found[1] == found[2] == b"":
        return None
    if found[1] == b"":
        suffix = int(found[2])
        return Span(max(0, length - suffix), length - 1) if suffix and length else OUTSIDE
    first = int(found[1])
    last = int(found[2]) if found[2] else length - 1
    if found[2] and last < first:
        return None
    return Span(first, min(last, length - 1)) if first < length else OUTSIDE


def matches(if_none_match: bytes, etag: bytes | None) -> bool:
    """Compare weakly (RFC 9110, 8.8.3.2): W/ makes no difference."""
    if if_none_match.strip() == b"*":
        return True
    if etag is None:
        return False
    listed = (tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b","))
    return etag.removeprefix(b"W/") in listed


def asked_of(headers: Mapping[bytes, bytes], *, is_head: bool) -> Asked:
    """Read what matters here from a request's fields."""
    return Asked(
        is_head=is_head,
        if_none_match=headers.get(b"if-none-match"),
        if_range=headers.get(b"if-range"),
        range=headers.get(b"range"),
    )
