"""How long an answer may be used: HTTP caching (RFC 9111) as far as an edge of live video needs it.

An origin speaks in ``Cache-Control``. Whole seconds are too coarse for a playlist that changes
twice a second, so a targeted field (RFC 9213), ``Tidecast-Cache-Control``, may say
``max-age=0.5``; where it is present and well formed it is the only one that counts.

Three decisions that the RFC leaves open, and why they fell as they did:

- No heuristics. An answer that names no lifetime is asked for anew each time (with its ETag).
- The clock of an answer starts when its head arrives, and a long wait for it is not held
  against it (RFC 9111, 4.2.3 would add the response delay to the age). A blocked playlist takes
  half a second to be answered *because* it is rendered at the moment when it is answered.
- ``stale-if-error`` (RFC 5861) has a default, because an origin that is restarted would otherwise
  end the playback of everyone: players give a playlist two retries.

Between two edges whole seconds of ``Age`` would not do either: a playlist that lives for half a
second could be that old at the first edge, arrive at the second as new, and live as long again.
An edge therefore tells another one its age in milliseconds, as ``Tidecast-Age``. And it may hand on
what only stands in for an origin that failed; its ``Cache-Status`` says so (a hit whose ttl is
negative; RFC 9211, 2.4), and then the answer is kept for a moment, however long it was good for.

No socket and no clock: ages are numbers that the caller turns into times.
"""

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cdn.http.message import Head

TARGETED_FIELD = b"tidecast-cache-control"

PRECISE_AGE_FIELD = b"tidecast-age"

STOOD_IN_FRESH_S = 0.25
"""How long a stale answer of another edge is used before that one is asked again: often enough to
see the end of an outage at once, seldom enough not to ask back to back."""

LONGEST_S = float(2**31)
"""Delta-seconds beyond this are as good as forever (RFC 9111, 1.2.2)."""

_DIRECTIVE = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)            # a token ...
        (?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?    # ... with a quoted or plain value
        \s*(?:,|$)""",
    re.VERBOSE,
)
_FRACTION = re.compile(r"\d{1,12}(?:\.\d{1,3})?")
_WHOLE = re.compile(r"\d+")
_STALE_HIT = re.compile(r";\s*hit\s*;(?:.*;)?\s*ttl=-\d")

# Statuses whose answers may be kept if they say for how long (RFC 9110, 15.1, without 206, which
# the edge never asks for, and without server errors, which are failures here).
_KEPT = frozenset({200, 203, 204, 300, 301, 302, 307, 308})


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What may be done with an answer, in seconds from the arrival of its head.

    ``stale_if_error_s`` is counted from the end of ``fresh_s``. An answer that is not storable
    has no lifetime at all.
    """

    storable: bool
    fresh_s: float = 0.0
    stale_if_error_s: float = 0.0
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where the origin says nothing."""

    stale_if_error_s: float = 60.0
    negative_s: float = 1.0
    """How long a client error (404 and its like) is kept at most, whatever its headers say."""


NOTHING = Lifetime(storable=False)


def lifetime_of(head: Head, defaults: Defaults) -> Lifetime:
    """Judge an answer by its headers."""
    age_s = _age(head)
    targeted = parse_targeted(head.text(TARGETED_FIELD))
    directives = parse_cache_control(head.text(b"cache-control")) if targeted is None else targeted
    if "no-store" in directives or "private" in directives or _varies_by_anything(head):
        return NOTHING
    if targeted is not None:
        explicit_s = _fraction(targeted.get("max-age"))
    else:
        explicit_s = _shared_max_age(directives)
        if explicit_s is None:
            explicit_s = _expires(head)
    if 400 <= head.status < 500:
        return _negative(explicit_s, age_s, defaults)
    if head.status not in _KEPT:
        return NOTHING
    if "no-cache" in directives:
        return Lifetime(storable=True, age_s=age_s)
    left_s = (explicit_s or 0.0) - age_s
    fresh_s = STOOD_IN_FRESH_S if stood_in(head) else max(0.0, left_s)
    # What comes stale has used up some of its time already: tiers do not add up their patience.
    stale_s = _stale_if_error(directives, defaults) + min(0.0, left_s)
    return Lifetime(True, fresh_s, max(0.0, stale_s), age_s)


def _varies_by_anything(head: Head) -> bool:
    # RFC 9110, 12.5.5: a list with "*" among its members means what "*" alone does.
    return any(member.strip() == b"*" for member in (head.get(b"vary") or b"").split(b","))


def stood_in(head: Head) -> bool:
    """Say whether the cache before this one served the answer past its lifetime."""
    last = (head.text(b"cache-status") or "").rpartition(",")[2]
    return _STALE_HIT.search(last) is not None


def _age(head: Head) -> float:
    precise_s = _fraction(head.text(PRECISE_AGE_FIELD))
    return precise_s if precise_s is not None else _seconds(head.text(b"age")) or 0.0


def _negative(explicit_s: float | None, age_s: float, defaults: Defaults) -> Lifetime:
    # A 404 of a live stream is often a matter of milliseconds (the segment comes next); kept for
    # ten seconds, as other edges do by default, it freezes players.
    wanted_s = defaults.negative_s if explicit_s is None else explicit_s
    return Lifetime(True, max(0.0, min(wanted_s, defaults.negative_s) - age_s), 0.0, age_s)


def _shared_max_age(directives: dict[str, str]) -> float | None:
    # s-maxage is meant for caches like this one and wins over max-age (RFC 9111, 5.2.2.10). A
    # value that is no number makes the answer stale (4.2.1).
    for name in ("s-maxage", "max-age"):
        if name in directives:
            return _seconds(directives[name]) or 0.0
    return None


def _expires(head: Head) -> float | None:
    # RFC 9111, 5.3: relative to Date; an invalid date, "0" above all, means already expired.
    expires, date = head.text(b"expires"), head.text(b"date")
    if expires is None:
        return None
    try:
        lifetime = parsedate_to_datetime(expires) - parsedate_to_datetime(date or "")
    except (ValueError, OverflowError, TypeError):  # TypeError: one of them names no zone
        return 0.0
    return max(0.0, lifetime.total_seconds())


def _stale_if_error(directives: dict[str, str], defaults: Defaults) -> float:
    if "must-revalidate" in directives or "proxy-revalidate" in directives:
        return 0.0
    if "stale-if-error" in directives:
        return _seconds(directives["stale-if-error"]) or 0.0
    # s-maxage alone forbids stale answers, too (RFC 9111, 5.2.2.10), but only to those who were
    # not told otherwise: the origin's own stale-if-error, above, is such a word.
    return 0.0 if "s-maxage" in directives else defaults.stale_if_error_s


def parse_cache_control(value: str | None) -> dict[str, str]:
    """Return the directives, names in lower case; of a repeated one the first counts."""
    directives: dict[str, str] = {}
    for name, argument in _DIRECTIVE.findall(value or ""):
        directives.setdefault(name.lower(), argument.strip('"'))
    return directives


def parse_targeted(value: str | None) -> dict[str, str] | None:
    """Read a targeted field; None where it is absent, empty or broken, and so does not count.

    RFC 9213, 2.2: a dictionary of structured fields (RFC 9651). A broken one "MUST be ignored",
    and ``Cache-Control`` counts again.
    """
    if value is None or not value.strip():
        return None
    at = 0
    while at < len(value):
        member = _DIRECTIVE.match(value, at)
        if member is None:
            return None
        at = member.end()
    directives = parse_cache_control(value)
    if "max-age" in directives and _fraction(directives["max-age"]) is None:
        return None
    return directives


def _seconds(value: str | None) -> float | None:
    if value is None or not _WHOLE.fullmatch(value.strip()):
        return None
    return min(float(value), LONGEST_S)


def _fraction(value: str | None) -> float | None:
    # A structured Integer or Decimal: at most three digits after the point (RFC 9651, 3.3.2).
    if value is None or not _FRACTION.fullmatch(value):
        return None
    return min(float(value), LONGEST_S)


def whole_seconds(seconds: float) -> int:
    """Round down, as Age and ttl are counted."""
    return math.floor(seconds)
