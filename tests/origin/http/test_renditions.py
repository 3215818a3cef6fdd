"""Several renditions of one stream over HTTP: each has its addresses, and all move together."""

import asyncio
import re

import httpx
import pytest

from origin.media.coded import MediaKind, TrackId
from origin.streams.door import Publication
from tests.origin.streams.test_multitrack import header, times, unit
from tests.support.stations import Station
from tests.support.turns import settle

PICTURES = (TrackId(MediaKind.VIDEO, 0), TrackId(MediaKind.VIDEO, 1))
SOUNDS = (TrackId(MediaKind.AUDIO, 0), TrackId(MediaKind.AUDIO, 1))
TRACKS = (*PICTURES, *SOUNDS)
NAMES = ("p0", "p1", "a0", "a1")


def publish(publication: Publication, seconds: float, *tracks: TrackId) -> None:
    for track in tracks:
        publication.push(0, header(track))
    frames = [
        (at, order, unit(track, 0, number, at))
        for order, track in enumerate(tracks)
        for number, at in times(track, seconds)
    ]
    for at, _, frame in sorted(frames, key=lambda each: each[:2]):
        publication.push(at, frame)


@pytest.fixture
async def publication(station: Station) -> Publication:
    publication = await station.publish()
    publish(publication, 4.3, *TRACKS)
    return publication


async def test_every_address_in_the_playlists_leads_somewhere(
    publication: Publication, client: httpx.AsyncClient
) -> None:
    multivariant = (await client.get("/main/index.m3u8")).text
    uris = re.findall(
        r"^(\w\d/index\.m3u8)$|URI=\"(\w\d/index\.m3u8)\"", multivariant, re.MULTILINE
    )
    addresses = sorted(one or other for one, other in uris)
    assert addresses == [f"{name}/index.m3u8" for name in sorted(NAMES)]
    for address in addresses:
        folder = f"/main/{address.removesuffix('index.m3u8')}"
        playlist = (await client.get(f"/main/{address}")).text
        names = re.findall(r'^(\S+\.m4s)$|(?:MAP|PART):.*URI="(.*?)"', playlist, re.MULTILINE)
        assert len(names) > 8
        for name in (one or other for one, other in names):
            assert (await client.get(folder + name)).status_code == 200
    for name in ("p0", "p1"):
        playlist = (await client.get(f"/main/ts/{name}/index.m3u8")).text
        (first, *_) = re.findall(r"^(\S+\.ts)$", playlist, re.MULTILINE)
        assert (await client.get(f"/main/ts/{name}/{first}")).status_code == 200


@pytest.mark.parametrize("name", ["v0", "p2", "a7", "x0", "p"])
async def test_a_rendition_that_is_not_there_is_404(
    publication: Publication, client: httpx.AsyncClient, name: str
) -> None:
    for address in (f"/main/{name}/index.m3u8", f"/main/{name}/e-1.m4s", f"/main/ts/{name}/e-1.ts"):
        assert (await client.get(address)).status_code == 404


async def test_who_waits_in_any_rendition_is_answered_by_the_same_frame(
    station: Station, publication: Publication, client: httpx.AsyncClient
) -> None:
    playlist = (await client.get("/main/a1/index.m3u8")).text
    (place,) = re.findall(r'PRELOAD-HINT:TYPE=PART,URI="(\w+)-(\d+)\.(\d+)\.m4s"', playlist)
    epoch, msn, part = place
    query = f"_HLS_msn={msn}&_HLS_part={part}"
    addresses = [f"/main/{name}/index.m3u8?{query}" for name in NAMES]
    addresses += [f"/main/{name}/{epoch}-{msn}.{part}.m4s" for name in NAMES]
    viewers = [asyncio.ensure_future(client.get(address)) for address in addresses]
    for _ in range(3):
        await settle()
    stream = station.registry.find("main")
    assert stream is not None
    assert len(stream.waiting) == len(viewers)
    later = [
        (at + 4300, order, unit(track, 0, number + 1, at + 4300))
        for order, track in enumerate(TRACKS)
        for number, at in times(track, 0.6)
    ]
    for at, _, frame in sorted(later, key=lambda each: each[:2]):
        publication.push(at, frame)
    answers = await asyncio.gather(*viewers)
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers[: len(NAMES)]:
        assert f"-{msn}.{part}.m4s" in answer.text
        reports = re.findall(r"LAST-MSN=(\d+),LAST-PART=(\d+)", answer.text)
        assert reports == [(msn, part)] * 3


async def test_the_status_tells_what_a_player_needs_for_the_best_of_them(
    publication: Publication, client: httpx.AsyncClient
) -> None:
    status = (await client.get("/main/status.json")).json()
    assert status["codecs"] == "avc1.64000d,mp4a.40.2"
    assert (status["width"], status["height"]) == (320, 180)
