"""What a low-latency playlist says beyond a classic one (draft-pantos-hls-rfc8216bis).

::

    EXT-X-SERVER-CONTROL   4.4.3.8   a reload may be held; how far from the end to play
    EXT-X-PART-INF         4.4.3.7   how long parts are at most
    EXT-X-SKIP             4.4.5.2   instead of old segments, in a delta update
    EXT-X-PART             4.4.4.9   the newest segments in pieces, and the open one
    EXT-X-PRELOAD-HINT     4.4.5.3   the part that will come next: ask for it now
    EXT-X-RENDITION-REPORT 4.4.5.4   where the other renditions have got to

Every number in the first two follows from the two targets, which never change while a session
lives; so a player that has read them once may rely on them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from origin.hls.names import part_name
from origin.hls.segment import OpenSegment, Part, Segment

VERSION = 9
"""EXT-X-SKIP needs it (section 8); the same in all reloads, whether they skip or not."""

PART_HOLD_BACK = 3
"""Times PART-TARGET: twice is the least that is allowed, three times what is advised (4.4.3.8)."""

HOLD_BACK = 3
"""Times TARGETDURATION, for players without low latency: the least that is allowed."""

CAN_SKIP_UNTIL = 6
"""Times TARGETDURATION: the least that is allowed."""

SEGMENTS_IN_PARTS = 2
"""Complete segments whose parts are listed. Parts are to go once they are more than three target
durations from the end (4.4.4.9): two segments and the open one never are."""


@dataclass(frozen=True, slots=True)
class Report:
    """Where another rendition of the same stream has got to."""

    uri: str
    """Its playlist, relative to the one that reports."""
    last_msn: int
    last_part: int


@dataclass(frozen=True, slots=True)
class LowLatency:
    """All that a media playlist says of low latency."""

    part_target_s: float
    growing: OpenSegment | None
    """The segment that is not complete yet."""
    hint: str | None
    """The name of the part that comes next; None once nothing comes any more."""
    reports: tuple[Report, ...] = ()
    skips: bool = False
    """Leave out what the client knows already."""


def control_lines(target_duration: int, part_target_s: float) -> Iterator[str]:
    """Write what never changes: both holds, both targets."""
    yield (
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES"
        f",CAN-SKIP-UNTIL={CAN_SKIP_UNTIL * target_duration}"
        f",HOLD-BACK={HOLD_BACK * target_duration}"
        f",PART-HOLD-BACK={PART_HOLD_BACK * part_target_s:.3f}"
    )
    yield f"#EXT-X-PART-INF:PART-TARGET={part_target_s:.3f}"


def skippable(
    segments: Sequence[Segment], growing: OpenSegment | None, target_duration: int
) -> int:
    """Count the oldest segments that a delta update leaves out.

    They end at or beyond the Skip Boundary, counted from the end of the playlist: a client that
    may ask for a delta update has seen all of these (6.2.5.1, 6.3.7).
    """
    behind_s = growing.duration_s if growing is not None else 0.0
    boundary_s = CAN_SKIP_UNTIL * target_duration
    for index in range(len(segments) - 1, -1, -1):
        if behind_s >= boundary_s:
            return index + 1
        behind_s += segments[index].duration_s
    return 0


def part_lines(parts: Sequence[Part], timescale: int) -> Iterator[str]:
    """Write the parts of one segment."""
    for part in parts:
        marks = ",INDEPENDENT=YES" if part.independent else ""
        marks += ",GAP=YES" if part.is_gap else ""
        duration_s = part.duration / timescale
        yield f'#EXT-X-PART:DURATION={duration_s:.6f},URI="{part.name}"{marks}'


def tail_lines(low_latency: LowLatency) -> Iterator[str]:
    """Write what follows after all media: the hint and the reports."""
    if low_latency.hint is not None:
        yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{low_latency.hint}"'
    for report in low_latency.reports:
        yield (
            f'#EXT-X-RENDITION-REPORT:URI="{report.uri}"'
            f",LAST-MSN={report.last_msn},LAST-PART={report.last_part}"
        )


def next_part(growing: OpenSegment | None, next_stem: str) -> str:
    """Name the part that comes next: in the open segment, or the first one of the next."""
    if growing is None:
        return part_name(next_stem, 0)
    return part_name(growing.stem, len(growing.parts))
