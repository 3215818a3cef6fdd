"""What stands in for a failing or slow origin, for how long, and what is renewed or dropped."""

import asyncio

import pytest

from cdn.cache.entry import Outcome
from cdn.errors import OriginFailed
from tests.support.caches import KEY, Answer, Stage
from tests.support.turns import settle


async def test_a_body_that_breaks_off_is_replaced_by_the_old_one_where_there_is_one(
    stage: Stage,
) -> None:
    await stage.body()
    stage.clock.advance(2)
    stage.origin.answer = Answer(b"news", breaks_off=True)
    assert await stage.body() == b"the body"


async def test_a_failed_fetch_is_not_remembered(stage: Stage) -> None:
    stage.origin.answer = Answer(is_down=True)
    with pytest.raises(OriginFailed, match="refused"):
        await stage.body()
    stage.origin.answer = Answer()
    assert await stage.body() == b"the body"


async def test_everyone_who_waits_for_a_fetch_that_fails_is_told(stage: Stage) -> None:
    stage.origin.answer = Answer(is_down=True)
    viewers = [asyncio.ensure_future(stage.body()) for _ in range(5)]
    results = await asyncio.gather(*viewers, return_exceptions=True)
    assert [str(result) for result in results] == ["connection refused"] * 5
    assert len(set(map(id, results))) == 5, "an exception of one's own: tracebacks do not pile up"
    assert stage.origin.requests == {KEY: 1}


async def test_lifetimes_below_a_second_are_kept_to(stage: Stage) -> None:
    stage.origin.answer = Answer(headers=((b"tidecast-cache-control", b"max-age=0.25"),))
    await stage.body()
    stage.clock.advance(0.24)
    assert await stage.outcome() is Outcome.HIT
    stage.clock.advance(0.01)
    assert await stage.outcome() is Outcome.EXPIRED


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Answer(is_down=True), id="down"),
        pytest.param(Answer(status=500, headers=()), id="500"),
        pytest.param(Answer(status=503, headers=()), id="503"),
        pytest.param(Answer(breaks_off=True), id="breaks off"),
    ],
)
async def test_the_old_object_stands_in_for_a_minute_and_not_longer(
    stage: Stage, failure: Answer
) -> None:
    await stage.body()
    stage.origin.answer = failure
    for _ in range(60):
        stage.clock.advance(1)
        assert await stage.body() == b"the body"
        assert await stage.outcome() is Outcome.STALE
    stage.clock.advance(1)
    if failure.status >= 500:
        assert (await stage.cache.get(KEY)).entry.head.status == failure.status
    else:
        with pytest.raises(OriginFailed):
            await stage.body()


async def test_a_failing_origin_is_asked_once_a_second_and_not_once_per_viewer(
    stage: Stage,
) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.answer = Answer(is_down=True)
    for _ in range(50):
        await stage.body()
    assert stage.origin.requests == {KEY: 2}
    stage.clock.advance(1)
    await stage.body()
    assert stage.origin.requests == {KEY: 3}


async def test_an_origin_that_is_back_is_noticed_within_a_second(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(10)
    stage.origin.answer = Answer(is_down=True)
    await stage.body()
    stage.origin.answer = Answer(b"news")
    stage.clock.advance(1)
    assert await stage.body() == b"news"
    assert await stage.outcome() is Outcome.HIT


async def test_viewers_do_not_wait_for_a_slow_origin_longer_than_their_patience(
    stage: Stage,
) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.may_answer.clear()
    stage.origin.answer = Answer(b"news")
    viewer = asyncio.ensure_future(stage.cache.get(KEY))
    await settle()
    assert not viewer.done()
    stage.clock.advance(1.5)
    assert (await viewer).outcome is Outcome.STALE
    assert await stage.outcome() is Outcome.STALE, "and who comes now does not wait at all"
    assert stage.origin.requests == {KEY: 2}
    stage.origin.may_answer.set()
    await settle()
    assert await stage.body() == b"news"


async def test_patience_is_for_those_who_have_something_to_fall_back_on(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    viewer = asyncio.ensure_future(stage.body())
    await settle()
    stage.clock.advance(29)
    await settle()
    stage.origin.may_answer.set()
    assert await viewer == b"the body"


async def test_after_a_minute_a_slow_origin_is_waited_for_again(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.may_answer.clear()
    viewer = asyncio.ensure_future(stage.body())
    await settle()
    stage.clock.advance(1.5)
    await viewer
    stage.clock.advance(60)
    late = asyncio.ensure_future(stage.body())
    await settle()
    assert not late.done()
    stage.origin.may_answer.set()
    assert await late == b"the body"


async def test_an_unchanged_object_is_renewed_by_its_etag(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(5)
    stage.origin.answer = Answer(
        b"", status=304, headers=((b"cache-control", b"max-age=2"), (b"date", b"now"))
    )
    found = await stage.cache.get(KEY)
    assert stage.origin.etags == [None, b'"v1"']
    assert found.outcome is Outcome.EXPIRED
    assert found.entry.head.status == 200
    assert found.entry.head.get(b"etag") == b'"v1"'
    assert found.entry.head.get(b"date") == b"now"
    assert await stage.body() == b"the body"
    stage.clock.advance(1.9)
    assert await stage.outcome() is Outcome.HIT


async def test_what_a_shield_said_of_one_answer_is_not_said_of_its_renewal(stage: Stage) -> None:
    told = ((b"age", b"5"), (b"tidecast-age", b"5.2"), (b"cache-status", b"far; hit; ttl=-3"))
    stage.origin.answer = Answer(headers=((b"cache-control", b"max-age=6"), *told))
    await stage.body()
    stage.clock.advance(5)
    stage.origin.answer = Answer(b"", status=304, headers=((b"cache-control", b"max-age=6"),))
    renewed = (await stage.cache.get(KEY)).entry.head
    assert not [renewed.get(name) for name, _ in told if renewed.get(name) is not None]
    stage.clock.advance(5.9)
    assert await stage.outcome() is Outcome.HIT, "nor is it that old, or a stale copy"


async def test_unchanged_is_no_answer_to_a_question_without_a_condition(stage: Stage) -> None:
    stage.origin.answer = Answer(status=304)
    with pytest.raises(OriginFailed, match="304"):
        await stage.body()


async def test_a_missing_object_is_missing_for_a_second(stage: Stage) -> None:
    stage.origin.answer = Answer(b"no", status=404, headers=((b"cache-control", b"max-age=60"),))
    await stage.body()
    stage.origin.answer = Answer(b"here it is")
    stage.clock.advance(0.9)
    assert await stage.body() == b"no"
    stage.clock.advance(0.1)
    assert await stage.body() == b"here it is"


async def test_an_object_that_is_gone_does_not_come_back_as_a_stale_one(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(2)
    stage.origin.answer = Answer(b"gone", status=404, headers=())
    assert await stage.body() == b"gone"
    stage.clock.advance(2)
    stage.origin.answer = Answer(is_down=True)
    with pytest.raises(OriginFailed):
        await stage.body()


async def test_an_origin_that_was_down_is_not_believed_that_a_stream_is_gone(
    stage: Stage,
) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.answer = Answer(is_down=True)
    await stage.body()
    stage.origin.answer = Answer(b"no such stream", status=404, headers=())
    for _ in range(59):
        stage.clock.advance(1)
        assert await stage.body() == b"the body"
    stage.clock.advance(1)
    assert await stage.body() == b"no such stream"


async def test_what_may_not_be_stored_is_shared_by_those_who_wait_and_then_forgotten(
    stage: Stage,
) -> None:
    stage.origin.answer = Answer(b"mine", headers=((b"cache-control", b"no-store"),))
    viewers = [asyncio.ensure_future(stage.body()) for _ in range(20)]
    assert set(await asyncio.gather(*viewers)) == {b"mine"}
    assert stage.origin.requests == {KEY: 1}
    assert stage.cache.objects == 0
    await stage.body()
    assert stage.origin.requests == {KEY: 2}


async def test_what_may_no_longer_be_stored_is_dropped(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(1)
    stage.origin.answer = Answer(b"secret", headers=((b"cache-control", b"no-store"),))
    await stage.body()
    assert stage.cache.objects == 0
    assert stage.cache.used_bytes == 0
