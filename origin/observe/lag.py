"""The event loop's lag: how much later than due a timer runs.

Everything that happens to streams happens in one loop. Whatever holds it up holds up every
publisher and every viewer by the same time, and shows here before it shows anywhere else. One
timer measures it: it is due every ``EVERY_S``, and what is observed is by how much it was missed.
A hold-up that falls between two moments is seen shortened by at most that time.
"""

from collections.abc import Callable
from typing import Protocol

EVERY_S = 0.05
"""A quarter of the lag that is promised never to be reached; twenty callbacks a second."""


class Timer(Protocol):
    """A callback that is due later."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What is asked of time: ``streams.clock`` has one."""

    def monotonic(self) -> float: ...

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer: ...


class LoopLag:
    """The timer; ``observe`` is told of every measurement, and when it was made."""

    def __init__(self, clock: Clock, observe: Callable[[float, float], None]) -> None:
        self._clock = clock
        self._observe = observe
        self._due_at = 0.0
        self._timer: Timer | None = None

    def start(self) -> None:
        self._due_at = self._clock.monotonic() + EVERY_S
        self._timer = self._clock.call_later(EVERY_S, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now = self._clock.monotonic()
        self._observe(max(0.0, now - self._due_at), now)
        self.start()
