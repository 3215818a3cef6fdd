"""The metadata frame of Enhanced RTMP: what is told of colour beside the pictures.

AMF0 pairs of a name and a value; the one name there is, is ``colorInfo`` (Enhanced RTMP v2,
Metadata Frame)::

    colorConfig { bitDepth, colorPrimaries, transferCharacteristics, matrixCoefficients }
    hdrCll      { maxFall, maxCLL }                                                  cd/m2
    hdrMdcv     { redX, redY, greenX, ..., whitePointY, maxLuminance, minLuminance } CIE xy, cd/m2

Each is optional, FFmpeg sends a ``colorConfig`` with nothing in it, and an empty or undefined
``colorInfo`` takes back what was said before. A number that no display can have makes its record
count as not told: a streamer's picture is not refused for what stands beside it.
"""

from collections.abc import Mapping
from math import isfinite

from origin.media.colour import (
    UNSPECIFIED,
    Colour,
    ColourTold,
    LightLevel,
    MasteringDisplay,
    described,
)
from origin.rtmp.amf0 import Amf0Reader, AmfValue
from origin.rtmp.limits import AmfBounds

CHROMATICITY_STEPS = 50_000  # per 1, in a mastering display's box
LUMINANCE_STEPS = 10_000  # per cd/m2, likewise
BRIGHTEST = 10_000  # cd/m2: where PQ ends (SMPTE ST 2084)

_BOUNDS = AmfBounds(most_bytes=2048, most_values=64, depth=8, what="colour", are_settings=False)
"""FFmpeg sends 24 values in 500 bytes. It may come with every frame, and for each of its tracks."""

_EMPTY: dict[str, AmfValue] = {}


def read_colour(data: bytes | memoryview) -> ColourTold | None:
    """What a metadata frame tells of colour; None if it is about something else.

    Raises:
        ProtocolError: it is not AMF0.
    """
    values = Amf0Reader(data, _BOUNDS).read_rest()
    for name, value in zip(values[::2], values[1::2], strict=False):
        if name == "colorInfo":
            info = _object(value)
            return ColourTold(
                colour=_colour(_object(info.get("colorConfig"))),
                display=_display(_object(info.get("hdrMdcv"))),
                light=_light(_object(info.get("hdrCll"))),
            )
    return None


def _colour(config: Mapping[str, AmfValue]) -> Colour | None:
    names = ("colorPrimaries", "transferCharacteristics", "matrixCoefficients")
    primaries, transfer, matrix = (_code_point(config.get(name)) for name in names)
    return described(primaries, transfer, matrix, full_range=False)


def _display(mdcv: Mapping[str, AmfValue]) -> MasteringDisplay | None:
    red, green, blue, white = (
        (_steps(mdcv.get(f"{name}X"), 1, CHROMATICITY_STEPS),
         _steps(mdcv.get(f"{name}Y"), 1, CHROMATICITY_STEPS))
        for name in ("red", "green", "blue", "whitePoint")
    )  # fmt: skip
    brightest = _steps(mdcv.get("maxLuminance"), BRIGHTEST, LUMINANCE_STEPS)
    darkest = _steps(mdcv.get("minLuminance"), BRIGHTEST, LUMINANCE_STEPS)
    display = MasteringDisplay(red, green, blue, white, brightest, darkest)
    is_whole = brightest and all(x and y for x, y in (red, green, blue, white))
    return display if is_whole else None


def _light(cll: Mapping[str, AmfValue]) -> LightLevel | None:
    light = LightLevel(
        _steps(cll.get("maxCLL"), BRIGHTEST, 1), _steps(cll.get("maxFall"), BRIGHTEST, 1)
    )
    return light if light.largest_content or light.largest_frame_average else None


def _object(value: AmfValue) -> Mapping[str, AmfValue]:
    return value if isinstance(value, dict) else _EMPTY


def _code_point(value: AmfValue) -> int:
    if isinstance(value, float) and value in range(256):
        return int(value)
    return UNSPECIFIED


def _steps(value: AmfValue, largest: float, per_unit: int) -> int:
    """A number in its box's steps; 0, which none of these can be, if it makes no sense."""
    if isinstance(value, float) and isfinite(value) and 0 <= value <= largest:
        return round(value * per_unit)
    return 0
