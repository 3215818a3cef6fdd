"""Media playlists (RFC 8216, 4.3.2 and 4.3.3).

A snapshot of the window goes in, the text comes out; the same snapshot always gives the same
text. The two containers share one window, so their playlists have the same sequence numbers,
dates and discontinuities. They differ in names, EXT-X-MAP and EXT-X-VERSION, and low latency
(``hls.low_latency``) is for fragmented MP4 alone: a player that wants TS is too old for it.

A delta update (draft-pantos-hls-rfc8216bis, 6.2.5.1) is the same playlist with one EXT-X-SKIP
in place of its oldest segments; every other line is as it would have been. An EXT-X-MAP that
stands among what is left out still holds for what follows: the client has it.

URIs are relative to the playlist and have no path: whatever stands in front of the origin may
serve it under any prefix.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from origin.hls import low_latency as ll
from origin.hls.low_latency import LowLatency
from origin.hls.segment import OpenSegment, Segment


class Container(Enum):
    """What the listed segments are; the value is EXT-X-VERSION (RFC 8216, 7).

    3 is needed for EXTINF with decimals, 6 for EXT-X-MAP without I-frames; 7 is what
    fragmented MP4 is announced with everywhere.
    """

    FMP4 = 7
    TS = 3


GAP_VERSION = 8
"""For EXT-X-GAP. A player that is too old for it passes it over, and finds nothing there."""

EXTENSIONS = {Container.FMP4: "m4s", Container.TS: "ts"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a media playlist says."""

    container: Container
    target_duration: int
    discontinuity_sequence: int
    segments: tuple[Segment, ...]
    """At least one."""
    gaps: frozenset[int]
    """The numbers of those that cannot be fetched."""
    independent_segments: bool
    ended: bool
    low_latency: LowLatency | None = None
    """None for a classic playlist."""


def media_playlist(snapshot: Snapshot) -> str:
    """Write the playlist of a window."""
    return "\n".join(_lines(snapshot)) + "\n"


def _lines(snapshot: Snapshot) -> Iterator[str]:
    low_latency = snapshot.low_latency
    yield "#EXTM3U"
    yield f"#EXT-X-VERSION:{_version(snapshot)}"
    yield f"#EXT-X-TARGETDURATION:{snapshot.target_duration}"
    if low_latency is not None:
        yield from ll.control_lines(snapshot.target_duration, low_latency.part_target_s)
    yield f"#EXT-X-MEDIA-SEQUENCE:{snapshot.segments[0].msn}"
    yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{snapshot.discontinuity_sequence}"
    if snapshot.independent_segments:
        yield "#EXT-X-INDEPENDENT-SEGMENTS"
    yield from _media_lines(snapshot)
    if low_latency is not None:
        yield from ll.tail_lines(low_latency)
    if snapshot.ended:
        yield "#EXT-X-ENDLIST"


def _version(snapshot: Snapshot) -> int:
    if snapshot.low_latency:
        return ll.VERSION
    return max(snapshot.container.value, GAP_VERSION if snapshot.gaps else 0)


def _media_lines(snapshot: Snapshot) -> Iterator[str]:
    low_latency = snapshot.low_latency
    segments, growing = snapshot.segments, low_latency.growing if low_latency else None
    skipped = 0
    if low_latency is not None and low_latency.skips:
        skipped = ll.skippable(segments, growing, snapshot.target_duration)
    if skipped:
        yield f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"
    in_parts = len(segments)
    if low_latency is not None and not snapshot.ended:
        in_parts -= ll.SEGMENTS_IN_PARTS
    initialization = segments[skipped - 1].initialization if skipped else None
    for index, segment in enumerate(segments):
        if index < skipped:
            continue
        yield from _opening_lines(segment, snapshot.container, initialization)
        initialization = segment.initialization
        if index >= in_parts:
            yield from ll.part_lines(segment.parts, segment.timescale)
        if segment.msn in snapshot.gaps:
            yield "#EXT-X-GAP"
        yield f"#EXTINF:{segment.duration_s:.6f},"
        yield f"{segment.stem}.{EXTENSIONS[snapshot.container]}"
    if growing is not None:
        yield from _opening_lines(growing, snapshot.container, initialization)
        yield from ll.part_lines(growing.parts, growing.timescale)


def _opening_lines(
    segment: Segment | OpenSegment, container: Container, initialization: str | None
) -> Iterator[str]:
    """Write what stands before a segment's parts; ``initialization`` is what holds until then."""
    if segment.is_discontinuous:
        yield "#EXT-X-DISCONTINUITY"
    if container is Container.FMP4 and segment.initialization != initialization:
        yield f'#EXT-X-MAP:URI="{segment.initialization}"'
    yield f"#EXT-X-PROGRAM-DATE-TIME:{format_date(segment.begins_at)}"


def format_date(date: datetime) -> str:
    """Write a date as ISO 8601 in UTC, to the millisecond (RFC 8216, 4.3.2.6)."""
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
