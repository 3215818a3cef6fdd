"""What a viewer who keeps everything has seen of one session: plain values, and their file form.

A session is a list of exchanges, in the order in which they were answered. Nothing is
interpreted here: the rules read the exchanges (see ``reading``), so a session that was saved
years ago can be judged by rules that are younger than it, and a broken session in a test is a
good one with an exchange changed.

On disk a session is a directory: ``session.json`` and one file per distinct body, named by its
SHA-256. Equal bodies, of which there are many (a segment is fetched several times, on purpose),
are stored once.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any


class Purpose(Enum):
    """What kind of resource was asked for."""

    MULTIVARIANT = "multivariant"
    MEDIA_PLAYLIST = "media playlist"
    INIT = "init"
    SEGMENT = "segment"
    PART = "part"
    NOTHING = "nothing"
    """A name that cannot exist."""


class Probe(Enum):
    """Why it was asked for, and with which special request headers."""

    PLAIN = "plain"
    """As any player would: the first fetch of media, every poll of a playlist."""
    AGAIN = "again"
    """Media once more while it is listed: have its bytes stayed?"""
    AFTER_REMOVAL = "after removal"
    """Media that has left the playlist, before it may be gone."""
    AFTER_END = "after the end"
    """Media that an ended playlist lists."""
    HEAD = "head"
    SAME_TAG = "same tag"
    """If-None-Match with the ETag of the last answer."""
    OTHER_TAG = "other tag"
    """If-None-Match with an ETag that nothing has."""
    GZIP = "gzip"
    RANGE = "range"
    RANGE_SUFFIX = "range suffix"
    RANGE_BEYOND = "range beyond"
    OPTIONS = "options"
    BLOCKING = "blocking reload"
    """The playlist, once it has a certain part."""
    WHOLE = "whole segment"
    """The playlist, once it has a certain segment."""
    DELTA = "delta update"
    """As BLOCKING, without what the viewer has."""
    DELTA_NOW = "delta update at once"
    HINT = "hint"
    """Media that is to come, before it is listed."""
    LONG_AGO = "long ago"
    """A blocking reload for what every version has."""
    REORDERED = "reordered"
    """A blocking reload with its directives turned round, and with a parameter of no meaning."""
    PAST_LAST_PART = "past the last part"
    """Of a complete segment: the first of the next is meant."""
    REFUSED = "to be refused"
    """A blocking reload that makes no sense."""


READERS = frozenset(
    {
        Probe.PLAIN,
        Probe.BLOCKING,
        Probe.WHOLE,
        Probe.DELTA,
        Probe.DELTA_NOW,
        Probe.LONG_AGO,
        Probe.REORDERED,
        Probe.PAST_LAST_PART,
        Probe.AFTER_END,
    }
)
"""Who asks for a playlist as it is; all of them see versions of the same one."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was, or is to be, made."""

    purpose: Purpose
    probe: Probe
    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer.

    ``body`` is as it came over the wire: compressed where Content-Encoding says so. Without an
    answer (connection refused, broken or timed out) ``status`` is 0 and ``error`` says why.
    """

    request: Request
    sent_s: float
    """Monotonic seconds; only differences mean anything."""
    received_s: float
    """When the last byte of the answer was there."""
    wall: datetime
    """The wall clock at ``received_s``; aware."""
    status: int
    headers: Mapping[str, str]
    """Names in lower case; fields that came more than once joined by commas."""
    body: bytes
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which no media was sent, so that the playlist was right to stand still."""

    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Session:
    """All that was seen, and what the one who ran the publisher knows besides."""

    url: str
    """The multivariant playlist."""
    exchanges: tuple[Exchange, ...]
    silences: tuple[Silence, ...] = ()
    must_end: bool = False
    """The publisher said goodbye, so the playlist has to end."""


def save(session: Session, directory: Path) -> None:
    """Write the session to ``directory``, which is made."""
    directory.mkdir(parents=True, exist_ok=True)
    for body in {exchange.body for exchange in session.exchanges}:
        (directory / _body_name(body)).write_bytes(body)
    index = {
        "url": session.url,
        "must_end": session.must_end,
        "silences": [[silence.from_s, silence.to_s] for silence in session.silences],
        "exchanges": [_to_json(exchange) for exchange in session.exchanges],
    }
    (directory / "session.json").write_text(json.dumps(index, indent=1))


def load(directory: Path) -> Session:
    """Read back what ``save`` wrote."""
    index = json.loads((directory / "session.json").read_text())
    return Session(
        url=index["url"],
        exchanges=tuple(_from_json(row, directory) for row in index["exchanges"]),
        silences=tuple(Silence(from_s, to_s) for from_s, to_s in index["silences"]),
        must_end=index["must_end"],
    )


def _body_name(body: bytes) -> str:
    return f"{hashlib.sha256(body).hexdigest()}.body"


def _to_json(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    return {
        "purpose": request.purpose.value,
        "probe": request.probe.value,
        "method": request.method,
        "url": request.url,
        "request_headers": dict(request.headers),
        "sent_s": exchange.sent_s,
        "received_s": exchange.received_s,
        "wall": exchange.wall.isoformat(),
        "status": exchange.status,
        "headers": dict(exchange.headers),
        "body": _body_name(exchange.body),
        "error": exchange.error,
    }


def _from_json(row: Mapping[str, Any], directory: Path) -> Exchange:
    request = Request(
        purpose=Purpose(row["purpose"]),
        probe=Probe(row["probe"]),
        url=row["url"],
        method=row["method"],
        headers=row["request_headers"],
    )
    return Exchange(
        request=request,
        sent_s=row["sent_s"],
        received_s=row["received_s"],
        wall=datetime.fromisoformat(row["wall"]),
        status=row["status"],
        headers=row["headers"],
        body=(directory / row["body"]).read_bytes(),
        error=row["error"],
    )
