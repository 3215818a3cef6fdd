"""Keyframe intervals: how long a viewer waits to join, and how evenly segments are cut.

An interval counts from its keyframe on, not only when the next one ends it: a stream that waits
for a keyframe is found out while it waits.
"""

from collections import deque
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

from origin.observe.health.codes import Code, Level
from origin.observe.health.second import MILLIS, Second

LONG_S = 2.2
"""Two seconds are what every platform asks for, and what our segments are; a tenth is slack for
rates such as 29.97, and for encoders that count frames."""

TOO_LONG_S = 4.0
"""Twice that: joining takes twice as long, and low latency has no place to begin."""

WINDOW_S = 12.0
"""How long an interval is held against the stream: six good ones, and it is forgotten."""

PATTERN_S = 10.0
"""How long intervals are compared with one another."""

DEVIATION = 0.1
"""An interval that is further than this from the usual one is another one."""

DEVIATION_MS = 100
"""... or than this: at ten pictures per second, nobody can be more even."""

UNEVEN_SHARE = 0.4
"""Of the intervals that are compared. A scene cut shortens one of five or six."""

A_STEP = 1
"""An encoder that was set to another interval changes it once."""

FEWEST = 3
"""Intervals that make up a pattern."""

_FINE = Level.FINE

ADVICE = "set Settings > Output > Streaming > Keyframe Interval to 2 s (0 means automatic)"


class Interval(NamedTuple):
    """From one keyframe to the next."""

    length_ms: int
    ended: int
    """On the picture's clock."""


class Keyframes:
    """The keyframes of the leading picture."""

    codes = (Code.KEYFRAME_INTERVAL_LONG, Code.KEYFRAME_INTERVAL_VARIABLE)

    def __init__(self) -> None:
        self._recent: deque[Interval] = deque(maxlen=64)  # a keyframe every 0.2 s fills it
        self._last: int | None = None
        self._now = 0
        self._sum_ms = self._count = 0
        self._shortest_ms = self._longest_ms = 0  # of the recent ones

    def take(self, second: Second) -> None:
        if second.jump_ms:  # what lies on both sides of a jump has nothing to do with each other
            self._recent.clear()
            self._last = None
            self._shortest_ms = self._longest_ms = 0
        elif second.keyframes:
            for picture in second.keyframes:
                if self._last is not None:
                    self._end_interval(picture.at)
                self._last = picture.at
            self._shortest_ms = min(self._recent).length_ms if self._recent else 0
            self._longest_ms = max(self._recent).length_ms if self._recent else 0
        if second.video_at is not None:
            self._now = second.video_at
            self._forget(self._now - WINDOW_S * MILLIS)

    def _forget(self, before: float) -> None:
        recent = self._recent
        if not recent or recent[0].ended >= before:
            return
        while recent and recent[0].ended < before:
            recent.popleft()
        self._shortest_ms = min(recent).length_ms if recent else 0
        self._longest_ms = max(recent).length_ms if recent else 0

    def _end_interval(self, at: int) -> None:
        assert self._last is not None
        length = at - self._last
        if length > 0:
            self._recent.append(Interval(length, at))
            self._sum_ms += length
            self._count += 1

    @property
    def open_s(self) -> float:
        """How long the interval is that has not ended."""
        return (self._now - self._last) / MILLIS if self._last is not None else 0.0

    @property
    def last_s(self) -> float | None:
        return self._recent[-1].length_ms / MILLIS if self._recent else None

    @property
    def mean_s(self) -> float | None:
        """Over the whole publish."""
        return self._sum_ms / self._count / MILLIS if self._count else None

    @property
    def worst_s(self) -> float | None:
        """Of those in the window; the open one counts once it is the longest."""
        if not self._recent:
            return self.open_s or None
        return max(self._longest_ms / MILLIS, self.open_s)

    def look(self) -> tuple[Level, Level]:
        worst = self.worst_s or 0.0
        if worst <= LONG_S:
            return _FINE, self._evenness()
        return Level.ERROR if worst > TOO_LONG_S else Level.WARNING, self._evenness()

    def _evenness(self) -> Level:
        if self._longest_ms - self._shortest_ms <= DEVIATION_MS:
            return _FINE
        begin = self._now - PATTERN_S * MILLIS
        lengths = [interval.length_ms for interval in self._recent if interval.ended >= begin]
        if len(lengths) < FEWEST:
            return _FINE
        usual = median_low(lengths)
        allowed = max(usual * DEVIATION, DEVIATION_MS)
        others = sum(abs(length - usual) > allowed for length in lengths)
        changes = sum(abs(one - other) > allowed for one, other in pairwise(lengths))
        is_uneven = others >= UNEVEN_SHARE * len(lengths) and changes > A_STEP
        return Level.WARNING if is_uneven else _FINE

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.KEYFRAME_INTERVAL_LONG:
            return (
                f"Keyframes are up to {self.worst_s or 0.0:.1f} s apart, which makes joining "
                f"slow: {ADVICE}."
            )
        lengths = [interval.length_ms / MILLIS for interval in self._recent]
        low, high = (min(lengths), max(lengths)) if lengths else (0.0, 0.0)
        return (
            f"Keyframes come at uneven intervals, {low:.1f} to {high:.1f} s: {ADVICE}, and switch "
            "scene-cut detection off (x264 options: scenecut=0)."
        )
