"""Just enough of H.264, AAC and MP3 to tell what a track is and where decoding can begin.

Written from the standards and for the validator alone: what the packager believes of a stream
is what is to be checked, so none of its parsers may be used here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.validator.errors import UnreadableError

NAL_IDR = 5
NAL_SEI = 6
NAL_SPS = 7
NAL_PPS = 8
NAL_AUD = 9
SEI_RECOVERY_POINT = 6

# Profiles whose SPS says more about chroma and scaling (ITU-T H.264, 7.3.2.1.1).
HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
EXTENDED_SAR = 255
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
"""AAC sampling frequencies by index (ISO/IEC 14496-3, table 1.18)."""

AOT_LC, AOT_SBR, AOT_PS = 2, 5, 29
SYNC_EXTENSION = 0x2B7
"""Announces SBR after the LC configuration (ISO/IEC 14496-3, 1.6.5.1)."""


class Bits:
    """Reads a byte string bit by bit; reading past the end raises ``UnreadableError``."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self.left = len(data) * 8

    def take(self, count: int) -> int:
        if count > self.left:
            raise UnreadableError("the bits end too early")
        self.left -= count
        return self._value >> self.left & (1 << count) - 1

    def unsigned(self) -> int:
        """ue(v): Exp-Golomb (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v): Exp-Golomb, mapped to signed (ITU-T H.264, 9.1.1)."""
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a sequence parameter set says about the pictures."""

    codec: str
    """``avc1.PPCCLL``."""
    width: int
    height: int
    frame_rate: float | None
    """From the VUI; None where it gives none."""


class AudioFormat(NamedTuple):
    """What an audio configuration says; equal formats need no new decoder."""

    codecs: tuple[str, ...]
    """Every string that would be true of it."""
    sample_rate: int
    channels: int
    frame_samples: int


def nal_units(sample: bytes, length_size: int) -> Iterator[bytes]:
    """Split a sample of length-prefixed NAL units (ISO/IEC 14496-15, 5.2.3)."""
    at = 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + length_size], "big")
        at += length_size
        if size == 0 or at + size > len(sample):
            raise UnreadableError(f"NAL unit of {size} bytes where {len(sample) - at} are left")
        yield sample[at : at + size]
        at += size


def nal_units_by_start_code(stream: bytes) -> list[bytes]:
    """Split an Annex B byte stream (ITU-T H.264, annex B)."""
    pieces = stream.split(b"\x00\x00\x01")
    if pieces[0].strip(b"\x00"):
        raise UnreadableError("bytes before the first start code")
    return [piece.rstrip(b"\x00") for piece in pieces[1:]]


def is_recovery_point(nal: bytes) -> bool:
    """A SEI that says that decoding can begin here without an IDR (ITU-T H.264, D.1.8)."""
    if nal[0] & 31 != NAL_SEI:
        return False
    at = 1
    while at + 2 < len(nal):  # the last byte is the trailing bits
        kind, at = _read_long_byte(nal, at)
        size, at = _read_long_byte(nal, at)
        if kind == SEI_RECOVERY_POINT:
            return True
        at += size
    return False


def _read_long_byte(nal: bytes, at: int) -> tuple[int, int]:
    """A number written as bytes of 255 and a rest (7.3.2.3.1); its value and what follows."""
    value = 0
    while nal[at : at + 1] == b"\xff":
        value, at = value + 255, at + 1
    return value + int.from_bytes(nal[at : at + 1], "big"), at + 1


def read_sps(nal: bytes) -> Picture:
    """Read a sequence parameter set (ITU-T H.264, 7.3.2.1.1)."""
    if nal[0] & 31 != NAL_SPS:
        raise UnreadableError("not a sequence parameter set")
    bits = Bits(nal[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile, constraints, level = bits.take(8), bits.take(8), bits.take(8)
    bits.unsigned()  # seq_parameter_set_id
    chroma = _read_chroma(bits) if profile in HIGH_PROFILES else 1
    _skip_picture_order(bits)
    bits.unsigned()  # max_num_ref_frames
    bits.take(1)  # gaps_in_frame_num_value_allowed_flag
    width = (bits.unsigned() + 1) * 16
    height_units = bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)  # mb_adaptive_frame_field_flag
    bits.take(1)  # direct_8x8_inference_flag
    height = height_units * 16 * (2 - frames_only)
    crop_width, crop_height = _read_crop(bits, chroma, frames_only)
    rate = _read_frame_rate(bits) if bits.take(1) else None
    codec = f"avc1.{profile:02x}{constraints:02x}{level:02x}"
    return Picture(codec, width - crop_width, height - crop_height, rate)


def _read_chroma(bits: Bits) -> int:
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)  # separate_colour_plane_flag
    bits.unsigned()  # bit_depth_luma_minus8
    bits.unsigned()  # bit_depth_chroma_minus8
    bits.take(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: Bits) -> None:
    bits.unsigned()  # log2_max_frame_num_minus4
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.unsigned()):
            bits.signed()


def _read_crop(bits: Bits, chroma: int, frames_only: int) -> tuple[int, int]:
    """Columns and rows that are cut off (7.4.2.1.1, equations 7-19 to 7-22)."""
    if not bits.take(1):
        return 0, 0
    left, right, top, bottom = (bits.unsigned() for _ in range(4))
    unit_x = 2 if chroma in (1, 2) else 1
    unit_y = (2 if chroma == 1 else 1) * (2 - frames_only)
    return (left + right) * unit_x, (top + bottom) * unit_y


def _read_frame_rate(bits: Bits) -> float | None:
    """The VUI's timing (ITU-T H.264, E.1.1): two ticks make a frame."""
    if bits.take(1) and bits.take(8) == EXTENDED_SAR:
        bits.take(32)
    if bits.take(1):  # overscan_info_present_flag
        bits.take(1)
    if bits.take(1):  # video_signal_type_present_flag
        bits.take(4)
        if bits.take(1):
            bits.take(24)
    if bits.take(1):  # chroma_loc_info_present_flag
        bits.unsigned()
        bits.unsigned()
    if not bits.take(1):
        return None
    units, scale = bits.take(32), bits.take(32)
    return scale / (2 * units) if units and scale else None


def read_avc_record(record: bytes) -> tuple[int, list[bytes], list[bytes]]:
    """NAL length size, SPS and PPS (ISO/IEC 14496-15, 5.3.3.1)."""
    if len(record) < 7 or record[0] != 1:
        raise UnreadableError("not an AVCDecoderConfigurationRecord")
    at = 6
    sps, at = _read_parameter_sets(record, at, record[5] & 31)
    pps, at = _read_parameter_sets(record, at + 1, record[at] if at < len(record) else 0)
    return (record[4] & 3) + 1, sps, pps


def _read_parameter_sets(record: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    found = []
    for _ in range(count):
        size = int.from_bytes(record[at : at + 2], "big")
        nal = record[at + 2 : at + 2 + size]
        if len(nal) < max(size, 1):
            raise UnreadableError("the configuration record ends too early")
        found.append(nal)
        at += 2 + size
    return found, at


def read_audio_specific_config(record: bytes) -> AudioFormat:
    """AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), SBR and PS in all their ways to be told."""
    bits = Bits(record)
    kind, rate = _read_object_type(bits), _read_rate(bits)
    channels = bits.take(4)
    signalled = kind
    if kind in (AOT_SBR, AOT_PS):
        _read_rate(bits)  # of the extension; the core's rate is what frames are counted by
        kind = _read_object_type(bits)
    short_frames = bits.take(1)
    if signalled == AOT_LC:
        signalled = _read_sync_extension(bits)
    codecs = (f"mp4a.40.{signalled}",)
    return AudioFormat(codecs, rate, channels, 960 if short_frames else 1024)


def _read_object_type(bits: Bits) -> int:
    kind = bits.take(5)
    return 32 + bits.take(6) if kind == 31 else kind


def _read_rate(bits: Bits) -> int:
    index = bits.take(4)
    if index == 15:
        return bits.take(24)
    if index >= len(RATES):
        raise UnreadableError(f"sampling frequency index {index}")
    return RATES[index]


def _read_sync_extension(bits: Bits) -> int:
    bits.take(2)  # dependsOnCoreCoder, extensionFlag: both 0 for LC
    if bits.left < 17 or bits.take(11) != SYNC_EXTENSION:
        return AOT_LC
    if _read_object_type(bits) != AOT_SBR or not bits.take(1):
        return AOT_LC
    _read_rate(bits)
    if bits.left >= 12 and bits.take(11) == 0x548 and bits.take(1):
        return AOT_PS
    return AOT_SBR


class Adts(NamedTuple):
    """One ADTS frame's header: its format and its size, header counted."""

    format: AudioFormat
    size: int


def read_adts(data: bytes, at: int) -> Adts:
    """The fixed and variable header (ISO/IEC 13818-7, 6.2). SBR cannot be told from it."""
    head = Bits(data[at : at + 7])
    if head.take(12) != 0xFFF:
        raise UnreadableError("no ADTS syncword")
    head.take(4)  # ID, layer, protection_absent
    kind = head.take(2) + 1
    rate = _read_rate(head)
    head.take(1)
    channels = head.take(3)
    head.take(4)
    size = head.take(13)
    if size < 7 or at + size > len(data):
        raise UnreadableError(f"ADTS frame of {size} bytes where {len(data) - at} are left")
    told = [kind, AOT_SBR, AOT_PS] if kind == AOT_LC else [kind]
    codecs = tuple(f"mp4a.40.{each}" for each in told)
    return Adts(AudioFormat(codecs, rate, channels, 1024), size)


MP3_CODECS = ("mp4a.40.34", "mp4a.6B", "mp4a.69")
MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
MP3_BITRATES = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def read_mp3(data: bytes, at: int) -> Adts:
    """One MPEG audio layer III header (ISO/IEC 11172-3, 2.4.1.3; 13818-3 for low rates)."""
    head = Bits(data[at : at + 4])
    if head.take(11) != 0x7FF:
        raise UnreadableError("no MPEG audio syncword")
    version, layer = head.take(2), head.take(2)
    head.take(1)
    bitrate_index, rate_index, padding = head.take(4), head.take(2), head.take(1)
    head.take(1)
    mono = head.take(2) == 3
    if layer != 1 or version not in MP3_RATES or rate_index == 3 or bitrate_index in (0, 15):
        raise UnreadableError("not an MPEG audio layer III header")
    samples = 1152 if version == 3 else 576
    rate = MP3_RATES[version][rate_index]
    kbits = MP3_BITRATES[3 if version == 3 else 2][bitrate_index]
    size = samples // 8 * kbits * 1000 // rate + padding
    if at + size > len(data):
        raise UnreadableError(f"MP3 frame of {size} bytes where {len(data) - at} are left")
    return Adts(AudioFormat(MP3_CODECS, rate, 1 if mono else 2, samples), size)
