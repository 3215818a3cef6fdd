"""A track: what a decoder must know before the first sample, and the clock they are timed on."""

from dataclasses import dataclass
from typing import TypeAlias

from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import MediaKind
from origin.media.mp3 import Mp3Configuration
from origin.media.timebase import VIDEO_TIMESCALE

VideoConfiguration: TypeAlias = AvcConfiguration
AudioConfiguration: TypeAlias = AacConfiguration | Mp3Configuration
Configuration: TypeAlias = VideoConfiguration | AudioConfiguration


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a presentation; equal tracks have identical initialization segments."""

    configuration: Configuration

    @property
    def kind(self) -> MediaKind:
        if isinstance(self.configuration, AvcConfiguration):
            return MediaKind.VIDEO
        return MediaKind.AUDIO

    @property
    def timescale(self) -> int:
        """Ticks per second: 90,000 for video, the sample rate for audio."""
        if isinstance(self.configuration, AvcConfiguration):
            return VIDEO_TIMESCALE
        return self.configuration.sample_rate
