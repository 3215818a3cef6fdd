"""Blocking playlist reload (draft-pantos-hls-rfc8216bis, 6.2.5.2): what to do with a request.

A client asks for the playlist that already contains a certain segment or part. This module reads
what it asks for, and decides; who waits, and how long, is not its business::

    _HLS_msn=M             READY once all of segment M is there
    _HLS_msn=M&_HLS_part=N READY once part N of it is there; if the segment has ended with fewer,
                           part N is part 0 of the next one
    _HLS_skip=YES|v2       a delta update; it changes nothing about waiting

What is older than the playlist is READY at once, and so is everything once the stream has ended.
What no client that goes by the playlist would ask for is REFUSED: it would be held for long, and
for nothing.

"Last" is the last *complete* segment in the playlist, as that is what a Media Segment is; the
open one is one more than it, and two more is the next.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

MOST_AHEAD = 2
"""Segments beyond the last one that may be asked for."""

ADVANCE_PARTS_S = 3.0
"""How far beyond the last part one may ask, in seconds; in parts if those are a second long."""

SEGMENT_PATIENCE = 3.0
"""Target durations for which a request is held at most (6.2.5.2)."""

LONGEST_NUMBER = 20
"""Digits of a decimal-integer (RFC 8216, 4.2)."""

MSN = "_HLS_msn"
PART = "_HLS_part"
SKIP = "_HLS_skip"


class MalformedDirective(Exception):
    """The query is not what a client may send: 400."""


class Verdict(Enum):
    """What to do with a request."""

    READY = auto()
    WAIT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The delivery directives of one request (6.2.5)."""

    msn: int | None = None
    part: int | None = None
    skips: bool = False


@dataclass(frozen=True, slots=True)
class LiveEdge:
    """Where a playlist ends.

    All segments before ``msn`` are complete. Of that one there are ``parts`` parts, maybe none;
    the one before it has ``last_parts``.
    """

    msn: int
    parts: int
    last_parts: int
    part_target_s: float
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the reason for it where it is a refusal."""

    verdict: Verdict
    reason: str = ""


READY = Judgement(Verdict.READY)
WAIT = Judgement(Verdict.WAIT)


def read_directives(query: Iterable[tuple[str, str]]) -> Wanted:
    """Read the delivery directives among a query's fields; others mean nothing here.

    Raises:
        MalformedDirective: with a reason for the client.
    """
    given: dict[str, str] = {}
    for name, value in query:
        if name not in (MSN, PART, SKIP):
            continue
        if name in given:
            raise MalformedDirective(f"{name} is given twice")
        given[name] = value
    if PART in given and MSN not in given:
        raise MalformedDirective(f"{PART} says nothing without {MSN}")
    if given.get(SKIP, "YES") not in ("YES", "v2"):
        raise MalformedDirective(f"{SKIP} is YES or v2")
    return Wanted(_number(given, MSN), _number(given, PART), SKIP in given)


def _number(given: dict[str, str], name: str) -> int | None:
    text = given.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER):
        raise MalformedDirective(f"{name} is a decimal number")
    return int(text)


def judge(wanted: Wanted, edge: LiveEdge) -> Judgement:
    """Decide about a request for a playlist that ends at ``edge``."""
    if edge.has_ended or wanted.msn is None:
        return READY
    if wanted.msn > edge.msn - 1 + MOST_AHEAD:
        return _refuse(f"segment {wanted.msn} is more than {MOST_AHEAD} after the last one")
    if wanted.part is None:
        return READY if wanted.msn < edge.msn else WAIT
    return _judge_part(wanted.msn, wanted.part, edge)


def _judge_part(msn: int, part: int, edge: LiveEdge) -> Judgement:
    if msn == edge.msn - 1 and part >= edge.last_parts:
        msn, part = edge.msn, 0
    if msn < edge.msn or (msn == edge.msn and part < edge.parts):
        return READY
    last = edge.parts - 1 if msn == edge.msn else -1
    limit = advance_limit(edge.part_target_s)
    if part > last + limit:
        return _refuse(f"part {part} is more than {limit} after the last one")
    return WAIT


def _refuse(reason: str) -> Judgement:
    return Judgement(Verdict.REFUSE, reason)


def advance_limit(part_target_s: float) -> int:
    """Return the Advance Part Limit: three parts, or three seconds of shorter ones (6.2.5.2)."""
    return math.ceil(ADVANCE_PARTS_S / min(part_target_s, 1.0))


def longest_hold_s(wanted: Wanted, target_duration: int, part_target_s: float) -> float:
    """Return the time after which a held request is answered with 503.

    Three target durations, as the draft has it; but who asks for a part has less patience. hls.js
    gives a low-latency playlist max(3 x PART-TARGET, 0.8 x TARGETDURATION), and counts what takes
    longer as a time-out, so the answer has to be there before.
    """
    if wanted.part is None:
        return SEGMENT_PATIENCE * target_duration
    return 0.8 * max(3.0 * part_target_s, 0.8 * target_duration)


def longest_part_hold_s(target_duration: int) -> float:
    """Return the time after which a request for the part that comes next is answered with 503."""
    return SEGMENT_PATIENCE * target_duration
