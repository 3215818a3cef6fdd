"""The findings by name, how grave they are, and how long they are doubted and believed.

A finding is raised within ten seconds of its cause and cleared within thirty of its end: windows
are ten to twelve seconds long, and what is on top of them stands in ``PATIENCE``.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple


class Code(Enum):
    """What can be wrong; the values are what the API, the log and the metrics say."""

    KEYFRAME_INTERVAL_LONG = "keyframe_interval_long"
    KEYFRAME_INTERVAL_VARIABLE = "keyframe_interval_variable"
    BITRATE_LOW = "bitrate_low"
    BITRATE_UNSTABLE = "bitrate_unstable"
    UPLINK_CONGESTED = "uplink_congested"
    FRAMES_DROPPED = "frames_dropped"
    FRAMERATE_MISMATCH = "framerate_mismatch"
    CODEC_NOT_EVERYWHERE = "codec_not_everywhere"
    AUDIO_MISSING = "audio_missing"
    AUDIO_SILENT = "audio_silent"
    AUDIO_CHANNELS = "audio_channels"
    AV_SKEW = "av_skew"
    TIMESTAMP_JUMP = "timestamp_jump"
    CLOCK_DRIFT = "clock_drift"


class Level(IntEnum):
    """What one look at one concern says; everything above ``UNSURE`` is a finding."""

    FINE = 0
    UNSURE = 1
    """Not bad enough to raise a finding, not good enough to clear one."""
    NOTE = 2
    """Worth saying; the stream is as good as it is meant to be."""
    WARNING = 3
    """Some viewers notice, or will."""
    ERROR = 4
    """All viewers notice."""


class Colour(Enum):
    """The whole stream in one word."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Patience(NamedTuple):
    """Looks in a row, a second apart."""

    to_raise: int
    to_clear: int


PATIENCE = {
    # Intervals are facts, and stay in their window for twelve seconds.
    Code.KEYFRAME_INTERVAL_LONG: Patience(1, 1),
    Code.KEYFRAME_INTERVAL_VARIABLE: Patience(1, 4),
    # Means of ten seconds move slowly by themselves.
    Code.BITRATE_LOW: Patience(1, 4),
    Code.BITRATE_UNSTABLE: Patience(2, 4),
    # A single second of bad radio is nobody's business.
    Code.UPLINK_CONGESTED: Patience(2, 3),
    Code.FRAMES_DROPPED: Patience(1, 3),
    Code.FRAMERATE_MISMATCH: Patience(3, 4),
    Code.CODEC_NOT_EVERYWHERE: Patience(1, 1),
    Code.AUDIO_MISSING: Patience(1, 2),
    Code.AUDIO_SILENT: Patience(1, 2),
    Code.AUDIO_CHANNELS: Patience(1, 1),
    Code.AV_SKEW: Patience(3, 4),
    Code.TIMESTAMP_JUMP: Patience(1, 1),
    # Seen over eight seconds at least, and by both tracks.
    Code.CLOCK_DRIFT: Patience(1, 6),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words for the streamer."""

    code: Code
    level: Level
    text: str
    """What was seen, with its numbers, and what to change, in OBS's own words."""
    since_s: float
    """When it was raised, in seconds since the publish began."""


def colour_of(findings: tuple[Finding, ...]) -> Colour:
    """Red if all viewers notice something, yellow if some do."""
    worst = max((finding.level for finding in findings), default=Level.FINE)
    if worst is Level.ERROR:
        return Colour.RED
    return Colour.YELLOW if worst is Level.WARNING else Colour.GREEN
