"""The cache: one fetch for each key however many ask, and memory that is counted."""

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.cache.cache import Cache, Limits
from cdn.cache.entry import Entry, Outcome
from cdn.errors import OriginFailed
from cdn.http.keys import Key
from tests.support.caches import KEY, Answer, SlowOrigin, Stage, judge
from tests.support.clocks import FakeClock
from tests.support.turns import settle


async def test_a_thousand_viewers_cost_the_origin_one_request(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    viewers = [asyncio.ensure_future(stage.body()) for _ in range(1000)]
    await settle()
    stage.origin.may_answer.set()
    assert set(await asyncio.gather(*viewers)) == {b"the body"}
    assert stage.origin.requests == {KEY: 1}


async def test_a_thousand_viewers_of_an_expired_object_cost_one_request_too(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.answer = Answer(b"news")
    stage.origin.may_answer.clear()
    viewers = [asyncio.ensure_future(stage.body()) for _ in range(1000)]
    await settle()
    stage.origin.may_answer.set()
    assert set(await asyncio.gather(*viewers)) == {b"news"}
    assert stage.origin.requests == {KEY: 2}


async def test_only_the_first_of_those_who_wait_is_a_miss(stage: Stage) -> None:
    viewers = [asyncio.ensure_future(stage.outcome()) for _ in range(3)]
    assert await asyncio.gather(*viewers) == [
        Outcome.MISS,
        Outcome.MISS_JOINED,
        Outcome.MISS_JOINED,
    ]
    await settle()
    assert await stage.outcome() is Outcome.HIT
    stage.clock.advance(1)
    viewers = [asyncio.ensure_future(stage.outcome()) for _ in range(2)]
    assert await asyncio.gather(*viewers) == [Outcome.EXPIRED, Outcome.EXPIRED_JOINED]


async def test_a_viewer_who_leaves_does_not_cancel_the_others(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    first, second = (asyncio.ensure_future(stage.body()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    stage.origin.may_answer.set()
    assert await second == b"the body"
    assert stage.origin.requests == {KEY: 1}


async def test_the_fetch_goes_on_when_everybody_has_left(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    viewer = asyncio.ensure_future(stage.body())
    await settle()
    viewer.cancel()
    stage.origin.may_answer.set()
    await settle()
    assert await stage.outcome() is Outcome.HIT


async def test_the_second_viewer_reads_an_object_that_is_still_on_its_way(stage: Stage) -> None:
    stage.origin.may_end.clear()
    await stage.cache.get(KEY)
    await settle()
    second = await stage.cache.get(KEY)
    reader = second.entry.body.read()
    assert second.outcome is Outcome.MISS_JOINED
    assert await anext(reader) == b"the "
    stage.origin.may_end.set()
    assert await anext(reader) == b"body"
    assert stage.origin.requests == {KEY: 1}


async def test_a_body_that_breaks_off_is_not_stored_and_ends_for_nobody(stage: Stage) -> None:
    stage.origin.answer = Answer(breaks_off=True)
    with pytest.raises(OriginFailed, match="reset in the middle"):
        await stage.body()
    assert stage.cache.objects == 0
    assert stage.cache.used_bytes == 0
    stage.origin.answer = Answer(b"whole")
    assert await stage.body() == b"whole"


async def test_keys_do_not_wait_for_one_another(stage: Stage) -> None:
    stage.origin.may_end.clear()
    slow = asyncio.ensure_future(stage.body())
    await settle()
    stage.origin.may_end = asyncio.Event()
    stage.origin.may_end.set()
    assert await stage.body(Key("/other", gzip=False)) == b"the body"
    assert not slow.done()
    slow.cancel()


async def test_nothing_is_left_of_a_fetch_that_is_over(stage: Stage) -> None:
    for stage.origin.answer in (Answer(), Answer(is_down=True), Answer(breaks_off=True)):
        stage.clock.advance(100)
        with contextlib.suppress(OriginFailed):
            await stage.body()
        await settle()
        assert (stage.cache.flights, stage.clock.pending) == (0, 0)


async def test_closing_tells_those_who_still_wait(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    waiting = asyncio.ensure_future(stage.body())
    await settle()
    await stage.cache.close()
    with pytest.raises(OriginFailed, match="given up"):
        await waiting
    assert stage.cache.flights == 0


async def test_closing_ends_a_body_under_way_as_broken(stage: Stage) -> None:
    stage.origin.may_end.clear()
    reading = asyncio.ensure_future(stage.body())
    await settle()
    await stage.cache.close()
    with pytest.raises(OriginFailed, match="given up"):
        await reading


async def test_bodies_in_flight_count_as_memory(stage: Stage) -> None:
    stage.origin.answer = Answer(b"x" * 1000)
    stage.origin.may_end.clear()
    await stage.cache.get(KEY)
    await settle()
    assert stage.cache.used_bytes == 500
    stage.origin.may_end.set()
    await settle()
    (entry,) = [(await stage.cache.get(KEY)).entry]
    assert stage.cache.used_bytes == entry.cost > 1000


async def test_an_object_larger_than_the_memory_is_served_and_not_kept() -> None:
    origin = SlowOrigin(Answer(b"x" * 5000))
    limits = Limits(memory_bytes=4000, patience_s=1, retry_s=1)
    cache = Cache(fetch=origin.fetch, judge=judge, clock=FakeClock(), limits=limits)
    found = await cache.get(KEY)
    assert len(b"".join([piece async for piece in found.entry.body.read()])) == 5000
    await settle()
    assert (cache.objects, cache.used_bytes) == (0, 0)


@given(st.lists(st.integers(0, 7), max_size=40), st.lists(st.integers(0, 3500), min_size=8))
def test_the_least_recently_used_go_first_and_every_byte_is_counted(
    asked: list[int], sizes: list[int]
) -> None:
    asyncio.run(_compare_with_a_model(asked, sizes))


async def _compare_with_a_model(asked: list[int], sizes: list[int]) -> None:
    """The model is a list of entries, the most recently used last."""
    limit = 8000
    origin, model = SlowOrigin(), list[Entry]()
    limits = Limits(memory_bytes=limit, patience_s=1, retry_s=1)
    cache = Cache(fetch=origin.fetch, judge=judge, clock=FakeClock(), limits=limits)
    for number in asked:
        key = Key(f"/{number}", gzip=False)
        origin.answer = Answer(b"x" * sizes[number])
        found = await cache.get(key)
        await settle()
        assert (found.outcome is Outcome.HIT) is (found.entry in model)
        if found.outcome is Outcome.HIT:
            model.remove(found.entry)
        else:
            _evict(model, limit - found.entry.body.size)  # while its body came in
        model.append(found.entry)
        _evict(model, limit)
        assert cache.used_bytes == sum(entry.cost for entry in model) <= limit
        assert cache.objects == len(model)
    await cache.close()


def _evict(model: list[Entry], limit: int) -> None:
    while model and sum(entry.cost for entry in model) > limit:
        del model[0]


async def test_an_object_that_is_renewed_and_replaced_is_counted_once(stage: Stage) -> None:
    answers = [Answer(b"x" * 900), Answer(status=304), Answer(b"y" * 10), Answer(is_down=True)]
    for stage.origin.answer in answers * 3:
        entry = (await stage.cache.get(KEY)).entry
        await settle()
        assert stage.cache.used_bytes == entry.cost
        assert stage.cache.objects == 1
        stage.clock.advance(1)
