"""Media playlists (RFC 8216, 4.3.2 and 4.3.3).

A snapshot of the window goes in, the text comes out; the same snapshot always gives the same
text. The two containers share one window, so their playlists have the same sequence numbers,
dates and discontinuities, and differ in names, EXT-X-MAP and EXT-X-VERSION only.

URIs are relative to the playlist and have no path: whatever stands in front of the origin may
serve it under any prefix.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from origin.hls.segment import Segment


class Container(Enum):
    """What the listed segments are; the value is EXT-X-VERSION (RFC 8216, 7).

    3 is needed for EXTINF with decimals, 6 for EXT-X-MAP without I-frames; 7 is what
    fragmented MP4 is announced with everywhere.
    """

    FMP4 = 7
    TS = 3


EXTENSIONS = {Container.FMP4: "m4s", Container.TS: "ts"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a media playlist says."""

    container: Container
    target_duration: int
    discontinuity_sequence: int
    segments: tuple[Segment, ...]
    """At least one."""
    independent_segments: bool
    ended: bool


def media_playlist(snapshot: Snapshot) -> str:
    """Write the playlist of a window."""
    return "\n".join(_lines(snapshot)) + "\n"


def _lines(snapshot: Snapshot) -> Iterator[str]:
    yield "#EXTM3U"
    yield f"#EXT-X-VERSION:{snapshot.container.value}"
    yield f"#EXT-X-TARGETDURATION:{snapshot.target_duration}"
    yield f"#EXT-X-MEDIA-SEQUENCE:{snapshot.segments[0].msn}"
    yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{snapshot.discontinuity_sequence}"
    if snapshot.independent_segments:
        yield "#EXT-X-INDEPENDENT-SEGMENTS"
    initialization = None
    for segment in snapshot.segments:
        if segment.is_discontinuous:
            yield "#EXT-X-DISCONTINUITY"
        if snapshot.container is Container.FMP4 and segment.initialization != initialization:
            initialization = segment.initialization
            yield f'#EXT-X-MAP:URI="{initialization}"'
        yield f"#EXT-X-PROGRAM-DATE-TIME:{format_date(segment.begins_at)}"
        yield f"#EXTINF:{segment.duration_s:.6f},"
        yield f"{segment.stem}.{EXTENSIONS[snapshot.container]}"
    if snapshot.ended:
        yield "#EXT-X-ENDLIST"


def format_date(date: datetime) -> str:
    """Write a date as ISO 8601 in UTC, to the millisecond (RFC 8216, 4.3.2.6)."""
    return date.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
