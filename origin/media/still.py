"""A picture that can be shown again: what to put where a publisher's pictures have stopped.

A player that has both tracks plays nothing of a time for which one of them is not there: when the
picture stops, the sound stops with it. So while it is gone its last keyframe is shown over and
over. Nothing has to be encoded for that, as long as the keyframe needs nothing but itself:

* H.264: an IDR picture. A recovery point (an I picture of an open GOP) counts on from the frames
  before it (``frame_num``), and cannot come twice.
* HEVC: an IDR picture. A CRA picture counts on, too.
* VP9 and AV1: any key frame.

In one respect that is not by the book: two IDR pictures in a row shall differ in ``idr_pic_id``
(H.264, 7.4.3), so that a decoder can tell one from the other in a stream of bytes. Ours need not:
samples of MP4 are whole pictures, and in TS each begins with an access unit delimiter. To count it
on would mean to shift all bits of the picture.
"""

from origin.media.avc import NAL_TYPE_MASK as AVC_TYPE_MASK
from origin.media.avc import AvcConfiguration
from origin.media.configuration import Configuration
from origin.media.hevc import NAL_TYPE_MASK as HEVC_TYPE_MASK
from origin.media.hevc import HevcConfiguration
from origin.media.nal import MOST_UNITS, length_size

_AVC_IDR, _AVC_SLICES = 5, range(1, 6)  # nal_unit_type (H.264, table 7-1)
_HEVC_IDR, _HEVC_SLICES = (19, 20), range(32)  # IDR_W_RADL, IDR_N_LP (H.265, table 7-1)


def can_be_repeated(configuration: Configuration, keyframe: bytes) -> bool:
    """Tell whether a keyframe may be followed by itself."""
    size = length_size(configuration)
    if size is None:
        return True
    headers = _headers(keyframe, size)
    match configuration:
        case AvcConfiguration():
            types = {header & AVC_TYPE_MASK for header in headers}
            return types & set(_AVC_SLICES) == {_AVC_IDR}
        case HevcConfiguration():
            slices = {header >> 1 & HEVC_TYPE_MASK for header in headers} & set(_HEVC_SLICES)
            return bool(slices) and slices <= set(_HEVC_IDR)
        case _:
            return False


def _headers(frame: bytes, size: int) -> list[int]:
    """The first byte of each NAL unit."""
    found: list[int] = []
    at = 0
    while at + size < len(frame) and len(found) < MOST_UNITS:
        found.append(frame[at + size])
        at += size + int.from_bytes(frame[at : at + size], "big")
    return found
