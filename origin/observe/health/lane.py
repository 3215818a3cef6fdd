"""One track's frames of the present second, and where its clock has got to.

Times are RTMP's: 32 bits of milliseconds that wrap. A step of more than ``JUMP_MS`` is either a gap
(pictures were dropped, sound was missing) or a jump of the clock. A step back is a jump. A step
forward is one if it brings the clock ahead of where real time can be: what was recorded later than
now has not been recorded. Jumps are taken out of the steps, and out of the lag that follows.
"""

from collections import deque
from operator import sub

from origin.media.timebase import MILLIS_WRAP

JUMP_MS = 1000
"""The same as for the packager, which begins a new discontinuity there."""

AHEAD_MS = 500
"""Further ahead of real time than this: half a jump, and more than any burst at a start."""

MOST_FRAMES = 2048
"""Of one track in one second; more than that is a flood, and what is beyond is not counted."""

MINUTE = 60
_HALF = MILLIS_WRAP // 2


class Lane:
    """A track; ``frames`` takes a stamp and a size of each frame, and ``close`` takes them out."""

    __slots__ = ("_lags", "_shift", "at", "frames", "jump_ms", "sizes", "steps")

    def __init__(self) -> None:
        self.frames: deque[tuple[int, int]] = deque(maxlen=MOST_FRAMES)
        self.at: int | None = None
        """Unwrapped milliseconds of the last frame; None before the first."""
        self.sizes: tuple[int, ...] = ()
        """Bytes of each frame of the second that was closed last."""
        self.steps: tuple[int, ...] = ()
        """Milliseconds between the frames of that second."""
        self.jump_ms = 0
        """By how much the clock jumped in it; 0 if it did not."""
        self._shift = 0  # all jumps so far
        self._lags: deque[float] = deque(maxlen=MINUTE)

    def close(self, end_ms: float) -> None:
        """End the second that ends at ``end_ms`` of the server's clock."""
        self.jump_ms = 0
        if not self.frames:
            self.sizes = self.steps = ()
            return
        stamps = tuple(stamp for stamp, _ in self.frames)
        self.sizes = tuple(size for _, size in self.frames)
        self.frames.clear()
        steps = tuple(map(sub, stamps[1:], stamps))
        if self.at is None:
            self.at = stamps[0]
            self._lags.append(end_ms - self.at)
        else:
            steps = (stamps[0] - self.at % MILLIS_WRAP, *steps)
        if steps and not (min(steps) >= 0 and max(steps) <= JUMP_MS):
            steps = self._straighten(steps, end_ms)
        else:
            self.at += sum(steps)
        self.steps = steps
        self._lags.append(self.lag(end_ms))

    def _straighten(self, steps: tuple[int, ...], end_ms: float) -> tuple[int, ...]:
        """Undo wraps; find jumps and leave them out."""
        assert self.at is not None
        steps = tuple((step + _HALF) % MILLIS_WRAP - _HALF for step in steps)
        self.at += sum(steps)
        back = sum(step for step in steps if step < -JUMP_MS)
        self._shift += back
        forward = sum(step for step in steps if step > JUMP_MS)
        if forward and self.lag(end_ms) < min(self._lags) - AHEAD_MS:
            self._shift += forward
            limit = JUMP_MS
        else:
            forward, limit = 0, MILLIS_WRAP
        self.jump_ms = max(forward, back, key=abs)
        return tuple(step for step in steps if -JUMP_MS <= step <= limit)

    def lag(self, now_ms: float) -> float:
        """The server's clock less this one's last frame, as if this one had never jumped."""
        return now_ms - (self.at or 0) + self._shift

    def lag_at(self, stamp: int, now_ms: float) -> float:
        """The lag of a frame of the second that was closed last."""
        return now_ms - self.unwrapped(stamp) + self._shift

    def unwrapped(self, stamp: int) -> int:
        """A stamp of the second that was closed last, on the clock of ``at``."""
        at = self.at or 0
        return at + (stamp - at + _HALF) % MILLIS_WRAP - _HALF
