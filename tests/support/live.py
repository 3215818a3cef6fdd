"""A live publisher of pictures without content, and what its media playlist says."""

import re

from origin.hls.rendition import Rendition
from origin.hls.rules import Rules
from origin.media.track import Track
from tests.support.frames import START, VIDEO, picture
from tests.support.packaging import Packaging, text

TWO_SECONDS = 60
"""Frames of a segment."""

SIX = Rules(window=6)
CLASSIC = Rules(window=6, low_latency=False)
"""Short windows: what leaves them is soon seen."""


class Live(Packaging):
    """A publisher of nothing but video, with a keyframe every two seconds."""

    def __init__(self, rules: Rules = SIX, *, begins_with_discontinuity: bool = False) -> None:
        super().__init__(rules, begins_with_discontinuity=begins_with_discontinuity)
        self.at = START
        self.begin(VIDEO)

    def begin(self, *tracks: Track) -> None:
        """Begin a timeline: its first frame will be a keyframe."""
        self.configure(*tracks)
        self.frames = 0

    def go_on(self, frames: int, *, keyframes: bool = True) -> None:
        for _ in range(frames):
            key = self.frames == 0 or (keyframes and self.frames % TWO_SECONDS == 0)
            self.push_video([picture(self.at, key=key)])
            self.at += 3000
            self.frames += 1

    def segments(self, count: int) -> None:
        """Complete so many segments: each ends with the keyframe after it."""
        if self.frames == 0:
            self.go_on(1)
        self.go_on(TWO_SECONDS * count)

    def come_back(self) -> None:
        """Lose the publisher, and begin again on a new timeline."""
        self.flush()
        self.presentation.discontinue()
        self.begin(VIDEO)


def tags(rendition: Rendition, name: str) -> list[str]:
    """The values of a tag in the media playlist."""
    lines = text(rendition.playlist()).splitlines()
    found = [line.removeprefix(name) for line in lines if re.match(rf"{name}(:|$)", line)]
    return [value.removeprefix(":") for value in found]


def uris(rendition: Rendition) -> list[str]:
    return [line for line in text(rendition.playlist()).splitlines() if not line.startswith("#")]
