"""The cache that several plays are about."""

from collections.abc import AsyncGenerator

import pytest

from cdn.cache.cache import Cache
from tests.support.caches import LIMITS, SlowOrigin, Stage, judge
from tests.support.clocks import FakeClock


@pytest.fixture
async def stage() -> AsyncGenerator[Stage]:
    origin, clock = SlowOrigin(), FakeClock()
    cache = Cache(fetch=origin.fetch, judge=judge, clock=clock, limits=LIMITS)
    yield Stage(origin, clock, cache)
    await cache.close()


@pytest.fixture(params=["true", "false"], ids=["fast path", "full path"])
def either_path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Have every edge, in this process or another, take the fast path, and then the full one."""
    is_fast = str(request.param)
    monkeypatch.setenv("TIDECAST_EDGE__LISTEN__FAST_PATH", is_fast)
    return is_fast == "true"
