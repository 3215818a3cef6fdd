"""What a session has to remember of itself beside its media, so that another process can go on.

The window of a session is made anew from its segments: from the samples of their parts, which go
through the very code that they went through before. But a window begins in the midst of a session,
and some of what is served follows from segments that have left it long ago: the numbers, the two
targets, the rates that were announced, which renditions there are. That is a ``Memory``: the
state between two segments, in plain numbers and words.

``hls.presentation`` gives one out whenever a segment begins, and takes one back.
"""

from dataclasses import dataclass
from datetime import datetime

from origin.hls.dates import Dating


@dataclass(frozen=True, slots=True)
class RatesMemory:
    """What ``hls.multivariant.Rates`` has measured."""

    bandwidth: int
    average_bandwidth: int
    bits: int
    seconds: float
    recent: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class AnnouncementMemory:
    """What is announced of one rendition in one container."""

    codecs: str | None
    frame_rate: float | None
    resolution: tuple[int, int] | None
    tracks: tuple[int, ...] | None
    """Those that it is about, by their place among the session's; None: not the present ones."""
    rates: RatesMemory


@dataclass(frozen=True, slots=True)
class RenditionMemory:
    """One rendition."""

    name: str
    fragments: int
    """How many there were."""
    covered_s: float | None
    """Up to here there is something to show; None if there was nothing yet."""
    discontinuity_sequence: int
    """Of the segment that begins now, if it has no tag of its own."""
    fmp4: AnnouncementMemory
    ts: AnnouncementMemory


@dataclass(frozen=True, slots=True)
class Memory:
    """One session, where a segment begins."""

    epoch: str
    msn: int
    target_duration: int | None
    part_target_s: float | None
    independent: bool
    segment_count: int
    is_discontinuous: bool
    """The segment that begins now carries EXT-X-DISCONTINUITY."""
    dating: Dating | None
    """What dates go by; None if this segment begins a domain."""
    ends_at: datetime | None
    """Where the last segment ended."""
    names: tuple[str, ...]
    """Of all renditions that ever were."""
    is_apart: bool
    """Sounds are not in the pictures' files."""
    sound_names: dict[int, tuple[str | None, str | None]]
    """Title and language, by the track's number."""
    renditions: tuple[RenditionMemory, ...]
