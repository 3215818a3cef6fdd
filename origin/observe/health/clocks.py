"""The publisher's clocks: jumps, and picture and sound that have come apart.

How far lips are from words cannot be seen in packets. What can be seen is how far apart the time
stamps are of what arrives together: encoders send both in the order of their times, so beyond what
one of them is delayed by encoding, the two clocks have come apart.
"""

from origin.observe.health.codes import Code, Level
from origin.observe.health.second import MILLIS, Second

SKEW_MS = 500
"""Encoders that do not sort, with a second of look-ahead, stay below this; viewers' players do not
mind it, but beyond a second one of the two is moved by force."""

FAIR_SKEW_MS = 350

JUMP_SHOWN_S = 15
"""A jump is over at once: it is told for as long as somebody may look for its cause."""

USUAL_STEP_MS = 40
_FINE = Level.FINE


class Clocks:
    """The two clocks, side by side."""

    codes = (Code.AV_SKEW, Code.TIMESTAMP_JUMP)

    def __init__(self) -> None:
        self.skew_ms: int | None = None
        """The sound's clock less the picture's; None as long as one of them is not there."""
        self._excess_ms = 0
        self._jump_ms = 0
        self._jumped_at: int | None = None
        self._second = 0

    def take(self, second: Second) -> None:
        self._second = second.number
        if second.jump_ms:
            self._jump_ms = second.jump_ms
            self._jumped_at = second.number
        self._excess_ms = 0
        if not second.sounds or not second.pictures:
            return
        if second.audio_at is not None and second.video_at is not None:
            # Either clock is known up to its last frame only.
            step = second.video_steps_ms // second.pictures
            self.skew_ms = second.audio_at - second.video_at
            self._excess_ms = abs(self.skew_ms) - max(step, USUAL_STEP_MS)

    def look(self) -> tuple[Level, Level]:
        shown = self._jumped_at is not None and self._second - self._jumped_at < JUMP_SHOWN_S
        jump = Level.WARNING if shown else _FINE
        if self._excess_ms <= FAIR_SKEW_MS:
            return _FINE, jump
        return Level.WARNING if self._excess_ms > SKEW_MS else Level.UNSURE, jump

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.AV_SKEW:
            skew = self.skew_ms or 0
            late, early = ("picture", "sound") if skew > 0 else ("sound", "picture")
            return (
                f"The {late} comes {abs(skew)} ms behind the {early}: see Edit > Advanced Audio "
                "Properties > Sync Offset, and Settings > Audio > Sample Rate (48 kHz everywhere)."
            )
        way = "forward" if self._jump_ms > 0 else "back"
        return (
            f"The stream's clock jumped {way} by {abs(self._jump_ms) / MILLIS:.1f} s: viewers saw "
            "a break. A media source that loops, or a second encoder with the same key, does this."
        )
