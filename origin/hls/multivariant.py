"""The multivariant playlist (RFC 8216, 4.3.4), and the rates that it announces.

Nothing in it is configured; all is read from the stream. CODECS and RESOLUTION come from the
decoder configurations, FRAME-RATE from the SPS where it agrees with what is measured, and the
two bandwidths from the segments themselves.

A playlist that changed with every segment would be worth nothing to a cache, so rates are
announced in steps: BANDWIDTH with five per cent of headroom and only ever upwards,
AVERAGE-BANDWIDTH again when it is off by more than five per cent.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from origin.hls.playlist import Container
from origin.media.avc import AvcConfiguration
from origin.media.frame_rate import snap_frame_rate
from origin.media.track import Track

HEADROOM = 1.05
STEP = 1000  # bits per second
RATES_AGREE_WITHIN = 0.05


@dataclass(frozen=True, slots=True)
class Variant:
    """One EXT-X-STREAM-INF and its URI."""

    uri: str
    bandwidth: int
    average_bandwidth: int
    codecs: str
    resolution: tuple[int, int] | None
    frame_rate: float | None


class Rates:
    """Measures the bit rates of a session's segments (RFC 8216, 4.3.4.2).

    The peak is the largest rate of any run of segments that lasts between half and one and a
    half target durations; so a last segment of a few frames does not count on its own.
    """

    def __init__(self) -> None:
        self.peak = 0
        """Announced: at least every rate measured so far."""
        self.average = 0
        """Announced: within five per cent of what is measured."""
        self._bits = 0
        self._seconds = 0.0
        self._recent: deque[tuple[int, float]] = deque()

    def add(self, size: int, duration_s: float, target_duration: int) -> None:
        """Count a segment of ``size`` bytes."""
        bits = size * 8
        self._bits += bits
        self._seconds += duration_s
        self._recent.append((bits, duration_s))
        run_bits, run_s = self._shortest_run(target_duration / 2)
        highest = run_bits / max(run_s, target_duration / 2)
        if highest > self.peak:
            self.peak = math.ceil(highest * HEADROOM / STEP) * STEP
        average = self._bits / self._seconds
        if abs(average - self.average) > RATES_AGREE_WITHIN * average:
            self.average = math.ceil(average / STEP) * STEP
        self.peak = max(self.peak, self.average)

    def _shortest_run(self, at_least_s: float) -> tuple[int, float]:
        """Add up the newest segments that last long enough together; forget older ones."""
        run_bits, run_s = 0, 0.0
        for used, (bits, duration_s) in enumerate(reversed(self._recent), start=1):
            run_bits += bits
            run_s += duration_s
            if run_s >= at_least_s:
                while len(self._recent) > used:
                    self._recent.popleft()
                break
        return run_bits, run_s


def multivariant_playlist(
    container: Container, variants: Sequence[Variant], *, independent_segments: bool
) -> str:
    """Write the playlist of these variants."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{container.value}"]
    if independent_segments:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    for variant in variants:
        lines += [f"#EXT-X-STREAM-INF:{_attributes(variant)}", variant.uri]
    return "\n".join(lines) + "\n"


def _attributes(variant: Variant) -> str:
    attributes = [
        f"BANDWIDTH={variant.bandwidth}",
        f"AVERAGE-BANDWIDTH={variant.average_bandwidth}",
        f'CODECS="{variant.codecs}"',
    ]
    if variant.resolution is not None:
        width, height = variant.resolution
        attributes.append(f"RESOLUTION={width}x{height}")
    if variant.frame_rate is not None:
        attributes.append(f"FRAME-RATE={variant.frame_rate:.3f}")
    return ",".join(attributes)


def codecs_of(tracks: Sequence[Track]) -> str:
    """Return CODECS (RFC 6381) for tracks that are played together."""
    return ",".join(track.configuration.codecs for track in tracks)


def video_of(tracks: Sequence[Track]) -> AvcConfiguration | None:
    """Return the configuration of the first video track."""
    for track in tracks:
        if isinstance(track.configuration, AvcConfiguration):
            return track.configuration
    return None


def announced_frame_rate(configuration: AvcConfiguration, measured: float) -> float:
    """Choose FRAME-RATE: the SPS's where it agrees with the frames, else theirs, snapped.

    The SPS is exact where it is right, but some encoders write their time base in its place.
    """
    told = configuration.frame_rate
    if told is not None and abs(told - measured) <= RATES_AGREE_WITHIN * measured:
        return told
    return snap_frame_rate(measured)
