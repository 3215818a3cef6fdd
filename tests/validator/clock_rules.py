"""F6: what a producer reference time (``prft``, ISO/IEC 14496-12, 8.16.5) says is true.

The box is optional, and a wrong one is worse than none: players measure their latency by it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tests.validator.mp4 import Fragment, ProducerTime
from tests.validator.reading import Recording, Segment
from tests.validator.violation import Finding

NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
KNOWN_FLAGS = frozenset({0, 1, 2, 4, 8, 24})
"""When in the making the time was taken."""
OFF = timedelta(seconds=5)
"""From the segment's PROGRAM-DATE-TIME: encoders' clocks run as they like, for a while."""


def producer_times(recording: Recording) -> Iterator[Finding]:
    """F6."""
    for rendition in recording.renditions:
        for domain in rendition.domains():
            last = NTP_EPOCH
            for segment in domain:
                for message in _faults(segment):
                    yield Finding(segment.name, message)
                for made in _all(segment):
                    at = wall_clock(made)
                    if at < last:
                        yield Finding(segment.name, f"made at {at}, before what came before it")
                    last = at


def _fragments(segment: Segment) -> tuple[Fragment, ...]:
    return segment.fragments.fragments if segment.fragments else ()


def _all(segment: Segment) -> list[ProducerTime]:
    return [made for fragment in _fragments(segment) for made in fragment.made]


def wall_clock(made: ProducerTime) -> datetime:
    return NTP_EPOCH + timedelta(microseconds=made.ntp * 10**6 >> 32)


def _faults(segment: Segment) -> Iterator[str]:
    if segment.fragments and segment.fragments.made_nothing:
        yield "prft with no fragment behind it"
    date = segment.listed.program_date_time
    for fragment in _fragments(segment):
        for made in fragment.made:
            fault = _fault(made, fragment)
            if fault:
                yield fault
            at = wall_clock(made)
            if date and not date - OFF <= at <= date + OFF:
                yield f"made at {at}, by its date at {date}"


def _fault(made: ProducerTime, fragment: Fragment) -> str | None:
    if made.flags not in KNOWN_FLAGS:
        return f"prft flags {made.flags:#x}"
    for traf in fragment.trafs:
        if traf.track == made.track:
            first, last = traf.samples[0], traf.samples[-1]
            end = last.dts + last.duration + max(0, max(row.composition for row in traf.samples))
            if first.dts <= made.media_time < end:
                return None
            return f"prft of media time {made.media_time} before {first.dts} to {end}"
    return f"prft of track {made.track}, which the fragment has not"
