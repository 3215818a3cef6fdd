"""A clock that the test owns: time passes when the test says so."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

EPOCH = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class FakeTimer:
    """A callback that is due at a moment of a ``FakeClock``."""

    callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class FakeClock:
    """Fulfils ``origin.streams.clock.Clock``; ``advance`` runs what falls due on the way."""

    now: float = 0.0
    wall_is_ahead: timedelta = timedelta()
    """By how much somebody has set the wall clock."""
    _due: list[tuple[float, int, FakeTimer]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return EPOCH + self.wall_is_ahead + timedelta(seconds=self.now)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(callback)
        heapq.heappush(self._due, (self.now + delay_s, next(self._numbers), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._due)
            if not timer.is_cancelled:
                timer.callback()
        self.now = end

    def forget(self) -> None:
        """Drop all timers, as the end of a process does."""
        self._due.clear()

    @property
    def pending(self) -> int:
        """Timers that still wait."""
        return sum(not timer.is_cancelled for _, _, timer in self._due)
