"""What the multivariant playlist says of one rendition in one container, as it is found out.

Everything is learnt from complete segments: tracks that have changed are announced when the
first segment of them is listed, and not before. The rates begin anew with them; those of
another resolution would be as wrong as none.
"""

from collections.abc import Sequence

from origin.hls.memory import AnnouncementMemory
from origin.hls.multivariant import Rates, announced_frame_rate, codecs_of, video_of
from origin.hls.segment import Segment
from origin.media.colour import VideoRange
from origin.media.track import Track


class Announcement:
    """One rendition's codecs, size and rates; all None until a segment was measured."""

    def __init__(self) -> None:
        self.codecs: str | None = None
        """RFC 6381."""
        self.frame_rate: float | None = None
        self.resolution: tuple[int, int] | None = None
        self._tracks: tuple[Track, ...] = ()
        self._rates = Rates()

    @property
    def bandwidth(self) -> int:
        """Bits per second at most."""
        return self._rates.bandwidth

    @property
    def average_bandwidth(self) -> int | None:
        """Bits per second."""
        return self._rates.average_bandwidth or None

    @property
    def video_range(self) -> VideoRange | None:
        """None also where the stream does not say, which means SDR to a player."""
        video = video_of(self._tracks)
        colour = video.shown_colour if video is not None else None
        return colour.video_range if colour is not None else None

    def memory(self, order: Sequence[Track]) -> AnnouncementMemory:
        """What is announced, where ``order`` are the session's tracks."""
        are_present = all(track in order for track in self._tracks)
        return AnnouncementMemory(
            codecs=self.codecs,
            frame_rate=self.frame_rate,
            resolution=self.resolution,
            tracks=tuple(map(order.index, self._tracks)) if are_present else None,
            rates=self._rates.memory(),
        )

    def recall(self, memory: AnnouncementMemory, order: Sequence[Track]) -> None:
        """Announce what was announced before."""
        self.codecs, self.frame_rate = memory.codecs, memory.frame_rate
        self.resolution = memory.resolution
        self._tracks = tuple(order[index] for index in memory.tracks or ())
        self._rates.recall(memory.rates)

    def measure(self, segment: Segment, size: int, target_duration: int) -> None:
        """Count a complete segment that has ``size`` bytes in this container."""
        if segment.tracks != self._tracks:
            self._tracks = segment.tracks
            self.codecs = codecs_of(segment.tracks)
            self.frame_rate = None
            video = video_of(segment.tracks)
            self.resolution = (video.width, video.height) if video is not None else None
            self._rates = Rates()
        self._rates.add(size, segment.duration_s, target_duration)
        if self.frame_rate is None:
            self.frame_rate = _measured_frame_rate(segment)


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
