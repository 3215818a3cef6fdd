"""A whole edge inside of a test's own event loop."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from cdn.edge import Edge
from cdn.http.loops import PSEUDONYM
from cdn.layers import Flags, load
from cdn.process.server import http_server
from cdn.settings import EdgeSettings
from tests.support.clocks import FakeClock
from tests.support.viewers import Viewers


class RunningEdge(Viewers):
    """An edge on a port of its own; time stands still unless the test moves it."""

    def __init__(self, edge: Edge, port: int, clock: FakeClock) -> None:
        super().__init__(port)
        self.edge = edge
        self.clock = clock

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> EdgeSettings:
        return self.edge.settings


@asynccontextmanager
async def running_edge(
    origin_url: str, clock: FakeClock, flags: Flags | None = None, *, name: str = PSEUDONYM
) -> AsyncGenerator[RunningEdge]:
    """Run an edge; everything of it is gone afterwards."""
    settings = load(None, {"origin": {"url": origin_url}, **(flags or {})})
    edge = Edge(settings, clock, name)
    server = http_server(edge, settings)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    listener = socket.create_server(("127.0.0.1", 0))
    await edge.open()
    await server.startup(sockets=[listener])
    try:
        yield RunningEdge(edge, listener.getsockname()[1], clock)
    finally:
        await edge.close()
        await server.shutdown(sockets=[listener])
