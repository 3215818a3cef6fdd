"""Requests that are held, as plays: who waits, who leaves, what comes."""

import asyncio

import pytest

from origin.streams.waiting import Outcome, WaitingRoom
from tests.support.clocks import FakeClock


class Tide:
    """Something that rises; viewers wait until it is high enough for them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.room = WaitingRoom(self.clock)
        self.height = 0
        self.looks = 0

    def rise(self) -> None:
        self.height += 1
        self.room.wake()

    def viewer(self, height: int, patience_s: float = 6.0) -> "asyncio.Task[Outcome]":
        hold = self.room.hold(lambda: self._is_at(height), patience_s)
        return asyncio.ensure_future(hold.outcome())

    def _is_at(self, height: int) -> bool:
        self.looks += 1
        return self.height >= height

    async def settle(self) -> None:
        """Let everyone who can do so go."""
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def leftovers(self) -> tuple[int, int]:
        """Holds and timers that are still there."""
        return len(self.room), self.clock.pending


@pytest.fixture
async def tide() -> Tide:
    return Tide()


async def test_everyone_goes_when_what_they_wait_for_is_there_and_not_before(tide: Tide) -> None:
    first, second = tide.viewer(1), tide.viewer(2)
    tide.rise()
    await tide.settle()
    assert (first.done(), second.done()) == (True, False)
    tide.rise()
    assert await first is await second is Outcome.READY
    assert tide.leftovers == (0, 0)


async def test_where_nobody_waits_nothing_is_looked_at(tide: Tide) -> None:
    tide.rise()
    assert tide.looks == 0
    assert tide.leftovers == (0, 0)


async def test_patience_ends(tide: Tide) -> None:
    hasty, patient = tide.viewer(1, patience_s=1.28), tide.viewer(1)
    tide.clock.advance(1.27)
    await tide.settle()
    assert not hasty.done()
    tide.clock.advance(0.02)
    assert await hasty is Outcome.TIMED_OUT
    assert not patient.done()
    tide.clock.advance(6)
    assert await patient is Outcome.TIMED_OUT
    assert tide.leftovers == (0, 0)


async def test_all_are_released_at_once_and_others_may_come(tide: Tide) -> None:
    viewers = [tide.viewer(5) for _ in range(3)]
    tide.room.release()
    assert set(await asyncio.gather(*viewers)) == {Outcome.RELEASED}
    later = tide.viewer(1)
    tide.rise()
    assert await later is Outcome.READY
    assert tide.leftovers == (0, 0)


async def test_once_the_process_ends_nobody_is_held(tide: Tide) -> None:
    viewer = tide.viewer(1)
    tide.room.close()
    assert await viewer is Outcome.CLOSED
    assert await tide.viewer(1) is Outcome.CLOSED
    assert tide.leftovers == (0, 0)


async def test_a_viewer_who_leaves_leaves_nothing_behind_and_takes_nobody_along(tide: Tide) -> None:
    leaving, staying = tide.viewer(1), tide.viewer(1)
    await tide.settle()
    leaving.cancel()
    await tide.settle()
    assert tide.leftovers == (1, 1)
    tide.rise()
    assert await staying is Outcome.READY
    assert leaving.cancelled()
    assert tide.leftovers == (0, 0)


async def test_the_first_outcome_is_the_outcome(tide: Tide) -> None:
    hold = tide.room.hold(lambda: True, 1.0)
    hold.leave()
    tide.room.wake()
    tide.room.release()
    assert await hold.outcome() is Outcome.LEFT
    await tide.settle()
    assert tide.leftovers == (0, 0)
