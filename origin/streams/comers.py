"""Tracks that come while others are live, and wait for the next domain.

It begins where the picture that leads has its next keyframe. A picture's own keyframe of that
moment may come a little sooner: what came of it since is kept for so long, and it need not wait
for yet another one.
"""

from origin.media.coded import CodedFrame, TrackId
from origin.media.timebase import Millis, unwrap

EARLY = Millis(200)
"""By so much the keyframe of a moment may come before the leader's: some encoders reorder."""

MOST_BYTES = 16 * 1024 * 1024
"""Of all that is kept: time stamps that stand still cannot tell that a moment has passed."""


class Comers:
    """Feed it the frames of tracks that the domain has not."""

    def __init__(self) -> None:
        self._frames: dict[TrackId, list[tuple[int, CodedFrame]]] = {}
        self._bytes = 0

    def __bool__(self) -> bool:
        return bool(self._frames)

    def push(self, at: int, frame: CodedFrame) -> None:
        """Keep a frame stamped ``at``, if it or one shortly before is a keyframe."""
        kept = self._frames.setdefault(frame.track, [])
        if frame.is_keyframe:
            self._drop(kept)
        elif kept and not _is_soon_after(at, kept[0][0]):
            self._drop(kept)
            return
        if kept or frame.is_keyframe:
            kept.append((at, frame))
            self._bytes += len(frame.payload)
        if self._bytes > MOST_BYTES:
            self._drop(kept)

    def take(self, at: int) -> list[tuple[int, CodedFrame]]:
        """Take what belongs to a GOP that begins now, with a keyframe stamped ``at``."""
        frames = self._frames
        self.clear()
        soon = [kept for kept in frames.values() if kept and _is_soon_after(at, kept[0][0])]
        return [entry for kept in soon for entry in kept]

    def clear(self) -> None:
        self._frames, self._bytes = {}, 0

    def _drop(self, kept: list[tuple[int, CodedFrame]]) -> None:
        self._bytes -= sum(len(frame.payload) for _, frame in kept)
        kept.clear()


def _is_soon_after(at: int, first: int) -> bool:
    return abs(unwrap(at, Millis(first)) - first) <= EARLY
