"""What all decoder configurations have in common: what a track, a playlist and a box ask of them.

One class for pictures and one for sounds; each codec adds what only its own boxes need. They are
values: equal configurations give equal initialization segments, and a record that says the same
again changes nothing.
"""

from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from origin.media.coded import Codec, MediaKind
from origin.media.colour import NOTHING_TOLD, Colour, ColourTold, LightLevel, MasteringDisplay
from origin.media.timebase import VIDEO_TIMESCALE


@dataclass(frozen=True, slots=True)
class VideoConfiguration:
    """A decoder configuration of pictures; each video codec has its own kind of it."""

    codec: ClassVar[Codec]
    kind: ClassVar[MediaKind] = MediaKind.VIDEO

    record: bytes
    """The decoder configuration record, as it goes into the sample entry."""
    codecs: str
    """RFC 6381, for CODECS."""
    width: int
    """In luma samples, after cropping."""
    height: int
    frame_rate: float | None
    """As the stream says; None where it does not."""
    pixel_aspect: tuple[int, int]
    """The sample aspect ratio; (1, 1) where the stream does not say."""
    colour: Colour | None = field(default=None, kw_only=True)
    """As the stream itself says; None where it does not."""
    display: MasteringDisplay | None = field(default=None, kw_only=True)
    light: LightLevel | None = field(default=None, kw_only=True)
    told: ColourTold = field(default=NOTHING_TOLD, kw_only=True)
    """As it is told beside the stream, which is what counts."""

    @property
    def timescale(self) -> int:
        return VIDEO_TIMESCALE

    @property
    def shown_display(self) -> MasteringDisplay | None:
        return self.told.display or self.display

    @property
    def shown_light(self) -> LightLevel | None:
        return self.told.light or self.light

    @property
    def shown_colour(self) -> Colour | None:
        """What was told, else what the stream says; the range is the stream's."""
        told = self.told.colour
        if told is None:
            return self.colour
        full_range = self.colour.full_range if self.colour is not None else False
        return Colour(told.primaries, told.transfer, told.matrix, full_range)


@dataclass(frozen=True, slots=True)
class AudioConfiguration:
    """A decoder configuration of sounds; each audio codec has its own kind of it."""

    codec: ClassVar[Codec]
    kind: ClassVar[MediaKind] = MediaKind.AUDIO

    record: bytes
    """The decoder configuration record, as it goes into the sample entry; may be empty."""
    codecs: str
    """RFC 6381, for CODECS."""
    sample_rate: int
    """What frames are counted in; not always what comes out of the decoder."""
    channels: int
    samples_per_frame: int
    """Of every frame, or of the first one: ``samples_in`` tells."""

    @property
    def timescale(self) -> int:
        return self.sample_rate

    def samples_in(self, payload: bytes) -> int:
        """How many samples a frame holds."""
        return self.samples_per_frame


Configuration: TypeAlias = VideoConfiguration | AudioConfiguration
