"""MP3: the configuration that is in every frame's header (ISO/IEC 11172-3, 2.4.2.3).

There is no sequence header: the first frame speaks for the stream. MPEG-1 (32 to 48 kHz),
MPEG-2 (16 to 24 kHz, ISO/IEC 13818-3) and the unofficial MPEG-2.5 (8 to 12 kHz) layer III are
taken.

``mp4a.40.34`` (audio object type 34, ISO/IEC 14496-3) is announced, not ``mp4a.6B`` or
``mp4a.69``: it is the name that hls.js maps to what a browser has for MP3. Chromium takes none of
the three in fMP4 (``MediaSource.isTypeSupported`` is false for each), so there MP3 plays from the
TS renditions, which hls.js hands on as ``audio/mpeg``, and from fMP4 it does not.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from origin.errors import MediaError
from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration

MP3_CODECS = "mp4a.40.34"
SYNC = 0x7FF
LAYER_3 = 1
MONO = 3
FREE_FORMAT = 0
BAD_BITRATE = 15


class MpegVersion(Enum):
    """The two bits after the sync word; 1 is reserved."""

    MPEG_2_5 = 0
    MPEG_2 = 2
    MPEG_1 = 3


SAMPLE_RATES = {
    MpegVersion.MPEG_1: (44_100, 48_000, 32_000),
    MpegVersion.MPEG_2: (22_050, 24_000, 16_000),
    MpegVersion.MPEG_2_5: (11_025, 12_000, 8_000),
}


@dataclass(frozen=True, slots=True)
class Mp3Configuration(AudioConfiguration):
    """What all frames of an MP3 stream have in common; there is no record."""

    codec: ClassVar[Codec] = Codec.MP3

    @staticmethod
    def parse(first_frame: bytes) -> "Mp3Configuration":
        """Read a frame's header; raise MediaError if it is not MPEG audio layer III."""
        header = int.from_bytes(first_frame[:4], "big")
        version, layer = header >> 19 & 3, header >> 17 & 3
        bitrate, rate = header >> 12 & 15, header >> 10 & 3
        if len(first_frame) < 4 or header >> 21 != SYNC or layer != LAYER_3:
            raise MediaError(f"not an MP3 frame: {first_frame[:4].hex()}")
        if version == 1 or rate == 3 or bitrate in (FREE_FORMAT, BAD_BITRATE):
            raise MediaError(f"an MP3 frame header with reserved values: {first_frame[:4].hex()}")
        mpeg = MpegVersion(version)
        return Mp3Configuration(
            record=b"",
            codecs=MP3_CODECS,
            sample_rate=SAMPLE_RATES[mpeg][rate],
            channels=1 if header >> 6 & 3 == MONO else 2,
            samples_per_frame=1152 if mpeg is MpegVersion.MPEG_1 else 576,
        )
