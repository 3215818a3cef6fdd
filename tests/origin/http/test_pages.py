"""The pages as they leave the origin: which streams they show, and what they allow."""

import html
import json
import re

import httpx
import pytest

from origin.media.coded import AUDIO_TRACK, Codec, SequenceHeader
from tests.support.broadcasts import AVC_HEADER, broadcast
from tests.support.stations import Station

# AAC-LC whose rate is written out instead of named by an index: ADTS cannot say that.
UNNAMED_RATE = SequenceHeader(AUDIO_TRACK, Codec.AAC, bytes.fromhex("1780562210"))


async def test_the_home_page_does_not_list_what_has_ended(
    station: Station, client: httpx.AsyncClient
) -> None:
    for name in ("over", "on-air"):
        broadcast(await station.publish(name), 5)
    over = station.registry.find("over")
    assert over is not None
    over.detach(clean=True)
    page = (await client.get("/")).text
    assert 'href="/on-air"' in page
    assert 'href="/over"' not in page


async def test_who_embeds_a_stream_that_cannot_be_gets_a_page_that_says_so(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/a%20b/embed")
    assert answer.status_code == 404
    assert "frame-ancestors *" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/main", "/main/embed", "/a%20b"])
async def test_pages_do_not_tell_other_sites_where_viewers_come_from(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/main", "/main/embed"])
async def test_a_page_says_what_the_status_says_so_that_nobody_need_ask(
    station: Station, client: httpx.AsyncClient, path: str
) -> None:
    broadcast(await station.publish(), 5)
    written = re.search(r'data-status="([^"]*)"', (await client.get(path)).text)
    assert written is not None
    status = json.loads(html.unescape(written[1]))
    assert status == (await client.get("/main/status.json")).json()
    assert status["playlist"] == "/main/index.m3u8"


async def test_a_stream_that_mpeg_ts_cannot_carry_has_no_such_playlist(
    station: Station, client: httpx.AsyncClient
) -> None:
    publication = await station.publish()
    publication.push(0, AVC_HEADER)
    publication.push(0, UNNAMED_RATE)
    broadcast(publication, 5, with_headers=False)
    status = (await client.get("/main/status.json")).json()
    assert (status["playlist"], status["ts_playlist"]) == ("/main/index.m3u8", None)
    assert (await client.get("/main/ts/index.m3u8")).status_code == 404


async def test_a_slash_too_many_leads_to_the_page_wherever_it_was_asked_for(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/main/", headers={"Host": "evil.example"})
    assert answer.status_code == 308
    assert answer.headers["location"] == "../main"
    assert (await client.get("/main/v0/")).status_code == 404
