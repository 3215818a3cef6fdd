"""Held playlists whose origin cannot answer: what stands in, for how long, and how often."""

import asyncio

import pytest

from cdn.cache.entry import Found, Outcome
from cdn.errors import OriginFailed
from cdn.http.keys import Key
from tests.support.caches import Answer, Stage
from tests.support.turns import settle

PATH = "/main/v0/index.m3u8"
PLAIN = Key(PATH, gzip=False)
LIVES_12_S = ((b"cache-control", b"public, max-age=12"), (b"etag", b'"p"'))


def version(part: int, directives: str = "_HLS_msn=7&_HLS_part={}") -> Key:
    return Key(f"{PATH}?{directives.format(part)}", gzip=False)


def playlist(text: bytes, status: int = 200) -> Answer:
    return Answer(text, status, LIVES_12_S)


DOWN = Answer(is_down=True)
GONE = Answer(b"no publisher", 503, ((b"retry-after", b"1"),))


async def outage(stage: Stage, failure: Answer = DOWN) -> None:
    """Versions 1 and 2 have come; then the origin fails."""
    for number, text in ((1, b"one"), (2, b"two")):
        stage.origin.answer = playlist(text)
        await stage.body(version(number))
    stage.origin.answer = failure


async def after(stage: Stage, key: Key, seconds: float) -> Found:
    asked = asyncio.ensure_future(stage.cache.get(key))
    await settle()
    stage.clock.advance(seconds)
    return await asked


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(DOWN, id="down"),
        pytest.param(GONE, id="its publisher is gone"),
        pytest.param(Answer(b"oops", 500, ()), id="500"),
        pytest.param(Answer(breaks_off=True), id="breaks off"),
    ],
)
async def test_the_newest_version_stands_in_for_one_that_cannot_be_had(
    stage: Stage, failure: Answer
) -> None:
    await outage(stage, failure)
    found = await after(stage, version(3), 1.0)
    assert found.outcome is Outcome.STALE
    assert b"".join(found.entry.body.pieces) == b"two"
    assert found.entry.head.status == 200
    assert found.entry.head.get(b"cache-control") == b"no-store"
    assert found.entry.head.get(b"etag") == b'"p"'


async def test_the_newest_version_itself_is_not_to_be_kept_once_it_stands_in(stage: Stage) -> None:
    await outage(stage)
    stage.clock.advance(12)
    found = await after(stage, version(2), 1.0)
    assert found.entry.head.get(b"cache-control") == b"no-store"
    asked = stage.origin.requests[version(2)]
    await after(stage, version(2), 1.0)
    assert stage.origin.requests[version(2)] == asked + 1, "nor is it kept here"


async def test_whoever_asks_at_once_again_is_answered_once_a_second(stage: Stage) -> None:
    await outage(stage)
    waiting = asyncio.ensure_future(stage.cache.get(version(3)))
    await settle()
    stage.clock.advance(0.9)
    await settle()
    late = asyncio.ensure_future(stage.cache.get(version(3)))
    await settle()
    assert not waiting.done()
    assert not late.done()
    stage.clock.advance(0.1)
    assert {found.outcome for found in (await waiting, await late)} == {Outcome.STALE}
    assert stage.origin.requests[version(3)] == 1
    again = asyncio.ensure_future(stage.cache.get(version(3)))
    await settle()
    assert not again.done(), "what stood in is not kept under a name that is not its own"
    stage.clock.advance(1.0)
    await again
    assert stage.origin.requests[version(3)] == 2


async def test_an_origin_that_was_slow_to_fail_is_not_waited_for_any_longer(stage: Stage) -> None:
    await outage(stage)
    stage.origin.may_answer.clear()
    held = asyncio.ensure_future(stage.cache.get(version(3)))
    await settle()
    stage.clock.advance(6)
    await settle()
    assert not held.done(), "to be held is what the request is for: nobody loses patience"
    stage.origin.may_answer.set()
    assert (await held).outcome is Outcome.STALE


async def test_the_stand_in_serves_for_a_minute_and_not_longer(stage: Stage) -> None:
    await outage(stage)
    for number in range(3, 62):
        assert (await after(stage, version(number), 1.0)).outcome is Outcome.STALE
    last = asyncio.ensure_future(stage.cache.get(version(62)))
    await settle()
    stage.clock.advance(1.0)
    with pytest.raises(OriginFailed, match="refused"):
        await last
    with pytest.raises(OriginFailed, match="refused"):
        await stage.cache.get(version(63))


async def test_the_origins_own_503_is_passed_on_for_a_stream_that_nobody_knows(
    stage: Stage,
) -> None:
    stage.origin.answer = GONE
    found = await stage.cache.get(version(3))
    assert (found.entry.head.status, found.outcome) == (503, Outcome.MISS)


async def test_an_update_asks_for_what_changed_and_gets_the_whole_instead(stage: Stage) -> None:
    await outage(stage)
    update = version(3, "_HLS_msn=7&_HLS_part={}&_HLS_skip=YES")
    assert b"".join((await after(stage, update, 1.0)).entry.body.pieces) == b"two"


async def test_who_only_ever_asks_for_updates_is_not_sent_back_to_the_first_playlist(
    stage: Stage,
) -> None:
    updates = "_HLS_msn=7&_HLS_part={}&_HLS_skip=YES"
    stage.origin.answer = playlist(b"the whole")
    await stage.body(PLAIN)
    for number in range(1, 100):
        stage.clock.advance(1)
        stage.origin.answer = playlist(b"update %d" % number)
        await stage.body(version(number, updates))
    stage.origin.answer = GONE
    found = await after(stage, version(100, updates), 1.0)
    assert found.outcome is Outcome.STALE
    assert b"".join(found.entry.body.pieces) == b"update 99"


async def test_an_update_stands_in_for_nothing_but_updates_of_its_kind(stage: Stage) -> None:
    stage.origin.answer = playlist(b"only what changed")
    await stage.body(version(1, "_HLS_msn=7&_HLS_part={}&_HLS_skip=v2"))
    stage.origin.answer = DOWN
    with pytest.raises(OriginFailed):
        await stage.cache.get(version(2, "_HLS_msn=7&_HLS_part={}&_HLS_skip=YES"))


async def test_an_update_stands_in_for_no_whole_playlist(stage: Stage) -> None:
    stage.origin.answer = playlist(b"only what changed")
    await stage.body(version(1, "_HLS_msn=7&_HLS_part={}&_HLS_skip=YES"))
    stage.origin.answer = DOWN
    with pytest.raises(OriginFailed):
        await stage.cache.get(version(2))


async def test_each_encoding_has_its_own_stand_in(stage: Stage) -> None:
    await outage(stage)
    with pytest.raises(OriginFailed):
        await stage.cache.get(Key(version(3).target, gzip=True))


async def test_who_joins_without_directives_is_not_sent_back_in_time(stage: Stage) -> None:
    stage.origin.answer = Answer(b"old", 200)
    await stage.body(PLAIN)
    stage.clock.advance(2)
    await outage(stage)
    assert await stage.body(PLAIN) == b"two"
    assert await stage.outcome(PLAIN) is Outcome.STALE
    assert stage.origin.requests[PLAIN] == 2
    kept_behind_us = (await stage.cache.get(PLAIN)).entry.head.get(b"cache-control")
    assert kept_behind_us == b"no-store", "it came under another name, to be kept for long"


@pytest.mark.parametrize("status", [400, 404])
async def test_an_origin_that_has_just_been_restarted_is_not_believed(
    stage: Stage, status: int
) -> None:
    await outage(stage)
    await after(stage, version(3), 1.0)
    stage.origin.answer = Answer(b"what stream?", status, ())
    found = await after(stage, version(3), 1.0)
    assert b"".join(found.entry.body.pieces) == b"two"
    stage.origin.answer = playlist(b"three")
    assert await stage.body(version(4)) == b"three"
    stage.origin.answer = Answer(b"what stream?", status, ())
    assert await stage.body(version(5)) == b"what stream?", "after it has answered, it is"


async def test_a_version_that_is_kept_is_served_without_asking(stage: Stage) -> None:
    await outage(stage)
    assert await stage.outcome(version(2)) is Outcome.HIT


async def test_what_was_purged_does_not_stand_in_for_later_versions(stage: Stage) -> None:
    await outage(stage)
    assert stage.cache.purge(PATH) == 2
    with pytest.raises(OriginFailed):
        await stage.cache.get(version(3))


async def test_on_the_way_out_nobody_is_held(stage: Stage) -> None:
    await outage(stage)
    stage.origin.may_answer.clear()
    held = asyncio.ensure_future(stage.cache.get(version(3)))
    segment = asyncio.ensure_future(stage.cache.get(Key("/main/v0/ab-1.m4s", gzip=False)))
    stranger = asyncio.ensure_future(stage.cache.get(Key("/side/v0/index.m3u8?_HLS_msn=1", False)))
    await settle()
    stage.cache.release_held()
    assert (await held).outcome is Outcome.STALE
    with pytest.raises(OriginFailed, match="about to close"):
        await stranger
    assert (await stage.cache.get(version(3))).outcome is Outcome.STALE, "nor whoever comes now"
    with pytest.raises(OriginFailed, match="about to close"):
        await stage.cache.get(Key("/other/v0/index.m3u8?_HLS_msn=1", gzip=False))
    assert not segment.done(), "what runs is finished"
    stage.origin.answer = Answer(b"bytes")
    stage.origin.may_answer.set()
    assert (await segment).outcome is Outcome.MISS


async def test_closing_tells_those_whose_answer_is_held_back(stage: Stage) -> None:
    await outage(stage)
    waiting = asyncio.ensure_future(stage.cache.get(version(3)))
    await settle()
    await stage.cache.close()
    with pytest.raises(OriginFailed, match="given up"):
        await waiting
    assert (stage.cache.flights, stage.cache.waiting, stage.clock.pending) == (0, 0, 0)
