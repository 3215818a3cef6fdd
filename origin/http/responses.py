"""Resources as HTTP responses: caching, conditions, ranges and compression in one place.

How long something may be cached depends on what kind of thing it is, never on who asks:

==========================  ==============================================================
init, segment, part         for ever: their names are never used for other bytes
media playlist              half the target duration; our own edge half a second
the same, with low latency  a second; our own edge half a part
the same, as it was when    six target durations: whoever asks for it again wants that one
a certain part was there
multivariant, status,       a second; our own edge half a second
pages
a part or segment that      not at all; our own edge a fifth of a part: it may be there in a
may come                    moment, and must not be "not found" then
==========================  ==============================================================

``Tidecast-Cache-Control`` is a targeted field (RFC 9213, section 2) that our own edge obeys
before Cache-Control. It exists for lifetimes below a second, which Cache-Control cannot say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from fastapi import Request
from fastapi.responses import Response

from origin.hls.resource import Resource

TARGETED_FIELD = "Tidecast-Cache-Control"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long caches may keep something: others, and our own edge."""

    anywhere: str
    our_edge: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The fields that say so."""
        fields = {"Cache-Control": self.anywhere}
        if self.our_edge is not None:
            fields[TARGETED_FIELD] = self.our_edge
        return fields


IMMUTABLE = Lifetime(FOR_EVER)
MOMENTARY = Lifetime("public, max-age=1", "max-age=0.5")


def playlist_lifetime(target_duration: int) -> Lifetime:
    """Half the target duration, in whole seconds, and at least one."""
    return Lifetime(f"public, max-age={max(1, target_duration // 2)}", "max-age=0.5")


def low_latency_lifetime(part_target_s: float) -> Lifetime:
    """Half a part: what is older may have missed one."""
    return Lifetime("public, max-age=1", _max_age(part_target_s / 2))


def reload_lifetime(target_duration: int) -> Lifetime:
    """Six target durations: the playlist that has a certain part always has it."""
    return Lifetime(f"public, max-age={6 * target_duration}")


def future_lifetime(part_target_s: float) -> Lifetime:
    """What is not there may be there with the next part: no longer than one, and rather less."""
    return Lifetime(f"public, max-age={int(part_target_s / 5)}", _max_age(part_target_s / 5))


def _max_age(seconds: float) -> str:
    """Write a lifetime below a second: a decimal has three digits at most (RFC 9651, 3.3.2)."""
    return f"max-age={round(seconds, 3):g}"


def document(body: bytes, content_type: str) -> Resource:
    """A small resource that is identified by its content."""
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    return Resource((body,), len(body), content_type, etag)


def respond(request: Request, resource: Resource, lifetime: Lifetime) -> Response:
    """Answer ``request`` with ``resource``: 200, 206, 304 or 416 (RFC 9110, 13 and 14)."""
    headers = dict(lifetime.headers)
    body, etag = b"".join(resource.pieces), resource.etag
    if resource.gzip is not None:
        headers["Vary"] = "Accept-Encoding"
        if _accepts_gzip(request.headers.get("accept-encoding", "")):
            body, etag = resource.gzip, f'{etag[:-1]}-gzip"'
            headers["Content-Encoding"] = "gzip"
    headers["ETag"] = etag
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if resource.gzip is None:
        return _whole_or_range(request, body, resource.content_type, headers)
    return Response(body, media_type=resource.content_type, headers=headers)


def _whole_or_range(
    request: Request,
    body: bytes,
    content_type: str,
    headers: Mapping[str, str],
) -> Response:
    headers = {**headers, "Accept-Ranges": "bytes"}
    wanted = request.headers.get("range")
    if_range = request.headers.get("if-range", headers["ETag"])
    if wanted is None or if_range != headers["ETag"]:
        return Response(body, media_type=content_type, headers=headers)
    span = parse_range(wanted, len(body))
    if span is None:
        return Response(body, media_type=content_type, headers=headers)
    if not span:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{len(body)}"
    part = body[span.start : span.stop]
    return Response(part, status_code=206, media_type=content_type, headers=headers)


LONGEST_RANGE = 40
"""Two numbers of nineteen digits: nothing that is served here needs a third of them."""


def parse_range(text: str, size: int) -> range | None:
    """Read a Range field: the bytes asked for, an empty range if there are none such.

    ``None`` if it is to be ignored: another unit, several ranges, or not well formed
    (RFC 9110, section 14.2).
    """
    unit, _, spec = text.partition("=")
    first, dash, last = spec.strip().partition("-")
    digits = (first or last).isdecimal() and (last or first).isdecimal()
    if unit.strip().lower() != "bytes" or not dash or not digits or not spec.isascii():
        return None
    if len(spec) > LONGEST_RANGE:
        return None  # int() itself refuses thousands of digits
    if not first:
        return range(max(0, size - int(last)), size)
    start = int(first)
    stop = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return None
    return range(start, stop) if start < size else range(0)


def _matches(field: str | None, etag: str) -> bool:
    if field is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in field.split(",")}
    return "*" in tags or etag in tags


def _accepts_gzip(field: str) -> bool:
    for entry in field.lower().split(","):
        coding, _, weight = entry.partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
