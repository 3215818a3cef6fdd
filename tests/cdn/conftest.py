"""The cache that several plays are about."""

from collections.abc import AsyncGenerator

import pytest

from cdn.cache import Cache
from tests.support.caches import LIMITS, SlowOrigin, Stage, judge
from tests.support.clocks import FakeClock


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    origin, clock = SlowOrigin(), FakeClock()
    cache = Cache(fetch=origin.fetch, judge=judge, clock=clock, limits=LIMITS)
    yield Stage(origin, clock, cache)
    await cache.close()
