"""The sequence header of AV1: the picture's size, rate, depth and colour.

AV1 bitstream specification: 5.3 (OBUs), 4.10.5 (leb128), 5.5.1 (the sequence header), 5.5.2
(colour). The fields are in a fixed order with conditions, so all of them are walked over.
"""

from dataclasses import dataclass

from origin.errors import MediaError
from origin.media.avc_sps import FASTEST_FRAME_RATE, LARGEST_SIDE
from origin.media.bitreader import BitReader
from origin.media.colour import UNSPECIFIED, Colour, described

OBU_SEQUENCE_HEADER = 1
LONGEST_LEB128 = 8
HIGH_PROFILE, PROFESSIONAL_PROFILE = 1, 2
FIRST_LEVEL_WITH_TIERS = 8
SELECT_SCREEN_CONTENT_TOOLS = 2
SRGB = (1, 13, 0)


MOST_OBUS = 64
"""Looked at before the sequence header is missed: in a keyframe it is the first or the second."""


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What a player has to be told about the picture before it decodes one."""

    width: int
    height: int
    frame_rate: float | None
    bit_depth: int
    colour: Colour | None


def find_sequence_header(obus: bytes) -> tuple[bytes, bytes]:
    """Find the sequence header among OBUs: all of it, and its payload; empty if there is none."""
    at = 0
    for _ in range(MOST_OBUS):
        if at >= len(obus):
            break
        begin, header = at, obus[at]
        at += 2 if header & 0x04 else 1  # obu_extension_flag
        size = len(obus) - at
        if header & 0x02:  # obu_has_size_field
            size, at = _leb128(obus, at)
        if size < 0 or at + size > len(obus):
            raise MediaError("an AV1 OBU that is cut off")
        if header >> 3 & 0x0F == OBU_SEQUENCE_HEADER:
            return obus[begin : at + size], obus[at : at + size]
        at += size
    return b"", b""


def parse_sequence(payload: bytes) -> SequenceParameters:
    """Read a sequence header OBU's payload; raise MediaError if it is broken."""
    bits = BitReader(payload, "the AV1 sequence header")
    profile = bits.read(3)
    bits.skip(1)  # still_picture
    is_reduced = bits.flag()
    frame_rate = None
    if is_reduced:
        bits.skip(5)  # seq_level_idx
    else:
        frame_rate = _read_operation(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if max(width, height) > LARGEST_SIDE:
        raise MediaError(f"an AV1 picture of {width}x{height}")
    if not is_reduced and bits.flag():  # frame_id_numbers_present_flag
        bits.skip(7)
    bits.skip(3)  # 128x128 superblocks, filter intra, intra edge filter
    if not is_reduced:
        _skip_inter_tools(bits)
    bits.skip(3)  # superres, cdef, restoration
    bit_depth, colour = _read_colour(bits, profile)
    return SequenceParameters(width, height, frame_rate, bit_depth, colour)


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(LONGEST_LEB128):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return value, at
    raise MediaError("an AV1 OBU whose size has no end")


def _read_operation(bits: BitReader) -> float | None:
    """Read timing and operating points; return the frame rate where it is constant."""
    frame_rate, has_model, delay_bits = None, False, 0
    if bits.flag():  # timing_info_present_flag
        frame_rate = _read_timing(bits)
        has_model = bits.flag()
        if has_model:
            delay_bits = bits.read(5) + 1
            bits.skip(32 + 5 + 5)
    has_display_delay = bits.flag()
    for _ in range(bits.read(5) + 1):
        bits.skip(12)  # operating_point_idc
        if bits.read(5) >= FIRST_LEVEL_WITH_TIERS:
            bits.skip(1)  # seq_tier
        if has_model and bits.flag():
            bits.skip(2 * delay_bits + 1)
        if has_display_delay and bits.flag():
            bits.skip(4)
    return frame_rate


def _read_timing(bits: BitReader) -> float | None:
    units, scale = bits.read(32), bits.read(32)
    if not bits.flag():  # equal_picture_interval
        return None
    ticks = bits.unsigned_golomb() + 1  # uvlc (4.10.3) is what H.264 calls ue(v)
    if units == 0:
        return None
    rate = scale / (units * ticks)
    return rate if 1.0 <= rate <= FASTEST_FRAME_RATE else None


def _skip_inter_tools(bits: BitReader) -> None:
    bits.skip(4)  # interintra, masked compound, warped motion, dual filter
    has_order_hint = bits.flag()
    if has_order_hint:
        bits.skip(2)  # jnt_comp, ref_frame_mvs
    screen = SELECT_SCREEN_CONTENT_TOOLS if bits.flag() else bits.read(1)
    if screen and not bits.flag():  # seq_choose_integer_mv
        bits.skip(1)
    if has_order_hint:
        bits.skip(3)


def _read_colour(bits: BitReader, profile: int) -> tuple[int, Colour | None]:
    """Read color_config as far as the colour goes."""
    is_deep = bits.flag()
    depth = 10 if is_deep else 8
    if profile == PROFESSIONAL_PROFILE and is_deep and bits.flag():
        depth = 12
    is_monochrome = profile != HIGH_PROFILE and bits.flag()
    code_points = (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED)
    if bits.flag():  # color_description_present_flag
        code_points = (bits.read(8), bits.read(8), bits.read(8))
    full_range = True if not is_monochrome and code_points == SRGB else bits.flag()
    return depth, described(*code_points, full_range=full_range)
