"""What has come and is not in a part yet: one queue of samples per track, on one clock.

Each track counts its own ticks; here all times are given in those of the track that leads, and
samples are compared with them in whole numbers, so that nothing is rounded to the wrong side of
a cut. The segmenter decides where a cut is to be; this module knows what lies on either side.

Another picture may take the lead. If it reorders more, it is decoded sooner than the one before,
and its clock tells a moment sooner. Sounds come by their decoding times, so they are then cut by as
much sooner, too: a frame or two of sound moves to the next part.
"""

from collections.abc import Iterable

from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.timebase import VIDEO_TIMESCALE
from origin.media.track import Track

SAMPLE_OVERHEAD_BYTES = 128
"""What keeping a sample costs besides its payload: empty frames fill memory, too."""

SAME_TIME = VIDEO_TIMESCALE // 50
"""Keyframes of two pictures that are shown so close to each other are of the same moment: half a
frame of a slow one."""


class Queues:
    """The samples of each track that wait for a cut, in the order of their times."""

    def __init__(self, tracks: tuple[Track, ...], leader: int) -> None:
        self.of: tuple[list[Sample], ...] = tuple([] for _ in tracks)
        self._tracks = tracks
        self._timescales = tuple(track.timescale for track in tracks)
        self._early = [0] * len(tracks)
        """How much sooner another picture is decoded than the leader's of the same moment."""
        self._arrange(leader)

    def lead(self, index: int) -> int:
        """Let another picture lead; return how much sooner than before its clock tells a moment."""
        sooner = self._early[index]
        self._early = [early - sooner for early in self._early]
        self._arrange(index)
        return sooner

    def _arrange(self, leader: int) -> None:
        self.leading = self.of[leader]
        self._timescale = self._timescales[leader]
        self.other_pictures = tuple(
            index
            for index, track in enumerate(self._tracks)
            if track.kind is MediaKind.VIDEO and index != leader
        )
        self._others = tuple(
            (queue, track.timescale)
            for queue, track in zip(self.of, self._tracks, strict=True)
            if queue is not self.leading
        )

    @property
    def are_empty(self) -> bool:
        return not any(self.of)

    @property
    def has_others(self) -> bool:
        """Whether anything but the leader's samples is here."""
        return any(queue for queue, _ in self._others)

    def is_empty_before(self, at: int) -> bool:
        """Whether nothing here begins before ``at``."""
        if self.leading and self.leading[0].dts < at:
            return False
        return not any(
            queue and queue[0].dts * self._timescale < at * timescale
            for queue, timescale in self._others
        )

    def others_reach(self, at: int) -> bool:
        """Whether a sample of another track than the leader begins at ``at`` or later."""
        return any(
            queue and queue[-1].dts * self._timescale >= at * timescale
            for queue, timescale in self._others
        )

    def border(self, earliest: int, latest: int) -> int:
        """Find where a sample of another track begins, as late as may be; else ``latest``."""
        for queue, timescale in self._others:
            for sample in reversed(queue):
                begin = sample.dts * self._timescale // timescale
                if begin < earliest:
                    break
                if begin <= latest:
                    return begin
        return latest

    def end_of_first(self) -> int:
        """A time just past what begins first among the others; there must be something."""
        return min(
            (queue[0].dts + queue[0].duration) * self._timescale // timescale + 1
            for queue, timescale in self._others
            if queue
        )

    def end_of_others(self) -> int:
        """The end of the longest track but the leader; 0 if nothing is there."""
        ends = [
            (queue[-1].dts + queue[-1].duration) * self._timescale // timescale
            for queue, timescale in self._others
            if queue
        ]
        return max(ends, default=0)

    def take(
        self, before: int | None, keyframe: Sample | None = None
    ) -> tuple[tuple[Sample, ...], ...]:
        """Take what begins before a time, or all there is; one run per track.

        Where the cut is at a keyframe of the leader, other pictures are cut at theirs of the same
        moment, and until the next one as much sooner as that one came: encoders that reorder
        differently decode the same moment at different times.
        """
        if before is None:
            return tuple([_take(queue, None) for queue in self.of])
        limits = [-(-before * timescale // self._timescale) for timescale in self._timescales]
        for index in self.other_pictures:
            limits[index] = self._limit(index, before, keyframe)
        return tuple([_take(queue, limit) for queue, limit in zip(self.of, limits, strict=True)])

    def begin(self, index: int, keyframe: Sample) -> tuple[bool, int]:
        """Drop what of another picture cannot be decoded: what comes before its own keyframe.

        Return whether that one is here, of the moment of the leader's; and the weight of what was
        dropped.
        """
        twin = self._twin(index, keyframe)
        return twin is not None, weight(_take(self.of[index], twin))

    def _limit(self, index: int, before: int, keyframe: Sample | None) -> int:
        twin = self._twin(index, keyframe) if keyframe is not None else None
        if twin is not None:
            return twin
        return before - self._early[index]  # a picture has one timescale, whichever it is

    def _twin(self, index: int, keyframe: Sample) -> int | None:
        """When another picture's keyframe is decoded that shows the same moment as the leader's."""
        shown = keyframe.dts + keyframe.composition_offset
        for sample in reversed(self.of[index]):
            if sample.is_sync and abs(sample.dts + sample.composition_offset - shown) <= SAME_TIME:
                self._early[index] = keyframe.dts - sample.dts
                return sample.dts
        return None

    def waits_since(self, index: int) -> int | None:
        """When the first keyframe of a track is decoded that is here."""
        return next((sample.dts for sample in self.of[index] if sample.is_sync), None)

    def leader_is_due(self, at: int) -> int:
        """Until when nothing of the leader is late, where it is wanted from ``at`` on.

        How long its last frame lasts is known only when the next one comes.
        """
        if not self.leading:
            return at
        last = self.leading[-1]
        return max(at, last.dts + 2 * last.duration)

    def forget(self, index: int, before: int) -> int:
        """Drop what of a track begins before a time on its own clock; return its weight."""
        return weight(_take(self.of[index], before))


def weight(samples: Iterable[Sample]) -> int:
    """Return the bytes of memory that samples hold."""
    payloads = [len(sample.payload) for sample in samples]
    return sum(payloads) + len(payloads) * SAMPLE_OVERHEAD_BYTES


def _take(queue: list[Sample], before: int | None) -> tuple[Sample, ...]:
    """Take a queue's samples up to the last one that begins before a time on its own clock."""
    count = len(queue)
    if before is not None:
        while count and queue[count - 1].dts >= before:
            count -= 1
    taken = tuple(queue[:count])
    del queue[:count]
    return taken
