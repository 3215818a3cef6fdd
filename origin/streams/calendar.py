"""The date, by a clock that nobody sets.

A wall clock is corrected: by a few milliseconds, or by an hour when somebody finds that it was
wrong. What is decided here goes by the monotonic clock, which is not; the wall clock only says
how far from it the date is. If the wall clock is set forward by ``LITTLE`` or more, dates follow,
once, and whoever gives them out is told: the next segment then begins a new timeline. If it is
set back, they do not: dates in a playlist never go back, so they stay as they were until the
session ends.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from origin.streams.clock import Clock

LITTLE = timedelta(milliseconds=500)
"""By less than that a clock is disciplined all the time; dates follow without a word."""


class Calendar:
    """Tells the date for one session; ``on_set`` is called when it has jumped forward."""

    def __init__(self, clock: Clock, on_set: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._on_set = on_set
        self._began = self._wall_began()

    def now(self) -> datetime:
        """Return the date; never earlier than before, but for what a clock is disciplined by."""
        began = self._wall_began()
        step = began - self._began
        if step > -LITTLE:
            self._began = began
        if step >= LITTLE:
            self._on_set()
        return self._began + timedelta(seconds=self._clock.monotonic())

    def _wall_began(self) -> datetime:
        """Return the date at which the monotonic clock was zero, as the wall clock has it now."""
        return self._clock.wall() - timedelta(seconds=self._clock.monotonic())
