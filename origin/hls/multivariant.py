"""The multivariant playlist (RFC 8216, 4.3.4), and the rates that it announces.

Nothing in it is configured; all is read from the stream. CODECS and RESOLUTION come from the
decoder configurations, FRAME-RATE from the SPS where it agrees with what is measured, VIDEO-RANGE
from the colours that the stream or its metadata name, and the two bandwidths from the segments
themselves.

A playlist that changed with every segment would be worth nothing to a cache, and players read
it once; so rates are announced with something to spare, and held. BANDWIDTH is raised when a
segment proves it wrong, and AVERAGE-BANDWIDTH is corrected when it is a fifth off.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from origin.hls.memory import RatesMemory
from origin.hls.playlist import Container
from origin.media.colour import VideoRange
from origin.media.configuration import VideoConfiguration
from origin.media.frame_rate import snap_frame_rate
from origin.media.track import Track

HEADROOM = 1.2
"""The peak is announced this much above what is measured: the next segment is rarely larger."""
AVERAGE_MAY_BE_OFF = 0.2
STEP = 1000  # bits per second
SHORTEST_RUN, LONGEST_RUN = 0.5, 1.5  # target durations (RFC 8216, 4.3.4.2)
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
    video_range: VideoRange | None = None
    """None where the stream does not say."""
    audio: str | None = None
    """The group that its sound is chosen from; None where the sound is in it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One EXT-X-MEDIA of type AUDIO (RFC 8216, 4.3.4.1)."""

    uri: str
    group: str
    name: str
    language: str | None
    """RFC 5646."""
    is_default: bool
    is_automatic: bool
    """AUTOSELECT: it may be chosen for its language; no two of a group are, for the same one."""
    channels: int | None


class Rates:
    """Measures a session's segments, and chooses what is announced of them.

    The peak is the largest rate of any run of segments that lasts between half and one and a
    half target durations: a last segment of a few frames does not count on its own.
    """

    def __init__(self) -> None:
        self.bandwidth = 0
        """Announced: more than every rate measured so far."""
        self.average_bandwidth = 0
        """Announced: within a fifth of what is measured."""
        self._bits = 0
        self._seconds = 0.0
        self._recent: deque[tuple[int, float]] = deque()

    def memory(self) -> RatesMemory:
        """All that was measured."""
        recent = tuple(self._recent)
        return RatesMemory(
            self.bandwidth, self.average_bandwidth, self._bits, self._seconds, recent
        )

    def recall(self, memory: RatesMemory) -> None:
        """Go on from what was measured before."""
        self.bandwidth, self.average_bandwidth = memory.bandwidth, memory.average_bandwidth
        self._bits, self._seconds = memory.bits, memory.seconds
        self._recent = deque(memory.recent)

    def add(self, size: int, duration_s: float, target_duration: int) -> None:
        """Count a segment of ``size`` bytes."""
        self._bits += size * 8
        self._seconds += duration_s
        self._recent.append((size * 8, duration_s))
        average = self._bits / self._seconds
        if abs(average - self.average_bandwidth) > AVERAGE_MAY_BE_OFF * average:
            self.average_bandwidth = _whole_steps(average)
        peak = max(self._peak(target_duration), average)
        if peak > self.bandwidth:
            self.bandwidth = _whole_steps(peak * HEADROOM)

    def _peak(self, target_duration: int) -> float:
        """Find the highest rate of the runs that end with the newest segment."""
        peak = 0.0
        run_bits, run_s, used = 0, 0.0, 0
        for bits, duration_s in reversed(self._recent):
            if run_s + duration_s > LONGEST_RUN * target_duration and used:
                break
            run_bits, run_s, used = run_bits + bits, run_s + duration_s, used + 1
            if run_s >= SHORTEST_RUN * target_duration:
                peak = max(peak, run_bits / run_s)
        while len(self._recent) > used:
            self._recent.popleft()
        return peak


def _whole_steps(rate: float) -> int:
    return math.ceil(rate / STEP) * STEP


def multivariant_playlist(
    container: Container,
    variants: Sequence[Variant],
    *,
    independent_segments: bool,
    sounds: Sequence[Sound] = (),
) -> str:
    """Write the playlist of these variants, and of the sounds to choose from."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{container.value}"]
    if independent_segments:
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    lines += [f"#EXT-X-MEDIA:{_media_attributes(sound)}" for sound in sounds]
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
    if variant.video_range is not None:
        attributes.append(f"VIDEO-RANGE={variant.video_range.value}")
    if variant.audio is not None:
        attributes.append(f'AUDIO="{variant.audio}"')
    return ",".join(attributes)


def _media_attributes(sound: Sound) -> str:
    attributes = ["TYPE=AUDIO", f'GROUP-ID="{sound.group}"', f'NAME="{sound.name}"']
    if sound.language is not None:
        attributes.append(f'LANGUAGE="{sound.language}"')
    attributes.append(f"DEFAULT={'YES' if sound.is_default else 'NO'}")
    attributes.append(f"AUTOSELECT={'YES' if sound.is_automatic else 'NO'}")
    if sound.channels is not None:
        attributes.append(f'CHANNELS="{sound.channels}"')
    attributes.append(f'URI="{sound.uri}"')
    return ",".join(attributes)


def codecs_of(tracks: Sequence[Track]) -> str:
    """Return CODECS (RFC 6381) for tracks that are played together."""
    return ",".join(track.configuration.codecs for track in tracks)


def video_of(tracks: Sequence[Track]) -> VideoConfiguration | None:
    """Return the configuration of the first video track."""
    for track in tracks:
        if isinstance(track.configuration, VideoConfiguration):
            return track.configuration
    return None


def announced_frame_rate(configuration: VideoConfiguration, measured: float) -> float:
    """Choose FRAME-RATE: the SPS's where it agrees with the frames, else theirs, snapped.

    The SPS is exact where it is right, but some encoders write their time base in its place.
    """
    told = configuration.frame_rate
    if told is not None and abs(told - measured) <= RATES_AGREE_WITHIN * measured:
        return told
    return snap_frame_rate(measured)
