"""Purging by prefix while fetches are under way, and waiters that come and go."""

import asyncio

import pytest

from cdn.cache.entry import Found, Outcome
from cdn.cache.flight import Flight
from cdn.errors import OriginFailed
from cdn.http.keys import Key
from tests.support.caches import KEY, Answer, Stage
from tests.support.turns import settle

OTHER = Key("/side/v0/index.m3u8", gzip=False)


class Viewer:
    """A waiter that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Found | OriginFailed] = []

    def on_found(self, found: Found) -> None:
        self.told.append(found)

    def on_failure(self, failure: OriginFailed) -> None:
        self.told.append(failure)


async def test_a_purge_drops_what_begins_with_the_prefix_and_says_how_much(stage: Stage) -> None:
    await stage.body(KEY)
    await stage.body(OTHER)
    assert stage.cache.purge("/main/") == 1
    assert stage.cache.objects == 1
    assert await stage.outcome(OTHER) is Outcome.HIT
    assert await stage.outcome(KEY) is Outcome.MISS


async def test_what_was_under_way_at_a_purge_is_given_to_those_who_waited_and_not_kept(
    stage: Stage,
) -> None:
    stage.origin.may_end.clear()
    stage.origin.answer = Answer(b"before")
    waiting = asyncio.ensure_future(stage.body())
    await settle()
    assert stage.cache.purge("/main/") == 0
    stage.origin.answer = Answer(b"after!")
    fresh = asyncio.ensure_future(stage.body())
    await settle()
    stage.origin.may_end.set()
    assert (await waiting, await fresh) == (b"before", b"after!")
    await settle()
    assert await stage.body() == b"after!"
    assert stage.origin.requests == {KEY: 2}
    assert stage.cache.flights == 0


async def test_what_was_purged_does_not_stand_in(stage: Stage) -> None:
    await stage.body()
    stage.clock.advance(2)
    stage.origin.answer = Answer(is_down=True)
    stage.origin.may_answer.clear()
    waiting = asyncio.ensure_future(stage.body())
    await settle()
    stage.cache.purge("/main/")
    stage.origin.may_answer.set()
    with pytest.raises(OriginFailed):
        await waiting
    assert stage.cache.objects == 0


async def test_those_who_wait_together_get_one_and_the_same_answer(stage: Stage) -> None:
    stage.origin.may_answer.clear()
    viewers = [Viewer() for _ in range(4)]
    flights = [stage.cache.ask(KEY, viewer) for viewer in viewers]
    assert stage.cache.waiting == 4
    leaving = flights[2]
    assert isinstance(leaving, Flight)
    leaving.leave(viewers[2])
    leaving.leave(viewers[2])
    assert stage.cache.waiting == 3
    stage.origin.may_answer.set()
    await settle()
    assert [len(viewer.told) for viewer in viewers] == [1, 1, 0, 1]
    assert viewers[1].told[0] is viewers[3].told[0], "so it is rendered once for ten thousand"
    assert stage.cache.waiting == 0


async def test_a_waiter_that_fails_takes_nobody_down(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(Viewer):
        def on_found(self, found: Found) -> None:
            raise RuntimeError("a bug of ours")

    stage.origin.may_answer.clear()
    broken, well = Broken(), Viewer()
    stage.cache.ask(KEY, broken)
    stage.cache.ask(KEY, well)
    stage.origin.may_answer.set()
    await settle()
    assert len(well.told) == 1
    assert "a bug of ours" in "".join(capsys.readouterr())


async def test_a_body_that_is_here_at_once_is_handed_out_whole(stage: Stage) -> None:
    """The head alone would cost each of ten thousand viewers a second write."""
    viewer = Viewer()
    stage.cache.ask(KEY, viewer)
    await settle()
    (found,) = viewer.told
    assert isinstance(found, Found)
    assert found.entry.body.complete
