"""Which of several pictures are there.

A picture that has nothing in a part has a gap there, and its next frames would need those that
are missing: it is absent until its next keyframe. So in every rendition what follows a gap begins
with something that can be decoded.

That keyframe need not come in time: one that is up to ``LATE`` behind the part under way still
goes into it, like everything that comes late, so a track that always lags is not absent for good.
One from long ago was held back until the track came back (a frame's length is known only then),
and nothing that belongs to it will come.
"""

from collections.abc import Iterable, Sequence

from origin.media.sample import Sample
from origin.media.timebase import VIDEO_TIMESCALE

LATE = VIDEO_TIMESCALE
"""By so much a keyframe may be late: encoders interleave their tracks to within a second."""


class Attendance:
    """Takes note of what parts have; ``absent`` is empty nearly always, and looked at first."""

    def __init__(self) -> None:
        self.absent: set[int] = set()
        """Pictures that wait for their next keyframe."""
        self._covered: dict[int, int] = {}
        """Up to where each picture has something to show."""

    def is_wanted(self, index: int, sample: Sample, part_start: int) -> bool:
        """Whether a frame of an absent picture ends its absence; if not, it is of no use."""
        if not sample.is_sync or sample.dts < part_start - LATE:
            return False
        self.absent.remove(index)
        return True

    def note(
        self,
        pictures: Iterable[int],
        part: Sequence[Sequence[Sample]],
        waiting: Sequence[Sequence[Sample]],
        end: int,
    ) -> None:
        """Look who has nothing in a part that ends here, and nothing that ``waiting`` has for it.

        Frames may be further apart than parts are long: as long as the last one may still last,
        nothing is missing.
        """
        for index in pictures:
            if part[index]:
                last = part[index][-1]
                self._covered[index] = last.dts + 2 * last.duration
            elif not waiting[index] and self._covered.get(index, 0) < end:
                self.absent.add(index)
