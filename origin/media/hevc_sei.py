"""HDR10 in the stream itself: the two SEI messages that an HEVC configuration record may hold.

ITU-T H.265, 7.3.5 (messages follow one another, each with a type and a size of as many bytes as
it takes), D.2.28 (mastering display colour volume) and D.2.35 (content light level information).
Their numbers are in the steps of the boxes ``mdcv`` and ``clli`` already, and in the same order.
x265 puts them beside the parameter sets, and FFmpeg says nothing of them in its metadata. What
is broken here counts as not said: the picture is as good without.
"""

import struct
from collections.abc import Iterable, Iterator

from origin.media.avc_sps import unescape
from origin.media.colour import LightLevel, MasteringDisplay

NAL_SEI = 39  # PREFIX_SEI_NUT
NAL_HEADER_BYTES = 2
MASTERING_DISPLAY = 137
CONTENT_LIGHT_LEVEL = 144
_DISPLAY = struct.Struct(">8H2I")
_LIGHT = struct.Struct(">2H")
_GOES_ON = 0xFF
_LONGEST_UNIT = 4096  # these two take forty bytes; x265 writes its settings into a third


def read_hdr(units: Iterable[bytes]) -> tuple[MasteringDisplay | None, LightLevel | None]:
    """Find both records in SEI NAL units, headers included."""
    display, light = None, None
    for unit in units:
        if len(unit) > _LONGEST_UNIT:
            continue
        for kind, payload in _messages(unescape(unit[NAL_HEADER_BYTES:])):
            if kind == MASTERING_DISPLAY and len(payload) == _DISPLAY.size:
                display = _display(payload)
            elif kind == CONTENT_LIGHT_LEVEL and len(payload) == _LIGHT.size:
                light = LightLevel(*_LIGHT.unpack(payload))
    return display, light


def _display(payload: bytes) -> MasteringDisplay:
    numbers = _DISPLAY.unpack(payload)
    green, blue, red, white = (numbers[at : at + 2] for at in range(0, 8, 2))
    return MasteringDisplay(red, green, blue, white, brightest=numbers[8], darkest=numbers[9])


def _messages(body: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 < len(body):  # the last byte is rbsp_trailing_bits
        kind, at = _number(body, at)
        size, at = _number(body, at)
        yield kind, body[at : at + size]
        at += size


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A number as so many bytes of 255 and one below; and where what follows it is."""
    number = 0
    while at < len(body) and body[at] == _GOES_ON:
        number, at = number + _GOES_ON, at + 1
    return number + (body[at] if at < len(body) else 0), at + 1
