"""Blocking reload and the hinted part over HTTP, as plays: a publisher, and viewers who wait."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import count

import httpx
import pytest

from origin.hls.rules import Rules
from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.broadcasts import OTHER_AVC_HEADER
from tests.support.houses import PLAYLIST, Camera, House, hint_in
from tests.support.stations import Station
from tests.support.turns import settle

PROBLEM = "application/problem+json"
A_SECOND = "public, max-age=1"


@pytest.fixture
async def house(station: Station, client: httpx.AsyncClient) -> House:
    camera = Camera(station, await station.publish())
    camera.film(8.6)  # segments of 2 s: four are complete, and there is a part of the fifth
    return House(station, client, camera)


async def test_a_part_that_is_asked_for_is_in_the_playlist_that_is_answered(house: House) -> None:
    msn, part = await house.edge()
    viewer = await house.waiting(f"{PLAYLIST}?_HLS_msn={msn}&_HLS_part={part}")
    house.camera.film(0.6)
    answer = await viewer
    assert answer.status_code == 200
    assert f"-{msn}.{part}.m4s" in answer.text
    assert answer.headers["cache-control"] == "public, max-age=12"
    assert "tidecast-cache-control" not in answer.headers
    assert house.is_empty()


async def test_a_segment_that_is_asked_for_is_waited_for_to_its_end(house: House) -> None:
    msn, _ = await house.edge()
    viewer = await house.waiting(f"{PLAYLIST}?_HLS_msn={msn}")
    house.camera.film(0.6)
    await asyncio.sleep(0)
    assert not viewer.done()
    house.camera.film(1.0)
    answer = await viewer
    assert re.search(rf"^\w+-{msn}\.m4s$", answer.text, re.MULTILINE)
    assert answer.headers["cache-control"] == "public, max-age=12"


async def test_beyond_the_last_part_is_the_first_of_the_next_segment(house: House) -> None:
    msn, _ = await house.edge()
    house.camera.film(1.45)
    assert await house.edge() == (msn + 1, 0)
    viewer = await house.waiting(f"{PLAYLIST}?_HLS_part=5&_HLS_msn={msn}&_HLS_nonsense=x")
    house.camera.film(0.6)
    assert f"-{msn + 1}.0.m4s" in (await viewer).text


async def test_a_delta_update_is_waited_for_likewise(house: House) -> None:
    house.camera.film(20)
    msn, part = await house.edge()
    viewer = await house.waiting(f"{PLAYLIST}?_HLS_skip=YES&_HLS_part={part}&_HLS_msn={msn}")
    house.camera.film(0.6)
    answer = await viewer
    assert "#EXT-X-SKIP:SKIPPED-SEGMENTS=6\n" in answer.text
    assert f"-{msn}.{part}.m4s" in answer.text


async def test_what_is_there_already_is_answered_at_once(house: House) -> None:
    msn, _ = await house.edge()
    for query in (f"_HLS_msn={msn}&_HLS_part=0", f"_HLS_msn={msn - 1}", f"_HLS_msn={msn - 3}"):
        answer = await house.get(f"{PLAYLIST}?{query}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=12"


async def test_what_is_older_than_the_window_is_the_present_and_not_for_long(house: House) -> None:
    answer = await house.get(f"{PLAYLIST}?_HLS_msn=1&_HLS_part=3")
    assert answer.text == await house.playlist()
    assert answer.headers["tidecast-cache-control"] == "max-age=0.25"
    skipping = await house.get(f"{PLAYLIST}?_HLS_skip=v2")
    assert skipping.headers["tidecast-cache-control"] == "max-age=0.25"


@pytest.mark.parametrize(
    "query",
    [
        "_HLS_part=1",
        "_HLS_msn=x",
        "_HLS_msn=-1",
        "_HLS_msn=1.0",
        "_HLS_msn=1&_HLS_msn=1",
        "_HLS_msn=1&_HLS_part=",
        "_HLS_skip=MAYBE",
        "_HLS_msn={msn+2}",
        "_HLS_msn={msn+2}&_HLS_part=0",
        "_HLS_msn={msn}&_HLS_part={part+6}",
    ],
)
async def test_nonsense_is_refused_and_may_be_kept_for_a_second(house: House, query: str) -> None:
    msn, part = await house.edge()
    filled = re.sub(
        r"\{(\w+)(?:\+(\d+))?\}",
        lambda m: str({"msn": msn, "part": part}[m[1]] + int(m[2] or 0)),
        query,
    )
    answer = await house.get(f"{PLAYLIST}?{filled}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == A_SECOND
    assert house.is_empty()


@pytest.mark.parametrize(
    ("query", "patience_s"),
    [("_HLS_msn={msn}&_HLS_part={part}", 1.28), ("_HLS_msn={msn}", 6.0)],
    ids=["a part", "a segment"],
)
async def test_what_does_not_come_in_time_is_503(
    house: House, query: str, patience_s: float
) -> None:
    msn, part = await house.edge()
    viewer = await house.waiting(f"{PLAYLIST}?{query.format(msn=msn, part=part)}")
    house.clock_advance(patience_s - 0.01)
    await asyncio.sleep(0)
    assert not viewer.done()
    house.clock_advance(0.02)
    answer = await viewer
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["retry-after"] == "1"
    assert house.is_empty()


async def test_the_hinted_part_is_waited_for(house: House) -> None:
    hint = await house.hint()
    viewer = await house.waiting(f"/main/v0/{hint}")
    house.camera.film(0.6)
    answer = await viewer
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cache-control"].endswith("immutable")
    assert answer.content == (await house.get(f"/main/v0/{hint}")).content
    assert house.is_empty()


async def test_a_hinted_part_that_does_not_come_in_time_is_503(house: House) -> None:
    viewer = await house.waiting(f"/main/v0/{await house.hint()}")
    house.clock_advance(5.99)
    await asyncio.sleep(0)
    assert not viewer.done()
    house.clock_advance(0.02)
    answer = await viewer
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"


async def change_codec(house: House) -> None:
    house.camera.publication.push(house.camera.at_ms, OTHER_AVC_HEADER)


async def say_goodbye(house: House) -> None:
    house.camera.publication.end(clean=True)


async def break_off(house: House) -> None:
    house.camera.publication.end(clean=False)


@pytest.mark.parametrize("happens", [change_codec, say_goodbye, break_off])
async def test_a_hinted_part_comes_even_if_it_is_cut_short(
    house: House, happens: Callable[[House], Awaitable[None]]
) -> None:
    viewer = await house.waiting(f"/main/v0/{await house.hint()}")
    await happens(house)
    assert (await viewer).status_code == 200


async def test_a_hinted_part_that_will_never_come_is_404_at_once(house: House) -> None:
    house.camera.publication.end(clean=False)
    house.clock_advance(87)  # after 90 the session is over
    viewer = await house.waiting(f"/main/v0/{await house.hint()}")
    house.clock_advance(3.01)
    answer = await viewer
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "public, max-age=0"
    assert answer.headers["tidecast-cache-control"] == "max-age=0.1"


async def test_a_session_that_ends_answers_all_who_wait(house: House) -> None:
    msn, part = await house.edge()
    viewers = [
        await house.waiting(f"{PLAYLIST}?_HLS_msn={msn}&_HLS_part={part + 1}"),
        await house.waiting(f"{PLAYLIST}?_HLS_msn={msn + 1}"),
    ]
    house.camera.publication.end(clean=True)
    for answer in await asyncio.gather(*viewers):
        assert answer.status_code == 200
        assert answer.text.endswith("#EXT-X-ENDLIST\n")
    later = await house.get(f"{PLAYLIST}?_HLS_msn={msn + 1}&_HLS_part=5&_HLS_skip=YES")
    assert later.text.endswith("#EXT-X-ENDLIST\n")
    assert house.is_empty()


async def test_a_publisher_who_is_lost_lets_everyone_go_with_what_there_is(house: House) -> None:
    msn, _ = await house.edge()
    viewer = await house.waiting(f"{PLAYLIST}?_HLS_msn={msn + 1}&_HLS_part=0")
    house.camera.publication.end(clean=False)
    answer = await viewer
    assert answer.status_code == 200
    assert "#EXT-X-ENDLIST" not in answer.text
    assert hint_in(answer.text).endswith(f"-{msn + 1}.0.m4s")
    assert answer.headers["tidecast-cache-control"] == "max-age=0.25"


async def test_who_asks_while_the_publisher_is_away_is_held_until_it_is_back(house: House) -> None:
    house.camera.publication.end(clean=False)
    hint = await house.hint()
    msn, part = await house.edge()
    playlist = await house.waiting(f"{PLAYLIST}?_HLS_msn={msn}&_HLS_part={part}")
    media_part = await house.waiting(f"/main/v0/{hint}")
    again = Camera(house.station, await house.station.publish())
    again.film(0.7)
    answer = await playlist
    assert answer.status_code == (await media_part).status_code == 200
    assert answer.text.index("#EXT-X-DISCONTINUITY\n") < answer.text.index(hint)


async def test_names_of_the_future_are_not_found_and_hardly_kept(house: House) -> None:
    msn, part = await house.edge()
    for name in (f"epoch0-{msn}.{part + 1}.m4s", f"epoch0-{msn}.m4s", f"epoch0-{msn + 1}.0.m4s"):
        answer = await house.get(f"/main/v0/{name}")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "public, max-age=0"
        assert answer.headers["tidecast-cache-control"] == "max-age=0.1"
    for name in (f"epoch1-{msn}.{part}.m4s", f"epoch0-{msn - 1}.9.m4s", "init-0.mp4", "x"):
        answer = await house.get(f"/main/v0/{name}")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == A_SECOND
    assert house.is_empty()


async def test_head_and_conditions_work_on_what_is_waited_for(house: House) -> None:
    msn, part = await house.edge()
    address = f"{PLAYLIST}?_HLS_msn={msn}&_HLS_part={part}"
    head = await house.waiting(address, "HEAD")
    viewer = await house.waiting(address)
    house.camera.film(0.6)
    whole, bare = await viewer, await head
    assert bare.status_code == 200
    assert bare.content == b""
    assert bare.headers["etag"] == whole.headers["etag"]
    headers = {"If-None-Match": whole.headers["etag"]}
    again = await house.client.get(address, headers=headers)
    assert again.status_code == 304
    assert again.headers["cache-control"] == "public, max-age=12"


async def test_transport_streams_are_never_waited_for(house: House) -> None:
    msn, part = await house.edge()
    answer = await house.get(f"/main/ts/v0/index.m3u8?_HLS_msn={msn}&_HLS_part={part}")
    assert answer.status_code == 200
    assert answer.headers["tidecast-cache-control"] == "max-age=0.5"


async def test_before_the_first_segment_nobody_is_held(
    station: Station, client: httpx.AsyncClient
) -> None:
    Camera(station, await station.publish()).film(1.5)
    answer = await client.get(f"{PLAYLIST}?_HLS_msn=1&_HLS_part=0")
    assert answer.status_code == 503


async def test_closing_lets_everyone_go_and_holds_nobody_again(house: House) -> None:
    msn, part = await house.edge()
    address = f"{PLAYLIST}?_HLS_msn={msn + 1}&_HLS_part={part}"
    viewers = [await house.waiting(address) for _ in range(100)]
    house.station.registry.close("the server is shutting down")
    answers = await asyncio.gather(*viewers)
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert (await house.get(f"{PLAYLIST}?_HLS_msn={msn + 1}")).status_code == 503
    assert house.is_empty()


async def test_a_viewer_who_closes_the_connection_leaves_nothing_behind(house: House) -> None:
    msn, part = await house.edge()
    gone = asyncio.Event()
    app = create_app(
        OriginState(house.station.registry, MetricsPage(lambda: ()), lambda: False),
    )
    query = f"_HLS_msn={msn}&_HLS_part={part}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": PLAYLIST,
        "raw_path": PLAYLIST.encode(),
        "query_string": query,
        "headers": [],
    }
    said = count()

    async def receive() -> dict[str, object]:
        if next(said) == 0:
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        pass

    request = asyncio.ensure_future(app(scope, receive, send))
    await settle()
    assert not house.is_empty()
    timers = house.station.clock.pending
    gone.set()
    await request
    assert house.is_empty()
    assert house.station.clock.pending == timers - 1


async def test_without_low_latency_directives_mean_nothing(client: httpx.AsyncClient) -> None:
    station = Station(Rules(low_latency=False))
    state = OriginState(station.registry, MetricsPage(lambda: ()), lambda: False)
    transport = httpx.ASGITransport(create_app(state))
    Camera(station, await station.publish()).film(5)
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as classic:
        plain = await classic.get(PLAYLIST)
        answer = await classic.get(f"{PLAYLIST}?_HLS_part=nonsense")
    assert "EXT-X-PART" not in plain.text
    assert answer.text == plain.text
    assert answer.headers["tidecast-cache-control"] == "max-age=0.5"
