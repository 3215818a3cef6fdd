"""Colour: what the numbers in the picture stand for, where the stream says so.

The code points are those of ITU-T H.273, which H.264, HEVC, AV1 and VP9 share, and which an
``nclx`` colour box (ISO/IEC 14496-12, 12.1.5) repeats. High dynamic range is a transfer function
(PQ or HLG) and, with PQ, two records about the display that the picture was made on: SMPTE ST
2086 and the content's light levels. They travel in the units of their boxes here, so that equal
records give equal initialization segments.
"""

from dataclasses import dataclass
from enum import Enum

UNSPECIFIED = 2
TRANSFER_PQ = 16
TRANSFER_HLG = 18
TRANSFERS_SDR = frozenset({1, 6, 13, 14, 15})


class VideoRange(Enum):
    """VIDEO-RANGE (draft-pantos-hls-rfc8216bis, 4.4.6.2)."""

    SDR = "SDR"
    HLG = "HLG"
    PQ = "PQ"


@dataclass(frozen=True, slots=True)
class Colour:
    """Code points of ITU-T H.273; 2 where one is not known."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool = False

    @property
    def video_range(self) -> VideoRange | None:
        """What the transfer function makes of it; None where that is not known."""
        if self.transfer == TRANSFER_PQ:
            return VideoRange.PQ
        if self.transfer == TRANSFER_HLG:
            return VideoRange.HLG
        return VideoRange.SDR if self.transfer in TRANSFERS_SDR else None


@dataclass(frozen=True, slots=True)
class MasteringDisplay:
    """SMPTE ST 2086: chromaticities in steps of 0.00002, luminances of 0.0001 cd/m2."""

    red: tuple[int, int]
    green: tuple[int, int]
    blue: tuple[int, int]
    white: tuple[int, int]
    brightest: int
    darkest: int


@dataclass(frozen=True, slots=True)
class LightLevel:
    """CTA-861.3: the brightest pixel and the brightest frame on average, in cd/m2."""

    largest_content: int
    largest_frame_average: int


@dataclass(frozen=True, slots=True)
class ColourTold:
    """What is told of colour beside the pictures; None where a part of it is not."""

    colour: Colour | None = None
    display: MasteringDisplay | None = None
    light: LightLevel | None = None


NOTHING_TOLD = ColourTold()


def described(primaries: int, transfer: int, matrix: int, *, full_range: bool) -> Colour | None:
    """The colour of these code points, or None where they say nothing."""
    if {primaries, transfer, matrix} == {UNSPECIFIED}:
        return None
    return Colour(primaries, transfer, matrix, full_range)
