"""The origin's HTTP side in process, with a registry that tests publish into."""

from collections.abc import AsyncIterator
from itertools import count

import httpx
import pytest

from origin.auth.keyring import OpenToAll
from origin.hls.rules import Rules
from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from origin.streams.door import Publication, PublishRequest
from origin.streams.registry import Registry
from origin.streams.stream import Patience
from tests.support.clocks import FakeClock


class Station:
    """A registry, its clock, and whether the process is about to end."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.is_draining = False
        epochs = (f"epoch{number}" for number in count())
        self.registry = Registry(
            OpenToAll(),
            rules=Rules(),
            patience=Patience(),
            clock=self.clock,
            new_epoch=lambda: next(epochs),
        )

    async def publish(self, name: str = "main") -> Publication:
        request = PublishRequest("live", name, "", "192.0.2.7:50000", "OBS", "")
        return await self.registry.publish(request, lambda reason: None)


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
