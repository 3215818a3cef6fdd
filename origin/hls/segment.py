"""Parts and segments, as the window keeps them.

They hold the samples beside the fMP4 made of them: the transport stream is made of the same
samples, and only when someone asks for it. The payloads are shared, not copied.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from origin.hls.resource import Resource, named
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track


@dataclass(frozen=True, slots=True)
class Part:
    """A complete part of a segment, which may still be growing."""

    name: str
    resource: Resource
    samples: tuple[tuple[Sample, ...], ...]
    """One entry per track of the segment."""
    duration: Ticks
    independent: bool
    is_gap: bool = False
    """The rendition has nothing here: GAP=YES, and no such resource."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A complete segment; its body is its parts' bodies in a row."""

    msn: int
    """Its media sequence number."""
    stem: str
    """Its name without an extension; no other segment ever has it."""
    tracks: tuple[Track, ...]
    initialization: str
    """The name of its initialization segment."""
    parts: tuple[Part, ...]
    resource: Resource
    start: Ticks
    duration: Ticks
    timescale: int
    begins_at: datetime
    """EXT-X-PROGRAM-DATE-TIME."""
    is_discontinuous: bool
    """Carries EXT-X-DISCONTINUITY."""

    @property
    def name(self) -> str:
        return f"{self.stem}.m4s"

    @property
    def duration_s(self) -> float:
        return self.duration / self.timescale

    @property
    def is_gap(self) -> bool:
        """Whether a part of it is missing: a player should take another rendition's."""
        return any(part.is_gap for part in self.parts)

    @property
    def ends_at(self) -> datetime:
        return self.begins_at + timedelta(seconds=self.duration_s)

    def run(self, track_index: int) -> tuple[Sample, ...]:
        """Return all of a track's samples."""
        return tuple([sample for part in self.parts for sample in part.samples[track_index]])


@dataclass(slots=True)
class OpenSegment:
    """A segment that is still growing; it becomes a Segment when it is complete."""

    msn: int
    stem: str
    tracks: tuple[Track, ...]
    initialization: str
    start: Ticks
    timescale: int
    begins_at: datetime
    is_discontinuous: bool
    parts: list[Part] = field(default_factory=list[Part])

    @property
    def duration_s(self) -> float:
        return sum([part.duration for part in self.parts]) / self.timescale

    def close(self) -> Segment:
        """Return the complete segment; there must be a part in it."""
        pieces = tuple([piece for part in self.parts for piece in part.resource.pieces])
        content_type = self.parts[0].resource.content_type
        return Segment(
            msn=self.msn,
            stem=self.stem,
            tracks=self.tracks,
            initialization=self.initialization,
            parts=tuple(self.parts),
            resource=named(pieces, content_type, f"{self.stem}.m4s"),
            start=self.start,
            duration=Ticks(sum([part.duration for part in self.parts])),
            timescale=self.timescale,
            begins_at=self.begins_at,
            is_discontinuous=self.is_discontinuous,
        )


def together(one: Segment, other: Segment | None) -> Segment:
    """Return a segment with the tracks of both, for a container that has them in one file.

    They are the same segment of two renditions, so they have the same parts. Its bytes stay those
    of the first: what is put together are the samples.
    """
    if other is None or other.msn != one.msn:
        return one
    parts = tuple(
        replace(part, samples=part.samples + beside.samples)
        for part, beside in zip(one.parts, other.parts, strict=True)
    )
    return replace(one, tracks=one.tracks + other.tracks, parts=parts)
