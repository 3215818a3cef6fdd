"""The bit rate, against the one that the encoder says it is set to.

Two things look like an uplink that is too slow and are none. A picture that hardly moves takes
next to nothing between its keyframes, so a stream whose bytes are mostly keyframes is not called
low. And an encoder with a variable rate takes what the picture needs: the rate is only called
unstable where it keeps to the declared one, as a constant rate does, and falls below it.

Keyframes come every other second and are large, so they are spread evenly before anything is
compared. What has come through is also what an encoder may safely be set to (``safe_kbits``).
"""

import math
from collections import deque
from itertools import pairwise
from operator import sub

from origin.observe.health.codes import Code, Level
from origin.observe.health.second import BITS, KILO, MILLIS, Declared, Second

WINDOW = 10
"""Seconds of the mean: five keyframe intervals as they should be."""

LOW_SHARE = 0.6
"""Of the declared rate: OBS's dynamic bitrate goes down to that within two steps."""

FAIR_SHARE = 0.65

VARIATION = 0.35
"""Standard deviation over mean, of pairs of seconds: two of ten seconds with next to nothing."""

FAIR_VARIATION = 0.3

CONSTANT_WITHIN = 1.3
"""Of the declared rate: a constant rate with a second's buffer does not go beyond it."""

STILL_SHARE = 0.5
"""Of the picture's bytes in keyframes: the picture hardly moves."""

ENOUGH = 8
"""Seconds that make a variation."""

SETTLING_S = 1
"""Encoders begin with what they had ready, or with nothing."""

SAFE_SHARE = 0.75
"""Of what came through: the rest is for audio, overhead and bad minutes."""

ROUND_KBITS = 100

_FINE = Level.FINE


class Bitrate:
    """Bytes of the leading picture and sound."""

    codes = (Code.BITRATE_LOW, Code.BITRATE_UNSTABLE)

    def __init__(self) -> None:
        self.declared = Declared()
        self._pictures: deque[int] = deque(maxlen=WINDOW)
        self._keyframes: deque[int] = deque(maxlen=WINDOW)
        self._sounds: deque[int] = deque(maxlen=WINDOW)
        self._media_ms: deque[int] = deque(maxlen=WINDOW)
        self._only_keyframes = False
        self._total_bytes = self._seconds = 0

    def take(self, second: Second) -> None:
        self._total_bytes += second.picture_bytes + second.sound_bytes
        self._seconds += 1
        if second.number <= SETTLING_S:
            return
        self._pictures.append(second.picture_bytes)
        self._keyframes.append(sum(picture.size for picture in second.keyframes))
        self._sounds.append(second.sound_bytes)
        self._media_ms.append(second.video_steps_ms)
        if second.pictures:
            self._only_keyframes = len(second.keyframes) == second.pictures

    @property
    def now(self) -> float | None:
        """Bits per second, of the last ten seconds or what there is of them."""
        if not self._pictures:
            return None
        return (sum(self._pictures) + sum(self._sounds)) * BITS / len(self._pictures)

    @property
    def audio_now(self) -> float | None:
        """The sound's share of it."""
        return sum(self._sounds) * BITS / len(self._sounds) if self._sounds else None

    @property
    def average(self) -> float | None:
        """Bits per second since the publish began."""
        return self._total_bytes * BITS / self._seconds if self._seconds else None

    @property
    def share(self) -> float | None:
        """Of the declared rate; of the picture's where nothing is said of the sound's."""
        if self.declared.video_bitrate is None or not self._pictures:
            return None
        came, declared = sum(self._pictures), self.declared.video_bitrate
        if self.declared.audio_bitrate is not None:
            came += sum(self._sounds)
            declared += self.declared.audio_bitrate
        return came * BITS / len(self._pictures) / declared

    def look(self) -> tuple[Level, Level]:
        share = self.share
        if share is None or self._is_still():
            return _FINE, _FINE
        return self._lowness(share), self._unsteadiness(share)

    def _is_still(self) -> bool:
        keyframes, pictures = sum(self._keyframes), sum(self._pictures)
        return not self._only_keyframes and keyframes > STILL_SHARE * pictures

    def _lowness(self, share: float) -> Level:
        if len(self._pictures) < WINDOW - SETTLING_S:
            return _FINE
        if share < LOW_SHARE:
            return Level.WARNING
        return Level.UNSURE if share < FAIR_SHARE else _FINE

    def _unsteadiness(self, share: float) -> Level:
        if len(self._pictures) < ENOUGH or share > CONSTANT_WITHIN:
            return _FINE
        between = list(map(sub, self._pictures, self._keyframes))
        # No deviation is more than half the range, and what varies less needs no closer look.
        if (max(between) - min(between)) * len(between) <= 2 * FAIR_VARIATION * sum(between):
            return _FINE
        variation = _variation(between)
        if variation <= FAIR_VARIATION:
            return _FINE
        if not self._is_capped(between) or not _comes_back(between):
            return _FINE
        return Level.WARNING if variation > VARIATION else Level.UNSURE

    def _is_capped(self, between: list[int]) -> bool:
        """Whether no second of the publisher's own clock has more than a constant rate allows."""
        declared = self.declared.video_bitrate or 0.0
        spread = sum(self._keyframes) / len(self._keyframes)
        most = max(
            ((came + spread) * MILLIS / span if span else 0.0)
            for came, span in zip(between, self._media_ms, strict=True)
        )
        return most * BITS <= CONSTANT_WITHIN * declared

    def say(self, code: Code) -> str:
        """The finding in words."""
        declared = (self.declared.video_bitrate or 0.0) + (self.declared.audio_bitrate or 0.0)
        came = f"{kbits(self.now or 0.0)} of the {kbits(declared)} arrive"
        if code is Code.BITRATE_LOW:
            return (
                f"Only {came}: the network or Dynamically change bitrate is reducing it. "
                "See Stats > Dropped Frames."
            )
        return (
            f"The bitrate goes up and down ({came} on average): the network or Dynamically change "
            "bitrate is reducing it. See Stats > Dropped Frames."
        )


def _variation(values: list[int]) -> float:
    """Standard deviation over mean, of each two neighbours' sum: one late second is no dip."""
    pairs = [first + second for first, second in pairwise(values)]
    mean = sum(pairs) / len(pairs)
    square = sum((pair - mean) ** 2 for pair in pairs) / len(pairs)
    return math.sqrt(square) / mean if mean else 0.0


def _comes_back(values: list[int]) -> bool:
    """Whether they went down and up again: a step from one rate to another is no variation."""
    pairs = [first + second for first, second in pairwise(values)]
    mean = sum(pairs) / len(pairs)
    crossings = sum((one < mean) is not (other < mean) for one, other in pairwise(pairs))
    return crossings > 1


def kbits(bits: float) -> str:
    """Bits per second as OBS writes them."""
    return f"{bits / KILO:.0f} kbit/s"


def safe_kbits(measured: float) -> int:
    """What to set an encoder to, in kbit/s, where so many bits per second have come through."""
    share = measured * SAFE_SHARE / KILO
    return int(share // ROUND_KBITS * ROUND_KBITS) if share >= ROUND_KBITS else round(share)
