"""H.264: the decoder configuration record, and what its first SPS says about the picture.

RTMP carries an ``AVCDecoderConfigurationRecord`` (ISO/IEC 14496-15, 5.3.3.1) as the sequence
header. It goes into the initialization segment unchanged, byte for byte: a decoder must get
what the encoder meant. We read it for what the playlists and the TS muxer need: CODECS,
RESOLUTION, FRAME-RATE, the parameter sets, and the size of the NAL length prefix.

Parameter sets that come in band only (``avc3``, a record without an SPS) are refused: every
packager downstream would have to guess the picture's size.
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.avc_sps import SequenceParameters, parse_sps
from origin.media.coded import Codec
from origin.media.configuration import VideoConfiguration

RECORD_VERSION = 1
SPS_COUNT_MASK = 0x1F
LENGTH_SIZE_MASK = 0x03
LENGTH_SIZES = (1, 2, 4)
NAL_TYPE_MASK = 0x1F
NAL_SPS = 7
NAL_PPS = 8


@dataclass(frozen=True, slots=True)
class AvcConfiguration(VideoConfiguration):
    """An H.264 decoder configuration; the record is the ``avcC`` body, unchanged.

    RFC 6381, 3.3: ``avc1.`` and the profile, constraint and level bytes of the SPS.
    """

    codec: ClassVar[Codec] = Codec.AVC

    nal_length_size: int
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @staticmethod
    def parse(record: bytes) -> "AvcConfiguration":
        """Read an ``AVCDecoderConfigurationRecord``; raise MediaError if it is not one."""
        if len(record) < 7 or record[0] != RECORD_VERSION:
            raise MediaError(f"not an AVC decoder configuration record: {record[:8].hex()}")
        nal_length_size = (record[4] & LENGTH_SIZE_MASK) + 1
        if nal_length_size not in LENGTH_SIZES:
            raise MediaError(f"AVC NAL units with a length prefix of {nal_length_size} bytes")
        sps, at = _parameter_sets(record, 5, SPS_COUNT_MASK, NAL_SPS)
        pps, _ = _parameter_sets(record, at, 0xFF, NAL_PPS)
        picture = parse_sps(sps[0])
        return _configuration(record, picture, nal_length_size, sps, pps)


def _configuration(
    record: bytes,
    picture: SequenceParameters,
    nal_length_size: int,
    sps: tuple[bytes, ...],
    pps: tuple[bytes, ...],
) -> AvcConfiguration:
    return AvcConfiguration(
        record=record,
        codecs=f"avc1.{sps[0][1:4].hex()}",
        width=picture.width,
        height=picture.height,
        frame_rate=picture.frame_rate,
        pixel_aspect=picture.pixel_aspect,
        colour=picture.colour,
        nal_length_size=nal_length_size,
        sps=sps,
        pps=pps,
    )


def _parameter_sets(
    record: bytes, at: int, count_mask: int, nal_type: int
) -> tuple[tuple[bytes, ...], int]:
    """Read a counted list of NAL units that starts at ``at``; return it and where it ends."""
    if at >= len(record):
        raise MediaError("the AVC configuration ends before its parameter sets")
    count = record[at] & count_mask
    at += 1
    units: list[bytes] = []
    for _ in range(count):
        size = int.from_bytes(record[at : at + 2], "big")
        unit = record[at + 2 : at + 2 + size]
        if len(unit) < size or size < 1 or unit[0] & NAL_TYPE_MASK != nal_type:
            raise MediaError(f"the AVC configuration's parameter set at byte {at} is broken")
        units.append(unit)
        at += 2 + size
    if not units:
        raise MediaError("the AVC configuration has no parameter sets: they must be in the header")
    return tuple(units), at
