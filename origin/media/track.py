"""A track: what a decoder must know before the first sample, and the clock they are timed on."""

from dataclasses import dataclass

from origin.media.coded import MediaKind
from origin.media.configuration import AudioConfiguration, Configuration, VideoConfiguration

__all__ = ["AudioConfiguration", "Configuration", "Track", "VideoConfiguration"]


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a presentation; equal tracks have identical initialization segments."""

    configuration: Configuration

    @property
    def kind(self) -> MediaKind:
        return self.configuration.kind

    @property
    def timescale(self) -> int:
        """Ticks per second: 90,000 for video, the sample rate for audio."""
        return self.configuration.timescale
