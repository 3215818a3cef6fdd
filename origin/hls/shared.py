"""What all renditions of a session have in common, and what a new segment of each begins with.

A viewer may change from one rendition to another between any two segments, so they must agree in
all of this (draft-pantos-hls-rfc8216bis, 6.2.4): the same media sequence number, date and
discontinuity mean the same moment in each of them. Only ``hls.presentation`` changes anything
here; renditions read it.
"""

from dataclasses import dataclass
from datetime import datetime

from origin.hls.rules import Rules
from origin.media.timebase import Ticks


@dataclass(slots=True)
class Shared:
    """The state of a session that its renditions share."""

    rules: Rules
    epoch: str
    """In the names of all that is served; no other session ever has it."""
    msn: int
    """The media sequence number of the segment that begins next."""
    target_duration: int | None = None
    """EXT-X-TARGETDURATION; None until the first segment is complete."""
    part_target_s: float | None = None
    """PART-TARGET; likewise."""
    independent: bool = True
    """Every segment of every rendition so far can be decoded on its own."""
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a segment begins, in every rendition."""

    msn: int
    stem: str
    start: Ticks
    timescale: int
    """Of ``start``, and of the durations of the parts: the leading track's."""
    begins_at: datetime
    is_discontinuous: bool
