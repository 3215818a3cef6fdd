"""What the multivariant playlist says of one stream in one container, as it is found out.

Everything is learnt from complete segments: tracks that have changed are announced when the
first segment of them is listed, and not before. The rates begin anew with them; those of
another resolution would be as wrong as none. The playlist is rendered when it is asked for, and
again only when something that it says has changed.
"""

from origin.hls.multivariant import (
    Rates,
    Variant,
    announced_frame_rate,
    codecs_of,
    multivariant_playlist,
    video_of,
)
from origin.hls.playlist import Container
from origin.hls.resource import Resource, playlist
from origin.hls.segment import Segment
from origin.media.track import Track


class Announcement:
    """One variant; ``uri`` is its media playlist, relative to the multivariant one."""

    def __init__(self, container: Container, uri: str) -> None:
        self.codecs: str | None = None
        """RFC 6381; None until a segment was measured, as all of these."""
        self.frame_rate: float | None = None
        self._container = container
        self._uri = uri
        self._tracks: tuple[Track, ...] = ()
        self._resolution: tuple[int, int] | None = None
        self._rates = Rates()
        self._rendered: tuple[str, Resource] | None = None

    @property
    def average_bandwidth(self) -> int | None:
        """Bits per second."""
        return self._rates.average_bandwidth or None

    def measure(self, segment: Segment, size: int, target_duration: int) -> None:
        """Count a complete segment that has ``size`` bytes in this container."""
        if segment.tracks != self._tracks:
            self._tracks = segment.tracks
            self.codecs = codecs_of(segment.tracks)
            self.frame_rate = None
            video = video_of(segment.tracks)
            self._resolution = (video.width, video.height) if video is not None else None
            self._rates = Rates()
        self._rates.add(size, segment.duration_s, target_duration)
        if self.frame_rate is None:
            self.frame_rate = _measured_frame_rate(segment)

    def playlist(self, *, independent: bool) -> Resource | None:
        """Return the multivariant playlist, or None until a segment was measured."""
        if self.codecs is None:
            return None
        variant = Variant(
            uri=self._uri,
            bandwidth=self._rates.bandwidth,
            average_bandwidth=self._rates.average_bandwidth,
            codecs=self.codecs,
            resolution=self._resolution,
            frame_rate=self.frame_rate,
        )
        text = multivariant_playlist(self._container, [variant], independent_segments=independent)
        if self._rendered is None or self._rendered[0] != text:
            self._rendered = (text, playlist(text))
        return self._rendered[1]


def _measured_frame_rate(segment: Segment) -> float | None:
    video = video_of(segment.tracks)
    if video is None:
        return None
    index = [track.configuration for track in segment.tracks].index(video)
    run = segment.run(index)
    ticks = sum([sample.duration for sample in run])
    if not ticks:
        return None
    return announced_frame_rate(video, len(run) * segment.timescale / ticks)
