"""When frames arrive, against the publisher's own clock.

The lag is the server's clock less the publisher's, and nobody knows how far the two are apart to
begin with: only how it changes means anything. Of each second the least late frame counts, since
what makes a frame late (a large keyframe before it, a beat to wait for, a radio) does not make it
early. What is left is level within some milliseconds for a healthy stream.

It rises where more is sent than the uplink takes: first by a little, then by seconds, until the
encoder drops frames. It rises or falls evenly where the publisher's clock is wrong.
"""

import math
from collections import deque
from itertools import pairwise

from origin.observe.health.bitrate import safe_kbits
from origin.observe.health.codes import Code, Level
from origin.observe.health.second import BITS, MILLIS, MINUTE, Second

RISE_MS = 500.0
"""Within the window. OBS starts dropping at 700 ms of unsent video; this is before that."""

SMALL_RISE_MS = 250.0

WINDOW = 11
"""Looks that make ten seconds between the first and the last."""

DRIFT = 0.006
"""Of the time that passes. Real clocks are off by a ten-thousandth, so what is beyond this is not
a clock but an encoder that reckons its times wrongly; 1 % is a second after 100."""

SMALL_DRIFT = 0.003

FASTEST_RISE = 0.05
"""A steeper rise is the network's; in the other direction there is no limit, since no network
delivers what has not been recorded."""

ENOUGH = 8
"""Looks that make a drift."""

EVENLY = 0.25
"""Of the whole change, at least, in each half: a drift does not come in steps."""

UNSTEADY = 2.0
"""Times the whole change: what goes up and down by more is jitter, and got there by chance."""

STARTING_S = 1
"""Encoders begin with what they had ready."""

_FINE = Level.FINE


class _Least:
    """The least of the last minute, or of up to half a minute more."""

    __slots__ = ("_before", "_count", "_present")

    def __init__(self) -> None:
        self._before = self._present = math.inf
        self._count = 0

    def take(self, value: float) -> None:
        self._present = min(self._present, value)
        self._count += 1
        if self._count >= MINUTE:
            self._before, self._present, self._count = self._present, value, 0

    @property
    def value(self) -> float:
        return min(self._before, self._present)


class _Track:
    """The least lag of each second, of one track."""

    __slots__ = ("_lags", "_least", "lag_ms", "rise_ms")

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=WINDOW)
        self._least = _Least()
        self.lag_ms: float | None = None
        """Of the latest second, over the least of the last minute."""
        self.rise_ms = 0.0
        """Over the least of the last ten seconds."""

    def take(self, lag_ms: float | None) -> None:
        """None begins anew: what was before cannot be compared with what comes."""
        if lag_ms is None:
            if self._lags:
                self._lags.clear()
                self._least = _Least()
            self.lag_ms = None
            return
        self._lags.append(lag_ms)
        self._least.take(lag_ms)
        self.lag_ms = lag_ms - self._least.value
        self.rise_ms = lag_ms - min(self._lags)

    @property
    def drift(self) -> float:
        """How much too slow its clock is; 0 where it is uneven, or the network's."""
        if len(self._lags) < ENOUGH:
            return 0.0
        looks = list(self._lags)
        third = len(looks) // 3
        apart = len(looks) - third
        first, last = min(looks[:third]), min(looks[-third:])
        whole = last - first
        drift = whole / MILLIS / apart
        if abs(drift) < SMALL_DRIFT:
            return 0.0
        middle = (min(looks[apart // 2 : apart // 2 + third]) - first) / whole
        if not EVENLY <= middle <= 1 - EVENLY or drift > FASTEST_RISE:
            return 0.0
        if sum(abs(after - before) for before, after in pairwise(looks)) > UNSTEADY * abs(whole):
            return 0.0
        if drift < 0 and last > self._least.value:  # it makes up for what was late
            return 0.0
        return drift


class Arrival:
    """Both tracks: what only one of them shows is not the network's, and no clock's."""

    codes = (Code.UPLINK_CONGESTED, Code.CLOCK_DRIFT)

    def __init__(self) -> None:
        self._video, self._audio = _Track(), _Track()
        self._bytes: deque[int] = deque(maxlen=WINDOW)
        self.lag_ms: float | None = None
        """Of the track that is less late, over its least of the last minute."""
        self.rise_ms = 0.0
        """Of the track that is less late, within ten seconds."""
        self.worst_ms = 0.0
        """The most that ``lag_ms`` has ever been."""

    def take(self, second: Second) -> None:
        self._bytes.append(second.picture_bytes + second.sound_bytes)
        if second.number > STARTING_S:
            self._video.take(second.video_lag_ms)
            self._audio.take(second.audio_lag_ms)
            self._compare()

    def _compare(self) -> None:
        known = self._known()
        if not known:
            self.lag_ms, self.rise_ms = None, 0.0
            return
        self.lag_ms = min(track.lag_ms or 0.0 for track in known)
        self.rise_ms = min(track.rise_ms for track in known)
        self.worst_ms = max(self.worst_ms, self.lag_ms)

    def _known(self) -> list[_Track]:
        """The sound first: more of its frames come, and the beat does not favour any of them."""
        return [track for track in (self._audio, self._video) if track.lag_ms is not None]

    @property
    def drift(self) -> float:
        """Of the track that drifts less; 0 where one of them does not."""
        least = math.inf
        for track in self._known():
            drift = track.drift
            if not drift:
                return 0.0
            least = min(least, drift, key=abs)
        return least if least < math.inf else 0.0

    @property
    def bitrate(self) -> float:
        """Bits per second that came through in the last ten seconds."""
        return sum(self._bytes) * BITS / max(1, len(self._bytes))

    def look(self) -> tuple[Level, Level]:
        rise, drift = self.rise_ms, abs(self.drift)
        return (
            _FINE if rise <= SMALL_RISE_MS else Level.ERROR if rise > RISE_MS else Level.UNSURE,
            _FINE if drift < SMALL_DRIFT else Level.WARNING if drift >= DRIFT else Level.UNSURE,
        )

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.UPLINK_CONGESTED:
            return (
                f"The stream falls behind: it is {self.rise_ms / MILLIS:.1f} s later than it was "
                f"ten seconds ago. Set Video Bitrate to {safe_kbits(self.bitrate)} kbit/s, and "
                "use a cable instead of Wi-Fi."
            )
        drift = self.drift
        if drift < -FASTEST_RISE:
            return (
                f"The stream's clock runs {1 - drift:.1f} times as fast as time does: in FFmpeg, "
                "put -re before -i."
            )
        return (
            f"The stream's clock is {abs(drift):.1%} too {'slow' if drift > 0 else 'fast'}: "
            "restart the encoder, and set the frame rate of the camera to that of the stream."
        )
