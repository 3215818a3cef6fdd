"""Fetches that are watched: what is timed, and that nothing of them is changed."""

import asyncio

import pytest
from prometheus_client import generate_latest

from cdn.errors import OriginFailed
from cdn.http.keys import Key
from cdn.observe.ages import PlaylistAges
from cdn.observe.fetches import Fetches
from cdn.observe.metrics import Metrics
from tests.support.caches import Answer, SlowOrigin
from tests.support.clocks import FakeClock

PLAYLIST = Key("/main/v0/index.m3u8", gzip=False)
SEGMENT = Key("/main/v0/s1.m4s", gzip=False)


class Scene:
    def __init__(self) -> None:
        self.origin, self.clock = SlowOrigin(), FakeClock()
        self.metrics, self.ages = Metrics(), PlaylistAges()
        self.fetches = Fetches(self.origin.fetch, self.metrics, self.ages, self.clock)

    async def body(self, key: Key) -> bytes:
        async with self.fetches(key, None) as reply:
            return b"".join([piece async for piece in reply.pieces()])

    def page(self) -> str:
        return generate_latest(self.metrics.registry).decode()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("key", [PLAYLIST, SEGMENT])
async def test_a_body_passes_through_as_it_is(scene: Scene, key: Key) -> None:
    scene.origin.answer = Answer(body=b"#EXTM3U\nall of it")
    assert await scene.body(key) == b"#EXTM3U\nall of it"
    assert scene.ages.by_stream(0.0) == ({"main": 0.0} if key is PLAYLIST else {})


async def test_the_head_and_the_end_are_timed_apart(scene: Scene) -> None:
    scene.origin.may_answer.clear()
    scene.origin.may_end.clear()
    fetching = asyncio.create_task(scene.body(SEGMENT))
    await scene.origin.asked.wait()
    scene.clock.advance(0.04)
    assert scene.fetches.oldest_s() == 0.04
    scene.origin.may_answer.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    scene.clock.advance(3.0)
    scene.origin.may_end.set()
    await fetching
    assert scene.fetches.oldest_s() == 0.0
    page = scene.page()
    assert 'origin_first_byte_seconds_sum{kind="media"} 0.04' in page
    assert 'origin_fetch_seconds_sum{kind="media"} 3.04' in page


async def test_a_fetch_that_fails_is_over_and_counts_as_asked(scene: Scene) -> None:
    scene.origin.answer = Answer(body=b"#EXTM3U\n1")
    await scene.body(PLAYLIST)
    scene.clock.advance(9.0)
    scene.origin.answer = Answer(is_down=True)
    with pytest.raises(OriginFailed):
        await scene.body(PLAYLIST)
    assert scene.fetches.oldest_s() == 0.0
    assert scene.ages.by_stream(9.0) == {"main": 9.0}
    assert 'origin_fetch_seconds_count{kind="playlist"} 2.0' in scene.page()
    assert 'origin_first_byte_seconds_count{kind="playlist"} 1.0' in scene.page()


async def test_a_playlist_that_breaks_off_or_is_missing_changes_no_age(scene: Scene) -> None:
    scene.origin.answer = Answer(body=b"#EXTM3U\n1", breaks_off=True)
    with pytest.raises(OriginFailed):
        await scene.body(PLAYLIST)
    scene.origin.answer = Answer(body=b"#EXTM3U\n1", status=404)
    await scene.body(PLAYLIST)
    assert scene.ages.by_stream(0.0) == {}
