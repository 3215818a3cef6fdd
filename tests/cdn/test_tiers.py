"""Plays about an edge behind an edge: what the second must know, and what only the first may do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from cdn.http.freshness import STOOD_IN_FRESH_S
from tests.support.clocks import FakeClock
from tests.support.edges import RunningEdge, running_edge
from tests.support.origins import FakeOrigin, Resource
from tests.support.viewers import Seen, read_answer, read_head

pytestmark = pytest.mark.usefixtures("either_path")

PLAYLIST = "/main/v0/index.m3u8"
HELD = f"{PLAYLIST}?_HLS_msn=7&_HLS_part=1"
SEGMENT = "/main/v0/a-7.m4s"
HALF_A_SECOND = {
    "Cache-Control": "max-age=1",
    "Tidecast-Cache-Control": "max-age=0.5",
    "ETag": '"v1"',
}


@dataclass
class Play:
    """Viewers ask the near edge, that the far one (the shield), and that the origin."""

    origin: FakeOrigin
    far: RunningEdge
    near: RunningEdge
    clock: FakeClock


@pytest.fixture
async def play() -> AsyncIterator[Play]:
    origin, clock = FakeOrigin(), FakeClock()
    await origin.start()
    async with (
        running_edge(origin.url, clock, name="far") as far,
        running_edge(f"http://127.0.0.1:{far.port}", clock, name="near") as near,
    ):
        yield Play(origin, far, near, clock)
    await origin.die()


async def test_age_adds_up_over_both(play: Play) -> None:
    play.origin.serve(SEGMENT, Resource(b"x", headers={"Cache-Control": "max-age=600"}))
    assert (await play.far.get(SEGMENT)).headers["age"] == "0"
    play.clock.advance(10.0)
    assert (await play.near.get(SEGMENT)).headers["age"] == "10"
    play.clock.advance(5.0)
    assert (await play.near.get(SEGMENT)).headers["age"] == "15"


async def test_a_playlist_of_half_a_second_is_never_older_than_that_behind_both(play: Play) -> None:
    play.origin.serve(PLAYLIST, Resource(b"v1", headers=HALF_A_SECOND))
    await play.far.get(PLAYLIST)
    play.clock.advance(0.4)
    await play.near.get(PLAYLIST)
    play.origin.serve(PLAYLIST, Resource(b"v2", headers={**HALF_A_SECOND, "ETag": '"v2"'}))
    play.clock.advance(0.09)
    assert (await play.near.get(PLAYLIST)).body == b"v1"
    play.clock.advance(0.02)
    assert (await play.near.get(PLAYLIST)).body == b"v2"
    assert play.origin.requests == {PLAYLIST: 2}


async def test_viewers_are_not_told_what_edges_tell_each_other(play: Play) -> None:
    play.origin.serve(PLAYLIST, Resource(b"v1", headers=HALF_A_SECOND))
    for _ in range(2):
        assert "tidecast-age" not in (await play.near.get(PLAYLIST)).headers


async def test_a_held_request_is_one_request_at_each_tier_and_all_are_answered_together(
    play: Play,
) -> None:
    gate = asyncio.Event()
    play.origin.serve(HELD, Resource(b"part 1", headers=HALF_A_SECOND, gate=gate))
    near = [asyncio.create_task(play.near.get(HELD)) for _ in range(20)]
    far = [asyncio.create_task(play.far.get(HELD)) for _ in range(20)]
    await play.origin.asked.wait()
    gate.set()
    seen = await asyncio.gather(*near, *far)
    assert {(each.status, each.body) for each in seen} == {(200, b"part 1")}
    assert play.origin.requests == {HELD: 1}


@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "in chunks"])
async def test_the_first_bytes_of_a_segment_in_flight_pass_through_both(
    play: Play, is_chunked: bool
) -> None:
    gate = asyncio.Event()
    body = b"0123456789" * 5000
    resource = Resource(body, middle_gate=gate, is_chunked=is_chunked)
    resource.headers["Cache-Control"] = "max-age=600"
    play.origin.serve(SEGMENT, resource)
    readers = [(await play.near.ask(SEGMENT)) for _ in range(2)]
    for reader, _ in readers:
        assert (await read_head(reader))[0] == 200
        assert body[:10] in await reader.readuntil(body[:10])  # before the origin sends the rest
    gate.set()
    for _, writer in readers:
        writer.close()
    assert (await play.near.get(SEGMENT)).body == body
    assert play.origin.requests == {SEGMENT: 1}


async def test_a_body_that_breaks_off_is_whole_behind_neither(play: Play) -> None:
    headers = {"Cache-Control": "max-age=600"}
    play.origin.serve(SEGMENT, Resource(b"x" * 1000, headers=headers, breaks_off=True))
    assert not (await play.near.get(SEGMENT)).is_whole
    play.origin.serve(SEGMENT, Resource(b"x" * 1000, headers=headers))
    assert (await play.near.get(SEGMENT)).is_whole


async def lines_of(edge: RunningEdge, path: str) -> list[str]:
    """All Cache-Status lines of an answer, in their order."""
    reader, writer = await edge.ask(path)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    return [line[14:] for line in head.split("\r\n") if line.lower().startswith("cache-status: ")]


async def test_each_tier_adds_its_own_cache_status_behind_those_before(play: Play) -> None:
    play.origin.serve(SEGMENT, Resource(b"x", headers={"Cache-Control": "max-age=600"}))
    await play.far.get(SEGMENT)
    assert await lines_of(play.near, SEGMENT) == [
        "tidecast; hit; ttl=600",
        "tidecast; fwd=miss; ttl=600",
    ]
    assert await lines_of(play.near, SEGMENT) == ["tidecast; hit; ttl=600"] * 2


async def stale_at_the_shield(play: Play) -> Seen:
    """Let the origin die, and the near edge be handed the shield's old copy."""
    play.origin.serve(PLAYLIST, Resource(b"v1", headers=HALF_A_SECOND))
    await play.near.get(PLAYLIST)
    play.clock.advance(10.0)
    await play.origin.die()
    return await play.near.get(PLAYLIST)


async def test_what_stands_in_at_the_shield_is_asked_for_again_at_once(play: Play) -> None:
    seen = await stale_at_the_shield(play)
    assert (seen.status, seen.body) == (200, b"v1")
    await play.origin.start()
    play.origin.serve(PLAYLIST, Resource(b"v2", headers={**HALF_A_SECOND, "ETag": '"v2"'}))
    play.clock.advance(1.0)  # the shield leaves an origin that failed alone for as long
    await play.far.get(PLAYLIST)
    play.clock.advance(STOOD_IN_FRESH_S)
    assert (await play.near.get(PLAYLIST)).body == b"v2"


async def test_two_tiers_do_not_make_an_outage_last_twice_as_long(play: Play) -> None:
    await stale_at_the_shield(play)
    play.clock.advance(50.0)
    assert (await play.near.get(PLAYLIST)).status == 200
    play.clock.advance(5.0)
    assert (await play.near.get(PLAYLIST)).status == 503
    await play.origin.start()


async def test_an_edge_that_is_asked_for_its_own_request_says_508(play: Play) -> None:
    seen = await play.near.get(SEGMENT, CDN_Loop="other, near; x=y")
    assert seen.status == 508
    assert play.origin.requests == {}


async def test_two_edges_that_have_each_other_for_origin_end_in_an_error_at_once() -> None:
    clock = FakeClock()
    async with (
        running_edge("http://127.0.0.1:9", clock, name="one") as one,
        running_edge(one.url, clock, name="two") as two,
    ):
        origin = one.settings.origin.model_copy(update={"url": (two.url,)})
        await one.edge.reload(one.settings.model_copy(update={"origin": origin}))
        for edge in (one, two):
            assert (await edge.get(SEGMENT)).status == 503


async def test_a_viewer_on_one_connection_is_answered_through_both(play: Play) -> None:
    play.origin.serve(SEGMENT, Resource(b"x", headers={"Cache-Control": "max-age=600"}))
    reader, writer = await play.near.ask(SEGMENT)
    assert (await read_answer(reader)).body == b"x"
    writer.write(f"GET {SEGMENT} HTTP/1.1\r\nHost: viewers.example\r\n\r\n".encode())
    assert (await read_answer(reader)).body == b"x"
    writer.close()
