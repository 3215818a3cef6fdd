"""What the edge says in its own words: small documents, refusals, and the answer to a full house.

Decides and does nothing, as ``answer`` does; the full path and the fast one write the same.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus

from cdn.front.answer import ALLOWED_METHODS, SHARED_HEADERS
from cdn.http.message import Headers

RETRY_AFTER_S = 1
"""What viewers are told when the origin is down: players that poll live do so about as often."""

LOCAL = "local"
"""The metrics' label for requests that never reach the cache, or that it has nothing for."""

CACHE_STATUS = (b"cache-status", b"tidecast; detail=local")
"""An answer of the edge's own was neither found nor fetched (RFC 9211, 2)."""

NO_COPY = "The origin does not answer, and there is no copy that could stand in."
"""The reason of a failure names addresses that are nobody's business: it is in the log."""

FULL = "This edge has as many connections as it may have."


@dataclass(frozen=True, slots=True)
class Document:
    """A small answer, whole."""

    status: int
    headers: Headers
    body: bytes = b""


def document(
    status: int,
    content: dict[str, object],
    *,
    date: bytes,
    extra: Headers = (),
    content_type: bytes = b"application/json",
) -> Document:
    """Return a JSON document that nobody keeps."""
    body = json.dumps(content).encode()
    headers = (
        (b"date", date),
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        CACHE_STATUS,
        *extra,
        *SHARED_HEADERS,
    )
    return Document(status, headers, body)


def refusal(status: int, detail: str, *, date: bytes) -> Document:
    """Return a problem document (RFC 9457)."""
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
    return document(
        status, problem, date=date, extra=extra, content_type=b"application/problem+json"
    )
