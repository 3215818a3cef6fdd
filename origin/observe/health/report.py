"""All of it at one moment, for whoever shows it."""

from dataclasses import dataclass

from origin.observe.health.bitrate import kbits
from origin.observe.health.codes import Colour, Finding

JUST_BEGUN_S = 3.0


@dataclass(frozen=True, slots=True)
class Report:
    """A publisher's health; nothing in it is secret, and None is what is not known."""

    age_s: float
    """Since the publish began."""
    colour: Colour
    findings: tuple[Finding, ...]
    """The gravest first."""
    encoder: str | None
    bitrate: float | None
    """Bits per second, over ten seconds."""
    bitrate_average: float | None
    """Since the publish began."""
    bitrate_declared: float | None
    frame_rate: float | None
    frame_rate_declared: float | None
    dropped_share: float
    """Of the last minute's frames."""
    keyframe_last_s: float | None
    keyframe_average_s: float | None
    keyframe_worst_s: float | None
    """Of the last twelve seconds."""
    video_codec: str | None
    profile: str | None
    level: str | None
    width: int | None
    height: int | None
    has_b_frames: bool | None
    audio_codec: str | None
    audio_bitrate: float | None
    sample_rate: int | None
    channels: int | None
    skew_ms: int | None
    """The sound's clock less the picture's, as they arrive."""
    lag_ms: float | None
    """Arrival, over the least of the last minute."""
    reconnects: int
    """How often this session's publisher has come back."""

    @property
    def sentence(self) -> str:
        """What to do, or that there is nothing to do."""
        if self.findings and self.colour is not Colour.GREEN:
            return self.findings[0].text
        if self.age_s < JUST_BEGUN_S:
            return "The stream has just begun."
        told = [
            kbits(self.bitrate) if self.bitrate is not None else "",
            f"{self.frame_rate:.4g} frames per second" if self.frame_rate is not None else "",
            f"a keyframe every {self.keyframe_last_s:.1f} s" if self.keyframe_last_s else "",
        ]
        return f"All is well: {', '.join(part for part in told if part)}."
