"""Time, as the streams see it: handed in, so that a test can own it.

Decisions use the monotonic clock. The wall clock is only read where a date is shown: for
PROGRAM-DATE-TIME and for "since".
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None:
        """Forget it; harmless if it has already run."""
        ...


class Clock(Protocol):
    """The three things that a stream asks of time."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...

    def wall(self) -> datetime:
        """The date and time now, in UTC."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` once, ``delay_s`` seconds from now."""
        ...


class LoopClock:
    """The clock of the event loop that it is made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(delay_s, callback)
