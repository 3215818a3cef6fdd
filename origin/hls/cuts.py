"""What the segmenter says: a part is complete, and where a segment ends.

These are values; where the cuts are made is decided in ``hls.segmenter``, and what becomes of
them in ``hls.presentation``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track


@dataclass(frozen=True, slots=True)
class PartReady:
    """A part's samples; they never change again."""

    tracks: tuple[Track, ...]
    samples: tuple[tuple[Sample, ...], ...]
    """One entry per track; empty where the track has none in this part."""
    start: Ticks
    """On the leader's timescale, as ``duration``."""
    duration: Ticks
    timescale: int
    independent: bool
    """Contains a sync sample of the leader (EXT-X-PART's INDEPENDENT)."""
    starts_independent: bool
    """Begins with one: a segment whose first part does can be decoded on its own."""

    def pick(self, indexes: tuple[int, ...]) -> "PartReady":
        """Return the part with some of its tracks alone: the same cut, in another rendition."""
        if indexes == tuple(range(len(self.tracks))):
            return self
        tracks = tuple(self.tracks[index] for index in indexes)
        samples = tuple(self.samples[index] for index in indexes)
        leading = samples[choose_leader(tracks)] if tracks else ()
        return replace(
            self,
            tracks=tracks,
            samples=samples,
            independent=any(sample.is_sync for sample in leading),
            starts_independent=bool(leading) and leading[0].is_sync,
        )


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """The parts since the last one of these are a segment."""

    by_force: bool
    """The next one does not begin with a keyframe."""


SegmenterEvent: TypeAlias = PartReady | SegmentEnded

NOTHING: tuple[SegmenterEvent, ...] = ()


def choose_leader(tracks: Sequence[Track]) -> int:
    """Return the index of the track that decides where cuts are made."""
    for index, track in enumerate(tracks):
        if track.kind is MediaKind.VIDEO:
            return index
    return 0
