"""One track's frames of the present second, and where its clock has got to.

Times are RTMP's: 32 bits of milliseconds that wrap. A step of more than ``JUMP_MS`` is either a gap
(pictures were dropped, sound was missing) or a jump of the clock. A step back is a jump. A step
forward is one if it brings the clock ahead of where real time can be: what was recorded later than
now has not been recorded. Jumps are taken out of the steps, and out of the lag that follows.
"""

import math
from collections import deque
from operator import sub

from origin.media.timebase import MILLIS_WRAP
from origin.observe.health.second import MINUTE

JUMP_MS = 1000
"""The same as for the packager, which begins a new discontinuity there."""

AHEAD_MS = 500
"""Further ahead of real time than this: half a jump, and more than any burst at a start."""

MOST_FRAMES = 2048
"""Of one track in one second; more than that is a flood, and what is beyond is not counted."""

_HALF = MILLIS_WRAP // 2


class Lane:
    """A track; whoever has its frames appends to ``sizes`` and ``stamps``, which ``close`` clears.

    Stamps may be left out, but for the first and the last of a second: of sound only jumps are of
    interest, and not every step.
    """

    __slots__ = (
        "_lags", "_least", "_shift", "at", "bytes", "count", "jump_ms", "lag_ms", "largest",
        "sizes", "stamps", "steps",
    )  # fmt: skip

    def __init__(self) -> None:
        self.sizes: deque[int] = deque(maxlen=MOST_FRAMES)
        self.stamps: deque[int] = deque(maxlen=MOST_FRAMES)
        self.at: int | None = None
        """Unwrapped milliseconds of the last frame; None before the first."""
        self.count = self.bytes = self.largest = 0
        """Frames of the second that was closed last, their bytes, those of the largest."""
        self.steps: tuple[int, ...] = ()
        """Milliseconds between the stamps of that second."""
        self.jump_ms = 0
        """By how much the clock jumped in it; 0 if it did not."""
        self.lag_ms: float | None = None
        """The server's clock less this one, at the frame that was least late; None: no idea."""
        self._least = math.inf  # the same of the open second, the stamps taken as they come
        self._shift = 0  # all jumps so far
        self._lags: deque[float] = deque(maxlen=MINUTE)

    def time(self, stamp: int, now_ms: float) -> None:
        """Some frame of the open second came at ``now_ms`` of the server's clock."""
        lag = now_ms - stamp
        if lag < self._least:
            self._least = lag

    def close(self, end_ms: float) -> None:
        """End the second that ends at ``end_ms`` of the server's clock."""
        sizes = self.sizes
        self.count, self.jump_ms = len(sizes), 0
        if not sizes:
            self.bytes = self.largest = 0
            self.steps, self.lag_ms = (), None
            return
        self.bytes, self.largest = sum(sizes), max(sizes)
        sizes.clear()
        self._go_on(end_ms)

    def _go_on(self, end_ms: float) -> None:
        stamps, before = tuple(self.stamps), self.at
        self.stamps.clear()
        first, last = stamps[0], stamps[-1]
        if before is None:
            before = first
            self._lags.append(end_ms - first)
            steps = tuple(map(sub, stamps[1:], stamps))
        else:
            steps = tuple(map(sub, stamps, (before % MILLIS_WRAP, *stamps)))
        least, self._least = self._least, math.inf
        if steps and not (min(steps) >= 0 and max(steps) <= JUMP_MS):
            steps = self._straighten(steps, before, end_ms)
            least = math.inf  # the stamps cannot be taken as they came
        else:
            self.at = before + sum(steps)
        self.steps = steps
        lag = self._lag(end_ms)
        self._lags.append(lag)
        unwrapping = last - (self.at or 0) + self._shift
        self.lag_ms = least + unwrapping if least < math.inf else lag

    def _straighten(self, steps: tuple[int, ...], at: int, end_ms: float) -> tuple[int, ...]:
        """Undo wraps; find jumps and leave them out."""
        steps = tuple((step + _HALF) % MILLIS_WRAP - _HALF for step in steps)
        self.at = at + sum(steps)
        back = sum(step for step in steps if step < -JUMP_MS)
        self._shift += back
        forward = sum(step for step in steps if step > JUMP_MS)
        if forward and self._lag(end_ms) < min(self._lags) - AHEAD_MS:
            self._shift += forward
            limit = JUMP_MS
        else:
            forward, limit = 0, MILLIS_WRAP
        self.jump_ms = max(forward, back, key=abs)
        return tuple(step for step in steps if -JUMP_MS <= step <= limit)

    def _lag(self, now_ms: float) -> float:
        """The server's clock less this one's last frame, as if this one had never jumped."""
        return now_ms - (self.at or 0) + self._shift

    def wait(self, end_ms: float) -> None:
        """Nothing has come on any track: whatever comes is at least as late as this."""
        self.close(end_ms)
        self.lag_ms = self._lag(end_ms) if self.at is not None else None

    def unwrapped(self, stamp: int) -> int:
        """A stamp of the second that was closed last, on the clock of ``at``."""
        at = self.at or 0
        return at + (stamp - at + _HALF) % MILLIS_WRAP - _HALF
