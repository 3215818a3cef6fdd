"""What has come and is not in a part yet: one queue of samples per track, on one clock.

Each track counts its own ticks; here all times are given in those of the track that leads, and
samples are compared with them in whole numbers, so that nothing is rounded to the wrong side of
a cut. The segmenter decides where a cut is to be; this module knows what lies on either side.
"""

from collections.abc import Iterable

from origin.media.sample import Sample
from origin.media.track import Track

SAMPLE_OVERHEAD_BYTES = 128
"""What keeping a sample costs besides its payload: empty frames fill memory, too."""


class Queues:
    """The samples of each track that wait for a cut, in the order of their times."""

    def __init__(self, tracks: tuple[Track, ...], leader: int) -> None:
        self.of: tuple[list[Sample], ...] = tuple([] for _ in tracks)
        self.leading = self.of[leader]
        self._timescale = tracks[leader].timescale
        self._timescales = tuple(track.timescale for track in tracks)
        self._others = tuple(
            (queue, track.timescale)
            for queue, track in zip(self.of, tracks, strict=True)
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
        return not any(
            queue and queue[0].dts * self._timescale < at * timescale
            for queue, timescale in zip(self.of, self._timescales, strict=True)
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

    def take(self, before: int | None) -> tuple[tuple[Sample, ...], ...]:
        """Take what begins before a time, or all there is; one run per track."""
        return tuple(
            _take(queue, None if before is None else -(-before * timescale // self._timescale))
            for queue, timescale in zip(self.of, self._timescales, strict=True)
        )

    def forget(self, index: int, before: int) -> int:
        """Drop what of a track begins before a time on its own clock; return its weight."""
        return weight(_take(self.of[index], before))


def weight(samples: Iterable[Sample]) -> int:
    """Return the bytes of memory that samples hold."""
    return sum([len(sample.payload) + SAMPLE_OVERHEAD_BYTES for sample in samples])


def _take(queue: list[Sample], before: int | None) -> tuple[Sample, ...]:
    """Take a queue's samples up to the last one that begins before a time on its own clock."""
    count = len(queue)
    if before is not None:
        while count and queue[count - 1].dts >= before:
            count -= 1
    taken = tuple(queue[:count])
    del queue[:count]
    return taken
