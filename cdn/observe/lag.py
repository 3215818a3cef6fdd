"""The event loop's lag: how much later than due a timer runs.

Everything that a worker does, it does in one loop. Whatever holds that loop up holds up every
viewer by the same time, and shows here before it shows anywhere else. One timer measures it: it is
due every ``EVERY_S``, and what is observed is by how much it was missed. A hold-up that falls
between two moments is seen shortened by at most that time.
"""

from collections.abc import Callable

from cdn.clock import Clock, Timer

EVERY_S = 0.1
"""Half of the hold-up that is worth an alarm, and cheap: ten callbacks a second."""


class LoopLag:
    """The timer; ``observe`` is told of every measurement."""

    def __init__(self, clock: Clock, observe: Callable[[float], None]) -> None:
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
        self._observe(max(0.0, self._clock.monotonic() - self._due_at))
        self.start()
