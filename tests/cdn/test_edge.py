"""The edge as a whole, between a scripted origin and viewers on real connections."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest

from tests.support.clocks import FakeClock
from tests.support.edges import RunningEdge, running_edge
from tests.support.origins import FakeOrigin, Resource
from tests.support.viewers import Seen, read_answer, read_head

pytestmark = pytest.mark.usefixtures("either_path")

PLAYLIST = "/main/v0/index.m3u8"
SEGMENT = "/main/v0/ab-1.m4s"
PLAYLIST_RESOURCE = Resource(
    b"#EXTM3U\n",
    headers={
        "Cache-Control": "public, max-age=1",
        "ETag": '"p1"',
        "Content-Type": "application/vnd.apple.mpegurl",
        "Vary": "Accept-Encoding",
    },
)
SEGMENT_RESOURCE = Resource(
    bytes(range(256)) * 640,  # 160 KiB
    headers={"Cache-Control": "public, max-age=31536000, immutable", "ETag": '"s1"'},
)


@dataclass
class Play:
    """Who is on stage."""

    origin: FakeOrigin
    edge: RunningEdge

    async def all_get(self, path: str, viewers: int) -> list[Seen]:
        return await asyncio.gather(*(self.edge.get(path) for _ in range(viewers)))


@pytest.fixture
async def play() -> AsyncGenerator[Play]:
    origin = FakeOrigin()
    origin.serve(PLAYLIST, replace(PLAYLIST_RESOURCE))
    origin.serve(SEGMENT, replace(SEGMENT_RESOURCE))
    await origin.start()
    async with running_edge(origin.url, FakeClock()) as edge:
        yield Play(origin, edge)
    await origin.die()


async def test_two_hundred_viewers_cost_one_request_per_object(play: Play) -> None:
    gate = play.origin.resources[SEGMENT].gate = asyncio.Event()
    viewers = asyncio.gather(
        *(play.edge.get(path) for path in (PLAYLIST, SEGMENT) for _ in range(200))
    )
    await play.origin.asked.wait()
    gate.set()
    bodies = [seen.body for seen in await viewers]
    assert bodies == [PLAYLIST_RESOURCE.body] * 200 + [SEGMENT_RESOURCE.body] * 200
    assert play.origin.requests == {PLAYLIST: 1, SEGMENT: 1}


async def test_two_hundred_viewers_of_an_expired_playlist_cost_one_request(play: Play) -> None:
    await play.edge.get(PLAYLIST)
    play.edge.clock.advance(1)
    play.origin.serve(PLAYLIST, replace(PLAYLIST_RESOURCE, body=b"#EXTM3U 2\n", headers={}))
    assert {seen.body for seen in await play.all_get(PLAYLIST, 200)} == {b"#EXTM3U 2\n"}
    assert play.origin.requests == {PLAYLIST: 2}


async def test_an_origin_that_dies_for_ten_seconds_is_missed_by_nobody(play: Play) -> None:
    await play.all_get(PLAYLIST, 3)
    await play.all_get(SEGMENT, 3)
    await play.origin.die()
    for _ in range(10):
        play.edge.clock.advance(1)
        for seen in [*await play.all_get(PLAYLIST, 20), *await play.all_get(SEGMENT, 5)]:
            assert (seen.status, seen.is_whole) == (200, True)
    play.origin.serve(PLAYLIST, replace(PLAYLIST_RESOURCE, body=b"#EXTM3U 2\n", headers={}))
    await play.origin.start()
    play.edge.clock.advance(1)
    assert (await play.edge.get(PLAYLIST)).body == b"#EXTM3U 2\n"


async def test_after_a_minute_without_an_origin_viewers_are_told_when_to_come_back(
    play: Play,
) -> None:
    await play.edge.get(PLAYLIST)
    await play.origin.die()
    play.edge.clock.advance(60.9)
    standing_in = await play.edge.get(PLAYLIST)
    assert (standing_in.status, standing_in.body) == (200, PLAYLIST_RESOURCE.body)
    assert standing_in.cache == "tidecast; hit; ttl=-60; detail=stale-if-error"
    play.edge.clock.advance(0.1)
    refused = await play.edge.get(PLAYLIST)
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["cache-control"] == "no-store"
    assert refused.headers["content-type"] == "application/problem+json"
    assert b"127.0.0.1" not in refused.body, "where the origin is, is nobody's business"


@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "in chunks"])
async def test_a_truncated_body_reaches_nobody_as_whole_and_is_not_cached(
    play: Play, is_chunked: bool
) -> None:
    gate = asyncio.Event()
    play.origin.serve(
        SEGMENT,
        replace(SEGMENT_RESOURCE, is_chunked=is_chunked, middle_gate=gate, breaks_off=True),
    )
    viewers = asyncio.gather(*(play.edge.get(SEGMENT) for _ in range(20)))
    await play.origin.asked.wait()
    gate.set()
    for seen in await viewers:
        assert not seen.is_whole or seen.status == 503
        assert len(seen.body) < len(SEGMENT_RESOURCE.body)
    play.origin.serve(SEGMENT, replace(SEGMENT_RESOURCE))
    assert (await play.edge.get(SEGMENT)).body == SEGMENT_RESOURCE.body
    assert (await play.edge.get(SEGMENT)).cache.startswith("tidecast; hit")


@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "in chunks"])
async def test_a_second_viewer_gets_the_first_half_before_the_second_is_there(
    play: Play, is_chunked: bool
) -> None:
    gate = asyncio.Event()
    half = len(SEGMENT_RESOURCE.body) // 2
    play.origin.serve(SEGMENT, replace(SEGMENT_RESOURCE, is_chunked=is_chunked, middle_gate=gate))
    first_reader, first_writer = await play.edge.ask(SEGMENT)
    await read_head(first_reader)
    second_reader, second_writer = await play.edge.ask(SEGMENT)
    _, headers = await read_head(second_reader)
    assert headers["cache-status"].endswith("collapsed")
    if not is_chunked:
        assert await second_reader.readexactly(half) == SEGMENT_RESOURCE.body[:half]
        gate.set()
        assert await second_reader.readexactly(half) == SEGMENT_RESOURCE.body[half:]
    else:
        size = int(await second_reader.readuntil(b"\r\n"), 16)
        assert await second_reader.readexactly(size) == SEGMENT_RESOURCE.body[:size]
        gate.set()
    for writer in (first_writer, second_writer):
        writer.close()
    assert play.origin.requests == {SEGMENT: 1}


async def test_a_viewer_who_hangs_up_leaves_the_object_to_the_others(play: Play) -> None:
    gate = asyncio.Event()
    play.origin.serve(SEGMENT, replace(SEGMENT_RESOURCE, middle_gate=gate))
    leaving_reader, leaving = await play.edge.ask(SEGMENT)
    await read_head(leaving_reader)
    staying_reader, staying = await play.edge.ask(SEGMENT)
    await read_head(staying_reader)
    leaving.transport.abort()
    gate.set()
    assert await staying_reader.readexactly(160 * 1024) == SEGMENT_RESOURCE.body
    staying.close()
    assert play.origin.requests == {SEGMENT: 1}


async def test_an_answer_says_where_it_comes_from_and_how_old_it_is(play: Play) -> None:
    first = await play.edge.get(PLAYLIST)
    assert (first.cache, first.headers["age"]) == ("tidecast; fwd=miss; ttl=1", "0")
    assert (await play.edge.get(SEGMENT)).status == 200
    play.edge.clock.advance(90)
    segment = await play.edge.get(SEGMENT)
    assert (segment.cache, segment.headers["age"]) == ("tidecast; hit; ttl=31535910", "90")
    assert (await play.edge.get(PLAYLIST)).cache == "tidecast; fwd=stale; ttl=1"


async def test_an_unchanged_playlist_is_not_fetched_again(play: Play) -> None:
    await play.edge.get(PLAYLIST)
    play.edge.clock.advance(1)
    assert (await play.edge.get(PLAYLIST)).body == PLAYLIST_RESOURCE.body
    assert 'if-none-match: "p1"' in play.origin.heads[1].lower()


async def test_nothing_of_a_viewer_reaches_the_origin(play: Play) -> None:
    await play.edge.get(
        f"{PLAYLIST}?token=secret&_HLS_msn=7",
        Cookie="session=1",
        Authorization="Bearer x",
        User_Agent="hls.js",
        Range="bytes=0-1",
        If_None_Match='"mine"',
        X_Forwarded_For="10.0.0.1",
    )
    (head,) = play.origin.heads
    assert head.startswith(f"GET {PLAYLIST}?_HLS_msn=7 HTTP/1.1\r\n")
    names = {line.split(":")[0].lower() for line in head.split("\r\n")[1:] if line}
    assert names == {"host", "accept", "accept-encoding", "user-agent", "via", "cdn-loop"}
    assert "viewers.example" not in head


async def test_those_who_take_gzip_and_those_who_do_not_have_their_own_copies(play: Play) -> None:
    await play.edge.get(PLAYLIST, Accept_Encoding="gzip, deflate, br")
    await play.edge.get(PLAYLIST, Accept_Encoding="br;q=0.5, gzip")
    await play.edge.get(PLAYLIST)
    encodings = [
        head.lower().split("accept-encoding: ")[1].split("\r\n")[0] for head in play.origin.heads
    ]
    assert encodings == ["gzip", "identity"]


async def test_what_the_origin_encoded_is_passed_on_as_it_is(play: Play) -> None:
    play.origin.serve(
        PLAYLIST, replace(PLAYLIST_RESOURCE, headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b")
    )
    seen = await play.edge.get(PLAYLIST, Accept_Encoding="gzip")
    assert (seen.body, seen.headers["content-encoding"]) == (b"\x1f\x8b", "gzip")


async def test_head_answers_like_get_without_the_body(play: Play) -> None:
    got, told = await play.edge.get(SEGMENT), await play.edge.get(SEGMENT, "HEAD")
    assert told.status == 200
    assert told.headers["content-length"] == str(len(got.body))
    assert told.headers["etag"] == got.headers["etag"]
    assert play.origin.requests == {SEGMENT: 1}


async def test_a_viewer_who_has_it_already_gets_no_body(play: Play) -> None:
    await play.edge.get(SEGMENT)
    unchanged = await play.edge.get(SEGMENT, If_None_Match='"s1"')
    assert (unchanged.status, unchanged.headers["etag"]) == (304, '"s1"')


async def test_a_range_is_cut_out_of_the_cached_whole(play: Play) -> None:
    await play.edge.get(SEGMENT)
    part = await play.edge.get(SEGMENT, Range="bytes=65530-65545")
    assert part.status == 206
    assert part.headers["content-range"] == f"bytes 65530-65545/{160 * 1024}"
    assert part.body == SEGMENT_RESOURCE.body[65530:65546]
    assert (await play.edge.get(SEGMENT, Range="bytes=999999-")).status == 416
    assert play.origin.requests == {SEGMENT: 1}


async def test_a_missing_object_is_asked_for_once_a_second(play: Play) -> None:
    for seen in await play.all_get("/main/v0/ab-2.m4s", 20):
        assert (seen.status, seen.body) == (404, b"no such thing")
    assert play.origin.requests == {"/main/v0/ab-2.m4s": 1}
    play.edge.clock.advance(1)
    play.origin.serve("/main/v0/ab-2.m4s", replace(SEGMENT_RESOURCE))
    assert (await play.edge.get("/main/v0/ab-2.m4s")).status == 200


async def test_an_origin_that_asks_for_patience_is_quoted(play: Play) -> None:
    play.origin.serve(
        "/busy",
        Resource(b"later", 503, headers={"Retry-After": "7", "Cache-Control": "no-store"}),
    )
    busy = await play.edge.get("/busy")
    assert (busy.status, busy.body, busy.headers["retry-after"]) == (503, b"later", "7")


async def test_an_origin_that_fails_has_its_error_kept_to_itself(play: Play) -> None:
    play.origin.serve("/broken", Resource(b"Traceback ...", 500))
    broken = await play.edge.get("/broken")
    assert broken.status == 503
    assert b"Traceback" not in broken.body
    assert b"127.0.0.1" not in broken.body


@pytest.mark.parametrize(
    "path", ["/api/v1/streams", "/metrics", "/docs", "/redoc", "/openapi.json", "/studio"]
)
async def test_the_control_side_is_answered_here_with_a_problem(play: Play, path: str) -> None:
    seen = await play.edge.get(path)
    assert seen.status == 404
    assert seen.headers["content-type"] == "application/problem+json"
    assert json.loads(seen.body)["title"] == "Not Found"
    assert not play.origin.requests


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_an_edge_is_for_reading(play: Play, method: str) -> None:
    seen = await play.edge.get(PLAYLIST, method)
    assert seen.status == 405
    assert seen.headers["allow"] == "GET, HEAD, OPTIONS"
    assert not play.origin.requests


async def test_a_browser_on_another_site_may_read_everything_without_credentials(
    play: Play,
) -> None:
    preflight = await play.edge.get(
        SEGMENT, "OPTIONS", Origin="https://elsewhere.example", Access_Control_Request_Method="GET"
    )
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    play.origin.serve("/gone", Resource(b"", 404, {"Access-Control-Allow-Credentials": "true"}))
    for path in (SEGMENT, "/gone", "/api", "/healthz"):
        headers = (await play.edge.get(path, Origin="https://elsewhere.example")).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers


async def test_a_malformed_address_is_refused_without_asking_anybody(play: Play) -> None:
    seen = await play.edge.get("/main/%2e%2e/api/v1/streams")
    assert seen.status == 400
    assert not play.origin.requests


async def test_one_connection_serves_request_after_request(play: Play) -> None:
    reader, writer = await play.edge.ask(PLAYLIST)
    assert (await read_answer(reader)).body == PLAYLIST_RESOURCE.body
    writer.write(f"GET {SEGMENT} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (await read_answer(reader)).body == SEGMENT_RESOURCE.body
    writer.close()


async def test_alive_and_ready_are_two_questions(play: Play) -> None:
    assert (await play.edge.get("/healthz")).status == 200
    assert (await play.edge.get("/readyz")).status == 200
    await play.origin.die()
    play.edge.clock.advance(10)
    assert (await play.edge.get("/healthz")).status == 200
    unready = await play.edge.get("/readyz")
    assert unready.status == 503
    assert "origin" in json.loads(unready.body)["detail"]


async def test_an_edge_that_drains_is_not_ready_at_once_and_still_serves(play: Play) -> None:
    await play.edge.get(PLAYLIST)
    play.edge.edge.health.draining = True
    assert (await play.edge.get("/readyz")).status == 503
    served = await play.edge.get(PLAYLIST)
    assert (served.status, served.headers["connection"]) == (200, "close")


async def test_requests_are_counted_by_kind_status_and_cache_result(play: Play) -> None:
    await play.edge.get(PLAYLIST)
    await play.edge.get(PLAYLIST)
    await play.edge.get("/api")
    sample = play.edge.edge.metrics.registry.get_sample_value

    def counted(kind: str, status: str, cache: str) -> float | None:
        labels = {"kind": kind, "status": status, "cache": cache}
        return sample("tidecast_edge_requests_total", labels)

    assert counted("playlist", "200", "miss") == 1
    assert counted("playlist", "200", "hit") == 1
    assert counted("page", "404", "local") == 1
    assert sample("tidecast_edge_sent_bytes_total", {"kind": "playlist"}) == 2 * len(
        PLAYLIST_RESOURCE.body
    )
    assert sample("tidecast_edge_origin_fetch_seconds_count", {"kind": "playlist"}) == 1
    assert sample("tidecast_edge_cache_objects") == 1
    assert sample("tidecast_edge_cache_bytes") == play.edge.edge.cache.used_bytes
    assert sample("tidecast_edge_origin_fetches_in_flight") == 0
