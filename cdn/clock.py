"""Time, as the edge's shells see it: one clock that only goes forward, and timers on it.

Wall clocks step; nothing here is decided by one. The interface is narrow so that a test can own
time: an hour passes when the test says so.
"""

import asyncio
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
    """The clock of the running event loop."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_s, callback)
