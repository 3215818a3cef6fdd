"""HEVC: the decoder configuration record, and what its SPS says about the picture.

The sequence header is an ``HEVCDecoderConfigurationRecord`` (ISO/IEC 14496-15, 8.3.3.1.2): 22
bytes about the stream, then arrays of NAL units by type. It goes into the initialization segment
of an ``hvc1`` entry, whose parameter sets are in the record and complete there: FFmpeg leaves
``array_completeness`` at 0 in RTMP, so that bit is set. All else stays as it came, SEI messages
included. Parameter sets that an encoder repeats in band do no harm.

CODECS is written as ISO/IEC 14496-15, annex E has it: profile, compatibility flags read
backwards, tier and level, constraint bytes without the zeros at their end.
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.coded import Codec
from origin.media.configuration import VideoConfiguration
from origin.media.hevc_sei import NAL_SEI, read_hdr
from origin.media.hevc_sps import parse_sps

RECORD_VERSION = 1
HEAD_BYTES = 22
LENGTH_SIZE_MASK = 0x03
LENGTH_SIZES = (1, 2, 4)
NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34
PARAMETER_SETS = frozenset({NAL_VPS, NAL_SPS, NAL_PPS})
ARRAY_COMPLETENESS = 0x80
NAL_TYPE_MASK = 0x3F
PROFILE_SPACES = ("", "A", "B", "C")


@dataclass(frozen=True, slots=True)
class HevcConfiguration(VideoConfiguration):
    """An HEVC decoder configuration; the record is the ``hvcC`` body."""

    codec: ClassVar[Codec] = Codec.HEVC

    @staticmethod
    def parse(record: bytes) -> "HevcConfiguration":
        """Read an ``HEVCDecoderConfigurationRecord``; raise MediaError if it is not one."""
        if len(record) <= HEAD_BYTES or record[0] != RECORD_VERSION:
            raise MediaError(f"not an HEVC decoder configuration record: {record[:8].hex()}")
        if (record[21] & LENGTH_SIZE_MASK) + 1 not in LENGTH_SIZES:
            raise MediaError("HEVC NAL units with a length prefix of 3 bytes")
        complete, first, messages = _arrays(record)
        if not first.keys() >= PARAMETER_SETS:
            raise MediaError(
                "the HEVC configuration lacks parameter sets: they must be in the header"
            )
        picture = parse_sps(first[NAL_SPS])
        display, light = read_hdr(messages)
        return HevcConfiguration(
            record=complete,
            codecs=_codecs(record),
            width=picture.width,
            height=picture.height,
            frame_rate=picture.frame_rate,
            pixel_aspect=picture.pixel_aspect,
            colour=picture.colour,
            display=display,
            light=light,
        )


def _arrays(record: bytes) -> tuple[bytes, dict[int, bytes], list[bytes]]:
    """Return the record with complete arrays, each type's first unit, and all SEI units."""
    complete = bytearray(record)
    first: dict[int, bytes] = {}
    messages: list[bytes] = []
    at = HEAD_BYTES + 1
    for _ in range(record[HEAD_BYTES]):
        if at + 3 > len(record):
            raise MediaError("the HEVC configuration ends before its parameter sets")
        nal_type = record[at] & NAL_TYPE_MASK
        if nal_type in PARAMETER_SETS:
            complete[at] |= ARRAY_COMPLETENESS
        count = int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            unit = record[at + 2 : at + 2 + size]
            if len(unit) < size or size < 2 or unit[0] >> 1 & NAL_TYPE_MASK != nal_type:
                raise MediaError(f"the HEVC configuration's NAL unit at byte {at} is broken")
            first.setdefault(nal_type, unit)
            if nal_type == NAL_SEI:
                messages.append(unit)
            at += 2 + size
    return bytes(complete[:at]), first, messages


def _codecs(record: bytes) -> str:
    space, tier, profile = record[1] >> 6, record[1] >> 5 & 1, record[1] & 0x1F
    flags = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\x00")
    parts = [
        "hvc1",
        f"{PROFILE_SPACES[space]}{profile}",
        f"{flags:X}",
        f"{'H' if tier else 'L'}{record[12]}",
        *(f"{constraint:X}" for constraint in constraints),
    ]
    return ".".join(parts)
