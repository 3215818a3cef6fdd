"""What fMP4 and TS have in common once they are read: tracks of timed frames.

Rules that hold for both (durations, gaps, where a segment may begin) are written against this;
rules of one container look at what its own reader kept besides.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from tests.validator.elementary import AudioFormat, Picture


class Kind(Enum):
    """Kinds of tracks."""

    VIDEO = "video"
    AUDIO = "audio"


class Container(Enum):
    """What segments are made of."""

    FMP4 = "fMP4"
    TS = "MPEG-TS"


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit, in ticks of its track."""

    dts: int
    pts: int
    duration: int | None
    """None for video in TS, which does not tell."""
    is_sync: bool
    """Decoding can begin here, as the bytes themselves say."""


@dataclass(frozen=True, slots=True)
class Run:
    """The frames of one track in one segment, in decoding order; never empty."""

    track: int
    kind: Kind
    timescale: int
    frames: tuple[Frame, ...]
    format: Picture | AudioFormat

    @property
    def start(self) -> Fraction:
        """Decoding time of the first frame, in seconds."""
        return Fraction(self.frames[0].dts, self.timescale)

    @property
    def longest_step(self) -> int:
        """The longest time between two frames, in ticks; 0 for a single one."""
        pairs = zip(self.frames, self.frames[1:], strict=False)
        return max((after.dts - before.dts for before, after in pairs), default=0)


def leading(runs: tuple[Run, ...]) -> Run | None:
    """The track that decides where segments end: video, if there is any."""
    return next((run for run in runs if run.kind is Kind.VIDEO), runs[0] if runs else None)
