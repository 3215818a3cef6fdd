"""Every codec, several pictures and several sounds: all of it is there again after a kill."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from origin.media.coded import AUDIO_TRACK, VIDEO_TRACK, Coded, MediaKind, TrackId
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER, OTHER_AVC_HEADER, media
from tests.support.flv_files import FlvFile, flv_files
from tests.support.keeping import House, text_of

SECONDS = 9.0
PICTURES = (VIDEO_TRACK, TrackId(MediaKind.VIDEO, 1))
SOUNDS = (AUDIO_TRACK, TrackId(MediaKind.AUDIO, 1))
TITLES = {
    "audioTrackIdInfoMap": {"0": {"title": "Stage", "language": "en"}, "1": {"title": "Hall"}}
}


def seen(house: House) -> dict[str, str]:
    """Everything of every rendition, by its address, but for names of what is to come."""
    found = {
        "index.m3u8": house.presentation.multivariant(),
        "ts/index.m3u8": house.presentation.ts_multivariant(),
    }
    for name, rendition in house.presentation.renditions.items():
        found[f"{name}/index.m3u8"] = rendition.playlist()
        found[f"ts/{name}/index.m3u8"] = rendition.ts_playlist()
        for segment in rendition.listed:
            found[f"{name}/{segment.name}"] = rendition.find(segment.name)
            found[f"ts/{name}/{segment.stem}.ts"] = rendition.find_ts(f"{segment.stem}.ts")
            for part in segment.parts:
                found[f"{name}/{part.name}"] = rendition.find(part.name)
    assert any(found.values())
    known = {name: text_of(each) for name, each in found.items() if each is not None}
    return {name: each.replace("epoch1", "epoch0") for name, each in known.items()}


async def kept(house: House, units: Iterable[tuple[int, Coded]], **told: object) -> House:
    """Publish, lose the publisher, and kill the process; all must be as it was."""
    publication = await house.publish()
    publication.describe(told)
    for at, unit in units:
        publication.push(at, unit)
    publication.end(clean=False)
    before = seen(house)
    house.restart()
    assert house.stream.session is not None
    assert seen(house) == before
    return house


@pytest.mark.parametrize("file", flv_files(), ids=lambda file: file.name)
async def test_every_codec(file: FlvFile, tmp_path: Path) -> None:
    await kept(House(tmp_path), file.units())


def several(pictures: Iterable[TrackId], sounds: Iterable[TrackId]) -> list[tuple[int, Coded]]:
    """A broadcast with the same picture and sound on several tracks."""
    tracks = {MediaKind.VIDEO: list(pictures), MediaKind.AUDIO: list(sounds)}
    units: list[tuple[int, Coded]] = []
    for track in tracks[MediaKind.VIDEO]:
        header = OTHER_AVC_HEADER if track.number else AVC_HEADER
        units.append((0, header._replace(track=track)))
    units += [(0, AAC_HEADER._replace(track=track)) for track in tracks[MediaKind.AUDIO]]
    for at, frame in media(SECONDS):
        units += [(at, frame._replace(track=track)) for track in tracks[frame.track.kind]]
    return units


async def test_several_pictures(tmp_path: Path) -> None:
    house = await kept(House(tmp_path), several(PICTURES, SOUNDS[:1]))
    assert list(house.presentation.renditions) == ["v0", "v1"]


async def test_several_sounds_and_what_they_are_called(tmp_path: Path) -> None:
    house = await kept(House(tmp_path), several(PICTURES, SOUNDS), **TITLES)
    names = [name for name in house.presentation.renditions if name[0] in "pa"]
    assert names == ["p0", "p1", "a0", "a1"]
    assert 'NAME="Hall"' in text_of(house.presentation.multivariant())


async def test_sound_alone(tmp_path: Path) -> None:
    await kept(House(tmp_path), several([], SOUNDS[:1]), audiocodecid=10.0)


async def test_tracks_that_come_and_go(tmp_path: Path) -> None:
    house = House(tmp_path)
    begin = 0
    for pictures, sounds in ((1, 1), (2, 1), (2, 2), (1, 1)):
        publication = await house.publish()
        for at, unit in several(PICTURES[:pictures], SOUNDS[:sounds]):
            publication.push(begin + at, unit)
        publication.end(clean=False)
        begin += 60_000
    before = seen(house)
    house.restart()
    assert seen(house) == before
