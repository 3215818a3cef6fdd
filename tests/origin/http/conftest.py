"""The origin's HTTP side in process, with a registry that tests publish into."""

from collections.abc import AsyncIterator

import httpx
import pytest

from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.epilogue import nothing_is_left
from tests.support.stations import Station

__all__ = ["nothing_is_left"]


@pytest.fixture
def station() -> Station:
    return Station()


@pytest.fixture
async def client(station: Station) -> AsyncIterator[httpx.AsyncClient]:
    state = OriginState(station.registry, MetricsPage(lambda: ()), lambda: station.is_draining)
    transport = httpx.ASGITransport(create_app(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
        client.headers["Accept-Encoding"] = "identity"
        yield client
