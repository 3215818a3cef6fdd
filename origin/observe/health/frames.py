"""The pictures' rate against the declared one, and pictures that never came.

An encoder that drops pictures leaves gaps in the decoding times: one step of two or more usual
ones. A stream of variable frame rate has such steps as well, so a gap counts only where time
steps are even otherwise, and only behind an even step: a phone that goes from 30 to 15 pictures
per second has dropped none. What cannot be told from dropping is a filter that leaves out pictures
which are alike.

OBS counts what it drops in two places: "Dropped frames (Network)" and "Skipped frames due to
encoding lag". Packets do not tell which it was, unless they came late as well.
"""

from collections import deque
from statistics import median_low

from origin.observe.health.codes import Code, Level
from origin.observe.health.second import MILLIS, MINUTE, Declared, Second

WINDOW = 10
"""Seconds: a finding may take as long."""

TOO_FEW_SHARE = 0.95
"""Of the declared rate; 29.97 for 30 is none of it, one picture in twenty is."""

ENOUGH_SHARE = 0.97

DROPPED_SHARE = 0.01
"""Of the pictures in the window; a single one in ten seconds is nobody's trouble."""

FEW_DROPPED_SHARE = 0.003

MANY_DROPPED_SHARE = 0.05
"""One in twenty: the picture stutters for everybody."""

GAP = 1.6
"""Usual steps that make a gap; whole milliseconds make 60 pictures per second 16 and 17 apart."""

EVEN_WITHIN = 0.15
"""Of the usual step, either way; whatever scatters further is no steady rate."""

EVEN_WITHIN_MS = 3
"""... or this: whole milliseconds make steps of 8 and 9 of 120 pictures per second."""

EVEN_SHARE = 0.6
"""Of a second's steps, or the stream has no steady rate that a gap could be seen in."""

FEW_STEPS = 4
"""Fewer steps in a second say nothing of what is usual."""

LONGEST_GAP_MS = 10_000
"""Beyond it the picture has stood still, which is something else."""

KEYFRAMES_ONLY_S = 5
"""Seconds with nothing but keyframes: what OBS sends when the network takes no more."""

SPARSE_FPS = 4.0
"""Codecs whose every frame is a keyframe are faster than this."""

STILL_S = 4
"""Seconds of sound without a picture."""

STARTING_S = 2
"""Encoders that begin are not even yet."""

_FINE = Level.FINE


class Frames:
    """The leading picture's frames."""

    codes = (Code.FRAMES_DROPPED, Code.FRAMERATE_MISMATCH)

    def __init__(self) -> None:
        self.declared = Declared()
        self._pictures: deque[int] = deque(maxlen=WINDOW)
        self._span_ms: deque[int] = deque(maxlen=WINDOW)
        self._missed: deque[int] = deque(maxlen=WINDOW)
        self._minute: deque[tuple[int, int]] = deque(maxlen=MINUTE)  # pictures, missed
        self._before = 0  # the step before this second's
        self._usual = 0  # step; 0 as long as there is none
        self._keyframes_only = 0  # seconds
        self._lone_keyframes = 0  # in those
        self._had_others = False
        self._still = 0

    def take(self, second: Second) -> None:
        only = second.pictures > 0 and len(second.keyframes) == second.pictures
        missed = 0
        if second.number > STARTING_S:
            missed = self._count_missed(second.steps, are_keyframes=only and self._had_others)
        longest = max(second.steps, default=0)
        self._pictures.append(len(second.steps))
        self._span_ms.append(sum(second.steps) - (longest if longest > LONGEST_GAP_MS else 0))
        self._missed.append(missed)
        self._minute.append((second.pictures, missed))
        if second.pictures:
            self._keyframes_only = self._keyframes_only + 1 if only else 0
            self._lone_keyframes = self._lone_keyframes + second.pictures if only else 0
            self._had_others = self._had_others or not only
            self._still = 0
        elif second.video_at is not None:
            self._keyframes_only += self._keyframes_only > 0
            self._still += second.sounds > 0

    def _count_missed(self, steps: tuple[int, ...], *, are_keyframes: bool) -> int:
        """How many pictures are missing between those that came."""
        if not steps:
            return 0
        before, self._before = self._before, steps[-1]
        shortest, longest = min(steps), max(steps)
        if are_keyframes and self._usual:
            self._before = self._usual
            return _missing(self._usual, steps, self._usual)
        if longest < GAP * shortest:
            self._usual = shortest
            return 0
        if len(steps) >= FEW_STEPS:
            self._usual = median_low(steps)
            even = sum(_is_even(step, self._usual) for step in steps)
            if even < EVEN_SHARE * len(steps):
                return 0
        return _missing(before, steps, self._usual)

    @property
    def fps(self) -> float | None:
        """Pictures per second of the publisher's own clock."""
        span = sum(self._span_ms)
        return sum(self._pictures) * MILLIS / span if span > 0 else None

    @property
    def dropped_share(self) -> float:
        """Of the last ten seconds' pictures."""
        missed = sum(self._missed)
        return missed / (missed + sum(self._pictures)) if missed else 0.0

    @property
    def dropped_last_minute(self) -> float:
        """The share of the pictures of the last minute that never came."""
        came = sum(pictures for pictures, _ in self._minute)
        missed = sum(missed for _, missed in self._minute)
        return missed / (came + missed) if missed else 0.0

    @property
    def sends_keyframes_only(self) -> bool:
        if self._keyframes_only < KEYFRAMES_ONLY_S:
            return False
        is_sparse = self._lone_keyframes < SPARSE_FPS * self._keyframes_only
        declared = self.declared.frame_rate
        is_unusual = self._had_others or (declared is not None and declared > 2 * SPARSE_FPS)
        return is_sparse and is_unusual

    def look(self) -> tuple[Level, Level]:
        dropped = self._dropping()
        return dropped, self._slowness(dropped)

    def _dropping(self) -> Level:
        if self._still >= STILL_S or self.sends_keyframes_only:
            return Level.ERROR
        share = self.dropped_share
        if share >= MANY_DROPPED_SHARE:
            return Level.ERROR
        if share >= DROPPED_SHARE:
            return Level.WARNING
        return Level.UNSURE if share > FEW_DROPPED_SHARE else _FINE

    def _slowness(self, dropped: Level) -> Level:
        declared, fps = self.declared.frame_rate, self.fps
        if declared is None or fps is None or len(self._pictures) < STARTING_S + 2:
            return _FINE
        if self._still or (self._keyframes_only >= STARTING_S and self._had_others):
            return Level.UNSURE
        if dropped > Level.UNSURE:
            fps /= 1.0 - self.dropped_share  # those are accounted for
        if fps < TOO_FEW_SHARE * declared:
            return Level.WARNING
        return Level.UNSURE if fps < ENOUGH_SHARE * declared else _FINE

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.FRAMERATE_MISMATCH:
            return (
                f"{self.fps or 0.0:.1f} of {self.declared.frame_rate or 0.0:.4g} frames per second "
                "arrive: the encoder is overloaded. Choose a faster preset in Settings > Output, "
                "or 30 in Settings > Video > Common FPS Values."
            )
        if self._still >= STILL_S:
            return (
                f"There has been sound without a picture for {self._still} s: see whether the "
                "encoder still runs."
            )
        if self.sends_keyframes_only:
            what = "Only keyframes arrive"
        else:
            share = max(self.dropped_last_minute, 0.001)
            what = f"The encoder dropped {share:.1%} of the frames in the last minute"
        return (
            f"{what}. Stats tells why: for Dropped Frames (Network) lower the bitrate or use a "
            "cable; for Skipped frames (encoding lag) choose a faster preset."
        )


def _missing(before: int, steps: tuple[int, ...], usual: int) -> int:
    """Pictures that would fill the gaps of ``steps``; ``before`` is the step ahead of them."""
    missed = 0
    for step in steps:
        if 0 < GAP * usual <= step <= LONGEST_GAP_MS and _is_even(before, usual):
            missed += round(step / usual) - 1
        before = step
    return missed


def _is_even(step: int, usual: int) -> bool:
    return abs(step - usual) <= max(EVEN_WITHIN * usual, EVEN_WITHIN_MS)
