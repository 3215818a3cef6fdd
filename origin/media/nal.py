"""NAL units with length prefixes, as MP4 and RTMP have them (ISO/IEC 14496-15, 5.3.2 and 8.3.2).

Browsers check that the lengths in a frame add up to it, and play nothing more where they do not;
other players show whatever they find. A sender gets it wrong in every frame or in none: most
often it has left the start codes of a transport stream in (H.264, annex B). So it is enough to
look at keyframes, once in some seconds: to walk through every frame costs as much as all else
that is done for it here.
"""

from origin.errors import MediaError
from origin.media.avc import AvcConfiguration
from origin.media.configuration import Configuration
from origin.media.hevc import HevcConfiguration

START_CODES = (b"\x00\x00\x00\x01", b"\x00\x00\x01")
MOST_UNITS = 4096
"""Of one frame. The largest pictures have 600 slices (H.265, A.4.1); walking through 8 MiB of empty
units would hold everybody else up for a second."""
HEVC_LENGTH_SIZE_BYTE = 21  # lengthSizeMinusOne, in the two lowest bits (8.3.2.1.2)


def length_size(configuration: Configuration) -> int | None:
    """How many bytes each NAL unit's length has; None for codecs that have no NAL units."""
    match configuration:
        case AvcConfiguration():
            return configuration.nal_length_size
        case HevcConfiguration():
            return (configuration.record[HEVC_LENGTH_SIZE_BYTE] & 3) + 1
        case _:
            return None


def check_keyframe(configuration: Configuration, payload: bytes) -> None:
    """Raise MediaError if a keyframe is no row of NAL units, and should be one."""
    size = length_size(configuration)
    if size is not None:
        check_units(payload, size)


def check_units(payload: bytes, size: int) -> None:
    """Raise MediaError if the lengths of a frame's NAL units do not add up to the frame."""
    at, end = 0, len(payload)
    for _ in range(MOST_UNITS):
        if at >= end:
            break
        at += size + int.from_bytes(payload[at : at + size], "big")
    if at == end:
        return
    if payload.startswith(START_CODES):
        raise MediaError(
            "pictures with start codes (Annex B) where RTMP wants NAL units with their lengths: "
            "this encoder cannot send H.264 or HEVC over RTMP"
        )
    if at < end:
        raise MediaError(f"a keyframe of more than {MOST_UNITS} NAL units")
    raise MediaError(
        f"a keyframe of {end} bytes whose NAL units are {at} bytes long: browsers refuse it"
    )
