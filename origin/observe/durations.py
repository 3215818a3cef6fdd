"""How long something takes, over and over: a histogram, and the longest of late.

A histogram's buckets say how often something was slow; they do not say how slow at the worst,
which is what a promise is about. So the longest is kept beside it, of the last minute: long enough
that no scrape misses it, short enough that a hiccup at the start is not shown for ever.
"""

from bisect import bisect_left

BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the buckets. 0.2 is what the event loop's lag is to stay under, and 0.5 the
longest that a publisher may go unread."""

SPAN_S = 10.0
SPANS = 7
"""The running span and six whole ones before it: at least a minute."""


class Durations:
    """Takes durations; whoever reads it sees plain numbers."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        """By bucket, the last one for whatever is above all bounds."""
        self.total_s = 0.0
        self._longest: dict[int, float] = {}  # by span

    def add(self, seconds: float, now: float) -> None:
        """Take one that ended at ``now``."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds
        span = int(now // SPAN_S)
        longest = self._longest.get(span)
        if longest is None:
            self._longest = {s: v for s, v in self._longest.items() if s > span - SPANS}
        if longest is None or seconds > longest:
            self._longest[span] = seconds

    def longest_s(self, now: float) -> float:
        """The longest of the last minute; 0 if there was none."""
        oldest = int(now // SPAN_S) - SPANS
        return max((v for s, v in self._longest.items() if s > oldest), default=0.0)
