"""Which segments are listed, which may still be fetched, and the sequence numbers between.

RFC 8216, 6.2.2. A segment is listed, then fetchable for its own duration and that of the
longest playlist that listed it, then forgotten. Time is counted in media, by what has been
added since, so that no clock is needed: when nothing more comes, nothing needs room.
"""

from collections import deque
from collections.abc import Iterator

from origin.hls.rules import Rules
from origin.hls.segment import Segment

SMALLEST_TARGETS = 3
"""A live playlist is never shorter than three target durations (6.2.2)."""


class Window:
    """The segments of a session, oldest first."""

    def __init__(self, rules: Rules, first_discontinuity_sequence: int) -> None:
        self.discontinuity_sequence = first_discontinuity_sequence
        self._rules = rules
        self._listed: deque[Segment] = deque()
        self._removed: deque[tuple[Segment, float]] = deque()  # with the time of forgetting
        self._listed_s = 0.0
        self._longest_s = 0.0
        self._added_s = 0.0

    @property
    def listed(self) -> tuple[Segment, ...]:
        return tuple(self._listed)

    @property
    def newest(self) -> Segment | None:
        return self._listed[-1] if self._listed else None

    @property
    def oldest_msn(self) -> int | None:
        """The number of the first segment that can be fetched."""
        if self._removed:
            return self._removed[0][0].msn
        return self._listed[0].msn if self._listed else None

    @property
    def next_discontinuity_sequence(self) -> int:
        """The discontinuity sequence once all that is listed will have left the list."""
        listed = sum([segment.is_discontinuous for segment in self._listed])
        return self.discontinuity_sequence + listed

    def add(self, segment: Segment, target_duration: int) -> tuple[Segment, ...]:
        """List a segment; return those that may be forgotten now."""
        self._listed.append(segment)
        self._listed_s += segment.duration_s
        self._added_s += segment.duration_s
        self._remove_oldest(SMALLEST_TARGETS * target_duration)
        self._longest_s = max(self._longest_s, self._listed_s)
        return tuple(self._forget())

    def _remove_oldest(self, shortest_s: float) -> None:
        while len(self._listed) > self._rules.window:
            oldest = self._listed[0]
            if self._listed_s - oldest.duration_s < shortest_s:
                return
            self._listed.popleft()
            self._listed_s -= oldest.duration_s
            self.discontinuity_sequence += oldest.is_discontinuous
            until = self._added_s + oldest.duration_s + self._longest_s
            self._removed.append((oldest, until))

    def _forget(self) -> Iterator[Segment]:
        while self._removed and self._removed[0][1] <= self._added_s:
            yield self._removed.popleft()[0]
