"""Samples as MPEG-TS carries them: Annex B for H.264, ADTS for AAC.

MP4 and RTMP keep what frames have in common outside of them; a transport stream has it inside,
again and again, so that a receiver can begin anywhere. PyAV's muxer could do both conversions
itself. They are done here because HLS wants more than it does: an access unit delimiter before
each picture, and the parameter sets before each keyframe, whatever its type is.
"""

from collections.abc import Iterator

from origin.media.aac import AacConfiguration
from origin.media.avc import NAL_PPS, NAL_SPS, NAL_TYPE_MASK, AvcConfiguration

START_CODE = b"\x00\x00\x00\x01"
NAL_DELIMITER = 9
ACCESS_UNIT_DELIMITER = START_CODE + b"\x09\xf0"  # any slice types may follow (H.264, 7.4.2.4)

ADTS_HEADER_BYTES = 7
LONGEST_ADTS_FRAME = 0x1FFF  # aac_frame_length has 13 bits (ISO/IEC 14496-3, 1.A.2.2.2)
ADTS_SYNC = 0xFFF1  # MPEG-4, no CRC
ADTS_PROFILE_LC = 1  # audio object type 2, less one
ADTS_BUFFER_UNKNOWN = 0x7FF


def annex_b(configuration: AvcConfiguration, payload: bytes, *, is_sync: bool) -> bytes:
    """Rewrite a length-prefixed access unit with start codes (H.264, annex B)."""
    units = list(_units(payload, configuration.nal_length_size))
    types = {unit[0] & NAL_TYPE_MASK for unit in units}
    pieces = [ACCESS_UNIT_DELIMITER]
    if is_sync and not types >= {NAL_SPS, NAL_PPS}:
        for parameter_set in (*configuration.sps, *configuration.pps):
            pieces += (START_CODE, parameter_set)
    for unit in units:
        if unit[0] & NAL_TYPE_MASK != NAL_DELIMITER:
            pieces += (START_CODE, unit)
    return b"".join(pieces)


def _units(payload: bytes, length_size: int) -> Iterator[bytes]:
    """Yield the NAL units that are whole; what a broken length leaves over is dropped."""
    at = 0
    while at + length_size < len(payload):
        size = int.from_bytes(payload[at : at + length_size], "big")
        at += length_size
        unit = payload[at : at + size]
        if unit and len(unit) == size:
            yield unit
        at += size


def adts(configuration: AacConfiguration, payload: bytes) -> bytes:
    """Put an ADTS header before a raw AAC frame; empty if the frame is too long for one."""
    size = len(payload) + ADTS_HEADER_BYTES
    if configuration.adts_index is None or size > LONGEST_ADTS_FRAME:
        return b""
    channel_configuration = 7 if configuration.channels == 8 else configuration.channels
    header = ADTS_SYNC
    header = header << 2 | ADTS_PROFILE_LC
    header = header << 4 | configuration.adts_index
    header = header << 4 | channel_configuration  # private_bit 0 before it
    header = header << 4  # original, home, copyright identification bit and start
    header = header << 13 | size
    header = header << 11 | ADTS_BUFFER_UNKNOWN
    header = header << 2  # one raw data block
    return header.to_bytes(ADTS_HEADER_BYTES, "big") + payload
