import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.cache import Cache, Entry, Limits, Outcome
from cdn.errors import OriginFailed
from cdn.freshness import Defaults, Lifetime, lifetime_of
from cdn.keys import Key
from cdn.message import Head
from tests.support.clocks import FakeClock

KEY = Key("/main/v0/index.m3u8", gzip=False)
MAX_AGE_1 = (b"cache-control", b"max-age=1")
ETAG = (b"etag", b'"v1"')
LIMITS = Limits(memory_bytes=10**6, patience_s=1.5, retry_s=1.0)


@dataclass
class Answer:
    """What the origin is going to say."""

    body: bytes = b"the body"
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = (MAX_AGE_1, ETAG)
    is_down: bool = False
    breaks_off: bool = False


@dataclass
class SlowOrigin:
    """Answers when it may; counts what it was asked."""

    answer: Answer = field(default_factory=Answer)
    requests: Counter[Key] = field(default_factory=Counter)
    etags: list[bytes | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.may_end = asyncio.Event()
        self.may_end.set()

    @asynccontextmanager
    async def fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator["Reply"]:
        self.requests[key] += 1
        self.etags.append(etag)
        self.asked.set()
        await self.may_answer.wait()
        if self.answer.is_down:
            raise OriginFailed("connection refused")
        yield Reply(self.answer, self.may_end)


class Reply:
    """A body in two halves, with a gate between them."""

    def __init__(self, answer: Answer, may_end: asyncio.Event) -> None:
        self.head = Head(answer.status, answer.headers)
        self.length = len(answer.body)
        self._answer = answer
        self._may_end = may_end

    async def pieces(self) -> AsyncIterator[bytes]:
        middle = self.length // 2
        yield self._answer.body[:middle]
        await self._may_end.wait()
        if self._answer.breaks_off:
            raise OriginFailed("reset in the middle")
        yield self._answer.body[middle:]


def judge(_key: Key, head: Head) -> Lifetime:
    return lifetime_of(head, Defaults())


@dataclass
class Stage:
    origin: SlowOrigin
    clock: FakeClock
    cache: Cache

    async def body(self, key: Key = KEY) -> bytes:
        found = await self.cache.get(key)
        return b"".join([piece async for piece in found.entry.body.read()])

    async def outcome(self, key: Key = KEY) -> Outcome:
        return (await self.cache.get(key)).outcome


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    origin, clock = SlowOrigin(), FakeClock()
    cache = Cache(fetch=origin.fetch, judge=judge, clock=clock, limits=LIMITS)
    yield Stage(origin, clock, cache)
    await cache.close()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


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
