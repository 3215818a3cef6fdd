"""What onMetaData says of the tracks that will come: how many there are, and what they are called.

Enhanced RTMP v2, "Enhancing onMetaData": ``audioTrackIdInfoMap`` and ``videoTrackIdInfoMap`` have a
property for each track, named by its number; track 0 is what the top level describes, and may be
left out. What stands in them is up to the encoder: a language and a title are taken where there
are any, under the names that Matroska and FFmpeg use for them.
"""

from collections.abc import Iterator, Mapping
from typing import TypeGuard

from origin.hls.listing import SoundName
from origin.media.coded import MediaKind, TrackId

MAPS = {MediaKind.VIDEO: "videoTrackIdInfoMap", MediaKind.AUDIO: "audioTrackIdInfoMap"}
TITLES = ("title", "name", "label")
LANGUAGES = ("language", "lang")
LARGEST_NUMBER = 255
"""A track's number has eight bits."""


def told_tracks(metadata: Mapping[str, object]) -> frozenset[TrackId]:
    """The tracks that the maps tell of."""
    return frozenset(TrackId(kind, number) for kind in MAPS for number, _ in _rows(metadata, kind))


def told_sounds(metadata: Mapping[str, object]) -> dict[int, SoundName]:
    """What the sounds are called, by their numbers."""
    return {
        number: SoundName(_first(row, TITLES), _first(row, LANGUAGES))
        for number, row in _rows(metadata, MediaKind.AUDIO)
    }


def _rows(
    metadata: Mapping[str, object], kind: MediaKind
) -> Iterator[tuple[int, Mapping[str, object]]]:
    rows = metadata.get(MAPS[kind])
    if not _is_object(rows):
        return
    for key, row in rows.items():
        is_number = key.isascii() and key.isdecimal() and len(key) <= len(str(LARGEST_NUMBER))
        if is_number and int(key) <= LARGEST_NUMBER and _is_object(row):
            yield int(key), row


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _first(row: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    found = [value for name in names if isinstance(value := row.get(name), str) and value]
    return found[0] if found else None
