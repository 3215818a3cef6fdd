"""The date of each segment (EXT-X-PROGRAM-DATE-TIME; RFC 8216, 4.3.2.6).

A domain's first segment is dated by the clock, when its first part is there. From then on media
tells the time, because players lay segments end to end by their dates: between discontinuities
each is as long after the one before as that one lasts, to the millisecond in which dates are
written. But no encoder's clock runs like ours, and an hour of segments counted in its seconds
ends an hour of *its* time later. So:

* **Honest clocks** are up to 100 parts per million off. Dates are written in whole milliseconds,
  and each is put on whichever side brings it nearer to the clock: by a millisecond per segment at
  most, which is 500 parts per million with segments of two seconds. Nobody can tell.
* **Broken clocks** are off by far more: an encoder that gives each frame of 30 in a second 33 ms
  is 1 % slow. When the dates of such a one have been ``FAR_S`` off for ``STEADY_S``, the next
  segment is dated anew, and carries EXT-X-DISCONTINUITY: before they are half a second off.
* **What is late is not the clock.** Media that comes in late has its date all the same, so being
  late by ``DELAY_S`` or more, or now more and now less, moves no date. Nor does what an encoder
  sends in a burst when it begins: where the segments of the first ``SETTLING_S`` come, those that
  were on their way shortest, is where they belong.

Dates never go back: each segment's is after that of the one before.

All of it is decided from the ``Dating`` that the segment before has left, and the time at which
this one's first part was complete; nothing else is remembered.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from origin.media.timebase import Ticks

STEP = timedelta(milliseconds=1)
"""How far a date may be from where the one before and EXTINF put it."""

NEAR_S = 0.05
"""Publishers are read some times a second; that much is no sign of anything."""

FAR_S = 0.25
DELAY_S = 1.0
STEADY_S = 10.0
"""What is less off than ``FAR_S`` is left to small steps, what is more than ``DELAY_S`` is late.
Between them a clock is what goes on alike for so long, which at 1 % is a tenth of a second more."""

ALIKE_S = 0.15
FASTEST_DRIFT = 0.02
"""What goes on alike: within so many seconds, and as much more as a clock goes wrong meanwhile."""

SETTLING_S = 10.0


@dataclass(frozen=True, slots=True)
class Dating:
    """What the dates of a domain go by, where a segment begins."""

    at: datetime
    """Its date, in whole milliseconds."""
    media: Ticks
    """Where it begins in the media."""
    since: Ticks
    """Where the domain does."""
    usual_s: float = 0.0
    """How late segments are when they come soonest, by their dates; negative where they are
    early."""
    far_since: Ticks | None = None
    """Where dates began to be far off the clock; None while they are not."""
    far_s: float = 0.0
    """By how much they were then."""


def first_date(start: Ticks, seen: datetime, not_before: datetime | None) -> Dating:
    """Date the first segment of a domain, by the clock, but not before the last one's end.

    ``seen`` is when it began, if its first part has come without delay.
    """
    at = _up(seen if not_before is None else max(seen, not_before))
    return Dating(at, media=start, since=start)


def next_date(last: Dating, start: Ticks, timescale: int, seen: datetime) -> tuple[Dating, bool]:
    """Date a segment that follows another; return whether that is a break of its domain."""
    exact = last.at + timedelta(seconds=(start - last.media) / timescale)
    late_s = (seen - exact).total_seconds()
    if (start - last.since) / timescale <= SETTLING_S:
        usual_s = min(last.usual_s, late_s)
        return replace(last, at=_nearest(exact), media=start, usual_s=usual_s), False
    off_s = late_s - last.usual_s
    at = _toward(exact, off_s)
    if not FAR_S <= abs(off_s) < DELAY_S:
        return replace(last, at=at, media=start, far_since=None), False
    far_since, far_s = last.far_since, last.far_s
    far_for_s = 0.0 if far_since is None else (start - far_since) / timescale
    if far_since is None or abs(off_s - far_s) > ALIKE_S + FASTEST_DRIFT * far_for_s:
        far_since, far_s, far_for_s = start, off_s, 0.0
    if far_for_s < STEADY_S:
        return replace(last, at=at, media=start, far_since=far_since, far_s=far_s), False
    at = max(_nearest(exact + timedelta(seconds=off_s)), last.at + STEP)
    return replace(last, at=at, media=start, far_since=None), True


def _toward(exact: datetime, off_s: float) -> datetime:
    """Return whole milliseconds, on the side of ``exact`` that is nearer to the clock."""
    if not NEAR_S <= abs(off_s) < DELAY_S:
        return _nearest(exact)
    return _down(exact + STEP) if off_s > 0 else _up(exact - STEP)


def _nearest(date: datetime) -> datetime:
    return _down(date + STEP / 2)


def _down(date: datetime) -> datetime:
    return date.replace(microsecond=date.microsecond // 1000 * 1000)


def _up(date: datetime) -> datetime:
    return _down(date + STEP - timedelta(microseconds=1))
