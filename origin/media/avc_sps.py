"""The sequence parameter set of H.264: the picture's size, shape and rate.

ITU-T H.264, 7.3.2.1.1 (the SPS), 7.3.2.1.1.1 (scaling lists) and E.1.1 (the VUI). Only the
fields up to the VUI's timing are read; those in between are walked over because Exp-Golomb
codes cannot be skipped unread. Sizes are checked where they are computed, because the syntax
allows pictures of 2**32 macroblocks and they would end up in a playlist.
"""

from dataclasses import dataclass

from origin.errors import MediaError
from origin.media.bitreader import BitReader
from origin.media.colour import Colour, described

LARGEST_SIDE = 16_384  # beyond level 6.2's 139,264 macroblocks in any shape that is watched
FASTEST_FRAME_RATE = 300.0  # level 6.2's maximum; faster "rates" are time bases, not rates
LARGEST_FRAME_NUM_CYCLE = 255  # num_ref_frames_in_pic_order_cnt_cycle (7.4.2.1.1)

# The profiles whose SPS has the chroma and scaling-list fields (7.3.2.1.1).
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
CHROMA_420 = 1
CHROMA_444 = 3
CHROMA_SUBSAMPLING = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # SubWidthC, SubHeightC

EXTENDED_SAR = 255
# Table E-1, aspect_ratio_idc 1 to 16.
PIXEL_ASPECTS = (
    (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SequenceParameters:
    """What a player has to be told about the picture before it decodes one."""

    width: int
    height: int
    pixel_aspect: tuple[int, int]
    frame_rate: float | None
    colour: Colour | None


def parse_sps(nal_unit: bytes) -> SequenceParameters:
    """Read an SPS NAL unit, its header included; raise MediaError if it is broken."""
    if len(nal_unit) < 5:
        raise MediaError(f"an H.264 SPS of {len(nal_unit)} bytes")
    bits = BitReader(unescape(nal_unit[1:]), "the H.264 SPS")
    profile = bits.read(8)
    bits.skip(16)  # constraint flags, level_idc
    bits.unsigned_golomb()  # seq_parameter_set_id
    chroma = _read_chroma(bits) if profile in HIGH_PROFILES else CHROMA_420
    _skip_picture_order(bits)
    bits.unsigned_golomb()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    width, height = _read_size(bits, chroma)
    if not bits.flag():  # vui_parameters_present_flag
        return SequenceParameters(width, height, (1, 1), None, None)
    return SequenceParameters(width, height, *_read_vui(bits))


def unescape(payload: bytes) -> bytes:
    """Remove the emulation prevention bytes of a NAL unit (7.4.1: ``00 00 03``)."""
    if b"\x00\x00\x03" not in payload:
        return payload
    clean = bytearray()
    zeros = 0
    for byte in payload:
        if zeros >= 2 and byte == 3:
            zeros = 0
            continue
        zeros = zeros + 1 if byte == 0 else 0
        clean.append(byte)
    return bytes(clean)


def _read_chroma(bits: BitReader) -> int:
    chroma = bits.unsigned_golomb()
    if chroma not in CHROMA_SUBSAMPLING:
        raise MediaError(f"H.264 chroma format {chroma}")
    if chroma == CHROMA_444 and bits.flag():  # separate_colour_plane_flag
        chroma = 0  # ChromaArrayType is 0 then (7.4.2.1.1)
        lists = 12
    else:
        lists = 12 if chroma == CHROMA_444 else 8
    bits.unsigned_golomb()  # bit_depth_luma_minus8
    bits.unsigned_golomb()  # bit_depth_chroma_minus8
    bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():  # seq_scaling_matrix_present_flag
        for index in range(lists):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following != 0:
            following = (last + bits.signed_golomb()) % 256
        if following != 0:
            last = following


def _skip_picture_order(bits: BitReader) -> None:
    bits.unsigned_golomb()  # log2_max_frame_num_minus4
    kind = bits.unsigned_golomb()
    if kind == 0:
        bits.unsigned_golomb()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.skip(1)  # delta_pic_order_always_zero_flag
        bits.signed_golomb()  # offset_for_non_ref_pic
        bits.signed_golomb()  # offset_for_top_to_bottom_field
        cycle = bits.unsigned_golomb()
        if cycle > LARGEST_FRAME_NUM_CYCLE:
            raise MediaError(f"an H.264 picture order cycle of {cycle} frames")
        for _ in range(cycle):
            bits.signed_golomb()
    elif kind != 2:
        raise MediaError(f"H.264 picture order count type {kind}")


def _read_size(bits: BitReader, chroma: int) -> tuple[int, int]:
    columns = bits.unsigned_golomb() + 1
    rows = bits.unsigned_golomb() + 1
    frame_only = bits.flag()
    if not frame_only:
        bits.skip(1)  # mb_adaptive_frame_field_flag
        rows *= 2  # they were counted in fields
    bits.skip(1)  # direct_8x8_inference_flag
    across, down = CHROMA_SUBSAMPLING[chroma]
    if not frame_only:
        down *= 2  # CropUnitY (equation 7-22)
    width, height = columns * 16, rows * 16
    if bits.flag():  # frame_cropping_flag
        width -= across * (bits.unsigned_golomb() + bits.unsigned_golomb())
        height -= down * (bits.unsigned_golomb() + bits.unsigned_golomb())
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise MediaError(f"an H.264 picture of {width}x{height}")
    return width, height


def _read_vui(bits: BitReader) -> tuple[tuple[int, int], float | None, Colour | None]:
    pixel_aspect, colour = read_appearance(bits)
    return pixel_aspect, _read_frame_rate(bits) if bits.flag() else None, colour


def read_appearance(bits: BitReader) -> tuple[tuple[int, int], Colour | None]:
    """Read the VUI's first fields, up to the chroma location; HEVC's are the same (E.2.1)."""
    pixel_aspect = _read_pixel_aspect(bits) if bits.flag() else (1, 1)
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    colour = None
    if bits.flag():  # video_signal_type_present_flag
        bits.skip(3)  # video_format
        full_range = bits.flag()
        if bits.flag():  # colour_description_present_flag
            code_points = bits.read(8), bits.read(8), bits.read(8)
            colour = described(*code_points, full_range=full_range)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.unsigned_golomb()
        bits.unsigned_golomb()
    return pixel_aspect, colour


def _read_pixel_aspect(bits: BitReader) -> tuple[int, int]:
    index = bits.read(8)
    if index == EXTENDED_SAR:
        across, down = bits.read(16), bits.read(16)
        return (across, down) if across and down else (1, 1)
    if 1 <= index <= len(PIXEL_ASPECTS):
        return PIXEL_ASPECTS[index - 1]
    return (1, 1)


def _read_frame_rate(bits: BitReader) -> float | None:
    """Read the timing: a tick is a field's time, so two of them make a frame (E.2.1)."""
    units_in_tick, time_scale = bits.read(32), bits.read(32)
    if units_in_tick == 0:
        return None
    rate = time_scale / (2 * units_in_tick)
    return rate if 1.0 <= rate <= FASTEST_FRAME_RATE else None
