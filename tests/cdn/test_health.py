"""Alive, ready, draining: when balancers are sent away, how seldom the origin is probed."""

import asyncio

import pytest
from structlog.testing import capture_logs

from cdn.health import PROBE_EVERY_S, RECENT_S, Health
from tests.support.clocks import FakeClock


class Origin:
    """Well or not, and how often it was probed."""

    def __init__(self, health: Health) -> None:
        self.is_well = True
        self.probes = 0
        self._health = health

    async def probe(self) -> None:
        self.probes += 1
        await asyncio.sleep(0)
        if self.is_well:
            self._health.answered()
        else:
            self._health.failed("connection refused")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def health(clock: FakeClock) -> Health:
    return Health(clock)


@pytest.fixture
def origin(health: Health) -> Origin:
    return Origin(health)


async def test_an_edge_is_ready_once_the_origin_has_answered(
    health: Health, origin: Origin
) -> None:
    assert await health.obstacle(origin.probe) is None
    assert origin.probes == 1


async def test_what_fetches_tell_makes_probes_needless(
    health: Health, origin: Origin, clock: FakeClock
) -> None:
    health.answered()
    clock.advance(RECENT_S - 0.1)
    assert await health.obstacle(origin.probe) is None
    assert origin.probes == 0
    clock.advance(0.1)
    assert await health.obstacle(origin.probe) is None
    assert origin.probes == 1


async def test_an_origin_that_is_down_is_in_the_way(health: Health, origin: Origin) -> None:
    origin.is_well = False
    obstacle = await health.obstacle(origin.probe)
    assert obstacle == "The origin does not answer; the log says why."


async def test_however_many_ask_the_origin_is_probed_once_a_second(
    health: Health, origin: Origin, clock: FakeClock
) -> None:
    origin.is_well = False
    asked = [health.obstacle(origin.probe) for _ in range(50)]
    assert None not in await asyncio.gather(*asked)
    assert origin.probes == 1
    origin.is_well = True
    assert await health.obstacle(origin.probe) is not None
    clock.advance(PROBE_EVERY_S)
    assert await health.obstacle(origin.probe) is None
    assert origin.probes == 2


async def test_one_bad_fetch_is_settled_by_a_probe(health: Health, origin: Origin) -> None:
    health.answered()
    health.failed("reset in the middle")
    assert await health.obstacle(origin.probe) is None
    assert origin.probes == 1


async def test_an_edge_that_drains_is_not_ready_however_well_the_origin_is(
    health: Health, origin: Origin
) -> None:
    health.answered()
    health.draining = True
    assert await health.obstacle(origin.probe) == "The edge is draining."
    assert origin.probes == 0


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(health: Health) -> None:
    with capture_logs() as lines:
        for _ in range(100):
            health.failed("connection refused")
        for _ in range(100):
            health.answered()
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "the origin fails"),
        ("info", "the origin is back"),
    ]
    assert lines[0]["reason"] == "connection refused"


def test_an_origin_that_comes_and_goes_does_not_fill_the_log(
    health: Health, clock: FakeClock
) -> None:
    with capture_logs() as lines:
        for _ in range(100):
            health.failed("the origin answered 500")
            health.answered()
            clock.advance(0.25)
    assert [line["event"] for line in lines] == ["the origin fails", "the origin is back"] * 3
