"""A registry of streams that tests publish into, with a clock that they own."""

from itertools import count

from origin.auth.gate import OpenToAll
from origin.hls.rules import Rules
from origin.streams.door import Publication, PublishRequest
from origin.streams.registry import Registry
from origin.streams.stream import Patience
from tests.support.clocks import FakeClock


class Station:
    """A registry, its clock, and whether the process is about to end."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.clock = FakeClock()
        self.is_draining = False
        epochs = (f"epoch{number}" for number in count())
        self.registry = Registry(
            OpenToAll(),
            rules=rules or Rules(),
            patience=Patience(),
            clock=self.clock,
            new_epoch=lambda: next(epochs),
        )

    async def publish(self, name: str = "main", query: str = "") -> Publication:
        request = PublishRequest("live", name, query, "192.0.2.7:50000", "OBS", "")
        return await self.registry.publish(request, lambda reason: None)
