"""When frames arrive, against the publisher's own clock.

The lag is the server's clock less the publisher's, and nobody knows how far the two are apart to
begin with: only how it changes means anything. Of each second the least late frame counts, since
what makes a frame late (a large keyframe before it, a beat to wait for, a radio) does not make it
early. What is left is level within some milliseconds for a healthy stream.

It rises where more is sent than the uplink takes: first by a little, then by seconds, until the
encoder drops frames. It rises or falls evenly where the publisher's clock is wrong.
"""

from collections import deque
from collections.abc import Iterator

from origin.observe.health.codes import Code, Level
from origin.observe.health.second import Second

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

STARTING_S = 1
"""Encoders begin with what they had ready."""

MINUTE = 60
MILLIS = 1000


class _Track:
    """The least lag of each second, of one track."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=WINDOW)
        self._minute: deque[float] = deque(maxlen=MINUTE)

    def take(self, lag_ms: float | None) -> None:
        """None begins anew: what was before cannot be compared with what comes."""
        if lag_ms is not None:
            self._lags.append(lag_ms)
            self._minute.append(lag_ms)
        elif self._lags:
            self._lags.clear()
            self._minute.clear()

    @property
    def is_known(self) -> bool:
        return bool(self._lags)

    @property
    def lag_ms(self) -> float:
        """Of the latest second, over the least of the last minute."""
        return self._lags[-1] - min(self._minute)

    @property
    def rise_ms(self) -> float:
        """Over the least of the last ten seconds."""
        return self._lags[-1] - min(self._lags)

    @property
    def drift(self) -> float:
        """How much too slow its clock is; 0 where it is uneven, or the network's."""
        if len(self._lags) < ENOUGH:
            return 0.0
        looks = list(self._lags)
        third = len(looks) // 3
        beside = (len(looks) - third) // 2
        first, last = min(looks[:third]), min(looks[-third:])
        whole = last - first
        drift = whole / MILLIS / (len(looks) - third)
        if abs(drift) < SMALL_DRIFT:
            return 0.0
        middle = (min(looks[beside : beside + third]) - first) / whole
        if not EVENLY <= middle <= 1 - EVENLY or drift > FASTEST_RISE:
            return 0.0
        if drift < 0 and last > min(self._minute):  # it makes up for what was late
            return 0.0
        return drift


class Arrival:
    """Both tracks: what only one of them shows is not the network's, and no clock's."""

    def __init__(self) -> None:
        self._tracks = (_Track(), _Track())
        self._bytes: deque[int] = deque(maxlen=WINDOW)
        self.worst_ms = 0.0
        """The most that ``lag_ms`` has ever been."""

    def take(self, second: Second) -> None:
        self._bytes.append(second.picture_bytes + second.sound_bytes)
        if second.number > STARTING_S:
            for track, lag in zip(
                self._tracks, (second.video_lag_ms, second.audio_lag_ms), strict=True
            ):
                track.take(lag)
            self.worst_ms = max(self.worst_ms, self.lag_ms or 0.0)

    @property
    def lag_ms(self) -> float | None:
        """Of the track that is less late, over its least of the last minute."""
        return min((track.lag_ms for track in self._tracks if track.is_known), default=None)

    @property
    def rise_ms(self) -> float:
        """Of the track that is less late, within ten seconds."""
        return min((track.rise_ms for track in self._tracks if track.is_known), default=0.0)

    @property
    def drift(self) -> float:
        """Of the track that drifts less; 0 where one of them does not."""
        return min((track.drift for track in self._tracks if track.is_known), key=abs, default=0.0)

    @property
    def bitrate(self) -> float:
        """Bits per second that came through in the last ten seconds."""
        return sum(self._bytes) * 8 / max(1, len(self._bytes))

    def look(self) -> Iterator[tuple[Code, Level]]:
        rise = self.rise_ms
        if rise > RISE_MS:
            yield Code.UPLINK_CONGESTED, Level.ERROR
        else:
            yield Code.UPLINK_CONGESTED, Level.UNSURE if rise > SMALL_RISE_MS else Level.FINE
        drift = abs(self.drift)
        if drift >= DRIFT:
            yield Code.CLOCK_DRIFT, Level.WARNING
        else:
            yield Code.CLOCK_DRIFT, Level.UNSURE if drift >= SMALL_DRIFT else Level.FINE

    def say(self, code: Code) -> str:
        """The finding in words."""
        if code is Code.UPLINK_CONGESTED:
            return (
                f"The stream falls behind: it is {self.rise_ms / MILLIS:.1f} s later than it was "
                f"ten seconds ago. Set Video Bitrate to {safe_bitrate(self.bitrate)} kbit/s, and "
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


SAFE_SHARE = 0.75
"""Of what came through: the rest is for audio, overhead and bad minutes."""

ROUND_KBITS = 100


def safe_bitrate(measured: float) -> int:
    """What to set an encoder to, in kbit/s, where so many bits per second have come through."""
    kbits = measured * SAFE_SHARE / 1000
    return int(kbits // ROUND_KBITS * ROUND_KBITS) if kbits >= ROUND_KBITS else round(kbits)
