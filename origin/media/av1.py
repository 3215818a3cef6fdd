"""AV1: the configuration record, and the sequence header inside of it.

The sequence header is an ``AV1CodecConfigurationRecord`` (AV1 in ISO BMFF, 2.3): four bytes that
repeat what decides about playing, then OBUs, of which one is the sequence header (AV1, 5.5). An
encoder that leaves it out has it in its first keyframe, from which it is then taken: without it
nobody knows how large the picture is.

CODECS is ``av01.P.LLT.DD``; the colour fields follow only where the stream names its colours, and
not the ones that are taken for granted (AV1 in ISO BMFF, 5).
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.av1_sequence import SequenceParameters, find_sequence_header, parse_sequence
from origin.media.coded import Codec
from origin.media.configuration import VideoConfiguration

MARKER_AND_VERSION = 0x81
HEAD_BYTES = 4
GRANTED = ".0.110.01.01.01.0"
"""The colour fields' defaults: 4:2:0, BT.709, studio range."""


@dataclass(frozen=True, slots=True)
class Av1Configuration(VideoConfiguration):
    """An AV1 decoder configuration; the record is the ``av1C`` body."""

    codec: ClassVar[Codec] = Codec.AV1

    @staticmethod
    def parse(record: bytes, keyframe: bytes = b"") -> "Av1Configuration":
        """Read an ``AV1CodecConfigurationRecord``; raise MediaError if it is not one.

        ``keyframe`` is looked at where the record has no sequence header.
        """
        if len(record) < HEAD_BYTES or record[0] != MARKER_AND_VERSION:
            raise MediaError(f"not an AV1 configuration record: {record[:8].hex()}")
        obu, payload = find_sequence_header(record[HEAD_BYTES:])
        if not obu:
            obu, payload = find_sequence_header(keyframe)
            record = record[:HEAD_BYTES] + obu
        if not obu:
            raise MediaError("AV1 without a sequence header: it must be in the first keyframe")
        picture = parse_sequence(payload)
        return Av1Configuration(
            record=record,
            codecs=_codecs(record, picture),
            width=picture.width,
            height=picture.height,
            frame_rate=picture.frame_rate,
            pixel_aspect=(1, 1),  # AV1 has no other
            colour=picture.colour,
        )


def lacks_sequence_header(record: bytes) -> bool:
    """Whether the first keyframe has to be looked at as well."""
    return record[:1] == bytes([MARKER_AND_VERSION]) and len(record) <= HEAD_BYTES


def _codecs(record: bytes, picture: SequenceParameters) -> str:
    profile, level = record[1] >> 5, record[1] & 0x1F
    tier = "H" if record[2] & 0x80 else "M"
    needed = f"av01.{profile}.{level:02}{tier}.{picture.bit_depth:02}"
    colour = picture.colour
    if colour is None:
        return needed
    subsampling = f"{record[2] >> 3 & 1}{record[2] >> 2 & 1}{record[2] & 3}"
    optional = (
        f".{record[2] >> 4 & 1}.{subsampling}.{colour.primaries:02}.{colour.transfer:02}"
        f".{colour.matrix:02}.{int(colour.full_range)}"
    )
    return needed if optional == GRANTED else needed + optional
