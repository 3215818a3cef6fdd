"""Time, as the edge's shells see it: one clock that only goes forward, and timers on it.

Wall clocks step; nothing here is decided by one. The interface is narrow so that a test can own
time: an hour passes when the test says so.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that is due."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Where the time comes from."""

    def monotonic(self) -> float:
        """Seconds since some moment that never changes."""
        ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...


class LoopClock:
    """The system's clock, which every thread may read, and the timers of the running loop."""

    monotonic = staticmethod(time.monotonic)  # without a frame of Python's: each request asks

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)
