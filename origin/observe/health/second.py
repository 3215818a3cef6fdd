"""What came in within one second of the server's clock, and what was declared beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

KILO = 1000
MILLIS = 1000
"""In a second."""
MINUTE = 60
"""In seconds, and so in looks."""
BITS = 8
"""In a byte."""


class Picture(NamedTuple):
    """What a keyframe is known by."""

    at: int
    """Unwrapped milliseconds of the publisher's clock."""
    size: int


@dataclass(slots=True)
class Second:
    """The leading picture and the leading sound of one second; made once, and then only read."""

    number: int
    """1 for the first second after the publish began."""
    steps: tuple[int, ...]
    """Milliseconds between one picture and the next, jumps left out."""
    pictures: int
    picture_bytes: int
    keyframes: tuple[Picture, ...]
    video_at: int | None
    """Where the picture's clock has got to; None until there was one."""
    video_steps_ms: int
    """By how much it went on, jumps left out."""
    sounds: int
    sound_bytes: int
    largest_sound: int
    audio_at: int | None
    video_lag_ms: float | None
    """The server's clock less the picture's, at the frame that was least late; None: no idea."""
    audio_lag_ms: float | None
    jump_ms: int
    """By how much a clock has jumped, either way; 0 if none has."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What onMetaData says that the encoder is set to; None where it does not say."""

    video_bitrate: float | None = None
    """Bits per second."""
    audio_bitrate: float | None = None
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    encoder: str | None = None
    has_audio: bool = False

    def bitrate(self, *, has_pictures: bool) -> float | None:
        """All of it; what is said of the sound alone says nothing of a stream with a picture."""
        if self.video_bitrate is None:
            return None if has_pictures or self.width is not None else self.audio_bitrate
        return self.video_bitrate + (self.audio_bitrate or 0.0)

    @staticmethod
    def read(metadata: Mapping[str, object]) -> "Declared":
        """Take what can be believed of ``metadata``; anything may stand in it."""
        width, height = (_number(metadata.get(key), 65_535) for key in ("width", "height"))
        encoder = metadata.get("encoder")
        return Declared(
            video_bitrate=_bits(metadata.get("videodatarate")),
            audio_bitrate=_bits(metadata.get("audiodatarate")),
            frame_rate=_number(metadata.get("framerate"), 1000),
            width=int(width) if width is not None else None,
            height=int(height) if height is not None else None,
            encoder=_printable(encoder) if isinstance(encoder, str) else None,
            has_audio=metadata.get("audiocodecid") not in (None, 0, 0.0, ""),
        )


LONGEST_ENCODER_NAME = 64
FASTEST_KBITS = 1_000_000


def _number(value: object, largest: float) -> float | None:
    """A sane number above zero, or nothing; FFmpeg says 0 for what it does not know."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= largest else None  # NaN is not


def _bits(value: object) -> float | None:
    kbits = _number(value, FASTEST_KBITS)
    return kbits * KILO if kbits is not None else None


def _printable(text: str) -> str:
    return "".join(c for c in text[:LONGEST_ENCODER_NAME] if c.isprintable())
