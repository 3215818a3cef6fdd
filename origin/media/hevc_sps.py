"""The sequence parameter set of HEVC: the picture's size, shape, rate and colour.

ITU-T H.265, 7.3.2.2 (the SPS), 7.3.3 (profile, tier and level), 7.3.4 (scaling lists), 7.3.7
(reference picture sets) and E.2.1 (the VUI). The VUI stands last, so everything before it has to
be walked over; every count is bounded, since the syntax allows billions.
"""

from dataclasses import dataclass

from origin.errors import MediaError
from origin.media.avc_sps import (
    CHROMA_444,
    CHROMA_SUBSAMPLING,
    FASTEST_FRAME_RATE,
    LARGEST_SIDE,
    read_appearance,
    unescape,
)
from origin.media.bitreader import BitReader
from origin.media.colour import Colour

NAL_HEADER_BYTES = 2
GENERAL_PROFILE_BITS = 88
LEVEL_BITS = 8
MOST_SUB_LAYERS = 7
MOST_SHORT_TERM_SETS = 64  # num_short_term_ref_pic_sets (7.4.3.2.1)
MOST_LONG_TERM_PICTURES = 32  # num_long_term_ref_pics_sps
MOST_REFERENCES = 16  # sps_max_dec_pic_buffering_minus1 is at most 15
LONGEST_POC_BITS = 16


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
    bits = BitReader(unescape(nal_unit[NAL_HEADER_BYTES:]), "the HEVC SPS")
    bits.skip(4)  # sps_video_parameter_set_id
    sub_layers = bits.read(3)  # less one
    bits.skip(1)  # sps_temporal_id_nesting_flag
    if sub_layers >= MOST_SUB_LAYERS:
        raise MediaError(f"an HEVC SPS with {sub_layers + 1} sub-layers")
    _skip_profile(bits, sub_layers)
    bits.unsigned_golomb()  # sps_seq_parameter_set_id
    width, height = _read_size(bits)
    poc_bits = _skip_depths(bits, sub_layers)
    _skip_coding_tools(bits)
    _skip_references(bits, poc_bits)
    bits.skip(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
    if not bits.flag():  # vui_parameters_present_flag
        return SequenceParameters(width, height, (1, 1), None, None)
    pixel_aspect, colour = read_appearance(bits)
    return SequenceParameters(width, height, pixel_aspect, _read_frame_rate(bits), colour)


def _skip_profile(bits: BitReader, sub_layers: int) -> None:
    bits.skip(GENERAL_PROFILE_BITS + LEVEL_BITS)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))  # reserved_zero_2bits
    for has_profile, has_level in present:
        bits.skip(GENERAL_PROFILE_BITS * has_profile + LEVEL_BITS * has_level)


def _read_size(bits: BitReader) -> tuple[int, int]:
    chroma = bits.unsigned_golomb()
    if chroma not in CHROMA_SUBSAMPLING:
        raise MediaError(f"HEVC chroma format {chroma}")
    if chroma == CHROMA_444 and bits.flag():  # separate_colour_plane_flag
        chroma = 0
    width, height = bits.unsigned_golomb(), bits.unsigned_golomb()
    if bits.flag():  # conformance_window_flag
        across, down = CHROMA_SUBSAMPLING[chroma]
        width -= across * (bits.unsigned_golomb() + bits.unsigned_golomb())
        height -= down * (bits.unsigned_golomb() + bits.unsigned_golomb())
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise MediaError(f"an HEVC picture of {width}x{height}")
    return width, height


def _skip_depths(bits: BitReader, sub_layers: int) -> int:
    """Step over bit depths and buffer sizes; return log2_max_pic_order_cnt_lsb."""
    bits.unsigned_golomb()  # bit_depth_luma_minus8
    bits.unsigned_golomb()  # bit_depth_chroma_minus8
    poc_bits = bits.unsigned_golomb() + 4
    if poc_bits > LONGEST_POC_BITS:
        raise MediaError(f"an HEVC picture order count of {poc_bits} bits")
    for_each = bits.flag()  # sps_sub_layer_ordering_info_present_flag
    for _ in range(sub_layers + 1 if for_each else 1):
        for _ in range(3):  # buffering, reordering, latency
            bits.unsigned_golomb()
    return poc_bits


def _skip_coding_tools(bits: BitReader) -> None:
    for _ in range(6):  # block sizes and transform depths
        bits.unsigned_golomb()
    if bits.flag() and bits.flag():  # scaling_list_enabled_flag, sps_scaling_list_data_present
        _skip_scaling_lists(bits)
    bits.skip(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag():  # pcm_enabled_flag
        bits.skip(8)  # bit depths
        bits.unsigned_golomb()
        bits.unsigned_golomb()
        bits.skip(1)  # pcm_loop_filter_disabled_flag


def _skip_scaling_lists(bits: BitReader) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not bits.flag():  # scaling_list_pred_mode_flag
                bits.unsigned_golomb()
                continue
            if size > 1:
                bits.signed_golomb()  # scaling_list_dc_coef_minus8
            for _ in range(min(64, 16 << (2 * size))):
                bits.signed_golomb()


def _skip_references(bits: BitReader, poc_bits: int) -> None:
    sets = bits.unsigned_golomb()
    if sets > MOST_SHORT_TERM_SETS:
        raise MediaError(f"an HEVC SPS with {sets} reference picture sets")
    pictures = 0
    for index in range(sets):
        pictures = _skip_reference_set(bits, index, pictures)
    if bits.flag():  # long_term_ref_pics_present_flag
        count = bits.unsigned_golomb()
        if count > MOST_LONG_TERM_PICTURES:
            raise MediaError(f"an HEVC SPS with {count} long-term pictures")
        bits.skip(count * (poc_bits + 1))


def _skip_reference_set(bits: BitReader, index: int, before: int) -> int:
    """Step over a set; return how many pictures it has, which the next one may refer to."""
    if index and bits.flag():  # inter_ref_pic_set_prediction_flag
        bits.skip(1)  # delta_rps_sign
        bits.unsigned_golomb()  # abs_delta_rps_minus1
        kept = 0
        for _ in range(before + 1):
            used = bits.flag()  # used_by_curr_pic_flag
            kept += used or bits.flag()  # use_delta_flag
        return kept
    pictures = bits.unsigned_golomb() + bits.unsigned_golomb()
    if pictures > MOST_REFERENCES:
        raise MediaError(f"an HEVC reference picture set of {pictures} pictures")
    for _ in range(pictures):
        bits.unsigned_golomb()  # delta_poc_minus1
        bits.skip(1)  # used_by_curr_pic_flag
    return pictures


def _read_frame_rate(bits: BitReader) -> float | None:
    """Read the VUI from behind the chroma location to its timing, where a tick is a frame."""
    bits.skip(3)  # neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag():  # default_display_window_flag
        for _ in range(4):
            bits.unsigned_golomb()
    if not bits.flag():  # vui_timing_info_present_flag
        return None
    units_in_tick, time_scale = bits.read(32), bits.read(32)
    if units_in_tick == 0:
        return None
    rate = time_scale / units_in_tick
    return rate if 1.0 <= rate <= FASTEST_FRAME_RATE else None
