"""Which renditions a session has, and which tracks are in each.

A publisher sends one picture or several, and one sound or several. What viewers are offered::

    one sound, or none      v0  v1 ...    each picture with the sound in it
    several sounds          p0  p1 ...    each picture alone, and
                            a0  a1 ...    each sound alone: an AUDIO group to choose from

Sound and picture in one file are half as many requests and playlists for every viewer, so they
stay together for as long as there is nothing to choose. Where there is, they must part: a player
that is given another sound cannot take the first one out of a file that has both. The numbers are
the publisher's own for its tracks.

Tracks come and go while a session lasts; its names stay. Whoever plays a rendition goes on with
it, whatever becomes of the track that it was made for:

* A rendition whose track has ended is no longer offered, and goes on with the one that is nearest:
  the next picture (encoders number them from the best one down), the first sound. A player that
  met a playlist's end or a 404 instead would stop, or look for another one by itself at best.
* A session that has once had several sounds keeps them apart for the rest of its life. One that
  gets a second sound later has its ``v`` renditions go on beside the ``p`` ones, unlisted.
* Where there is nothing at all to put in a rendition's place, its parts are gaps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from origin.hls.names import RENDITION
from origin.media.coded import MediaKind, TrackId

MOST_RENDITIONS = 48
"""In one session, those included that are no longer offered: a publisher who invents new track
numbers for ever gets no further."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rendition, and what is in it for now."""

    name: str
    tracks: tuple[TrackId, ...]
    """Pictures first; empty where there is nothing for it."""
    is_offered: bool
    """Listed for new players: its own track is there."""
    sound: TrackId | None = None
    """What its transport stream has beside its own tracks: TS has no groups here."""


class Lineup:
    """The renditions of one session; names are never taken away."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._is_apart = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of all renditions that ever were."""
        return tuple(self._names)

    @property
    def is_apart(self) -> bool:
        """Whether sounds are not in the pictures' files."""
        return self._is_apart

    def recall(self, names: Iterable[str], *, is_apart: bool) -> None:
        """Go on with the renditions that there were before."""
        self._names = list(names)
        self._is_apart = is_apart

    def arrange(self, tracks: Iterable[TrackId]) -> tuple[Place, ...]:
        """Tell what is in each rendition while these are the tracks: those offered come first."""
        present = sorted(tracks, key=lambda track: track.number)
        pictures = [track for track in present if track.kind is MediaKind.VIDEO]
        sounds = [track for track in present if track.kind is MediaKind.AUDIO]
        self._is_apart = self._is_apart or len(sounds) > 1
        offered = self._offer(pictures, sounds)
        new = [name for name in offered if name not in self._names]
        self._names += new[: MOST_RENDITIONS - len(self._names)]
        if not set(offered) & set(self._names):
            offered = self._names[-1:]  # there is room for no other
        return tuple(
            _place(name, pictures, sounds, is_offered=name in offered)
            for name in sorted(self._names, key=lambda name: name not in offered)
        )

    def _offer(self, pictures: Sequence[TrackId], sounds: Sequence[TrackId]) -> list[str]:
        if self._is_apart:
            return [f"p{track.number}" for track in pictures] + [
                f"a{track.number}" for track in sounds
            ]
        return [f"v{track.number}" for track in pictures] or [RENDITION]


def _place(
    name: str, pictures: Sequence[TrackId], sounds: Sequence[TrackId], *, is_offered: bool
) -> Place:
    number = int(name[1:])
    match name[0]:
        case "a":
            return Place(name, _sound(number, sounds), is_offered)
        case "p":
            beside = sounds[0] if sounds else None
            return Place(name, _picture(number, pictures), is_offered, beside)
        case _:
            return Place(name, _picture(number, pictures) + tuple(sounds[:1]), is_offered)


def _picture(number: int, pictures: Sequence[TrackId]) -> tuple[TrackId, ...]:
    """Choose the picture of this number, or the next one, or the last."""
    later = [track for track in pictures if track.number >= number]
    return tuple(later[:1] or pictures[-1:])


def _sound(number: int, sounds: Sequence[TrackId]) -> tuple[TrackId, ...]:
    same = [track for track in sounds if track.number == number]
    return tuple(same or sounds[:1])
