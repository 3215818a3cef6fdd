"""One edge process: its parts put together, and uvicorn around them.

The way out, on SIGTERM or SIGINT::

    serving ──signal──> draining ──drain_notice_s──> closed to newcomers ──drain_s──> gone
                        /readyz says 503,            running responses are finished,
                        all else as before           idle connections are closed

A drain that ran out of time still ends with exit code 0: whoever asked the process to end got what
was asked for. A second signal is not caught, and ends the process as the system sees fit.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager

import uvicorn

from cdn.cache import Cache, Limits, Reply
from cdn.clock import Clock, LoopClock
from cdn.front.app import App
from cdn.health import Health
from cdn.keys import Key, kind_of
from cdn.observe import Metrics
from cdn.policy import Policy
from cdn.settings import EdgeSettings
from cdn.upstream import Upstream

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Edge:
    """The parts of one edge process and who knows whom; made inside of the running loop."""

    def __init__(self, settings: EdgeSettings, clock: Clock) -> None:
        self._clock = clock
        self.health = Health(clock)
        self.metrics = Metrics()
        self._upstream = Upstream(settings.origin, settings.origin.url[0], self.health)
        self.cache = Cache(
            fetch=self._fetch,
            judge=Policy(settings.rules, settings.cache).judge,
            clock=clock,
            limits=Limits(
                memory_bytes=settings.cache.memory,
                patience_s=settings.cache.patience_s,
                retry_s=settings.cache.retry_s,
            ),
        )
        self.app = App(
            cache=self.cache,
            clock=clock,
            health=self.health,
            probe=self._upstream.probe,
            metrics=self.metrics,
        )
        self._watch()

    async def open(self) -> None:
        await self._upstream.open()

    async def close(self) -> None:
        await self.cache.close()
        await self._upstream.close()

    def _watch(self) -> None:
        cache, watch = self.cache, self.metrics.watch
        watch("cache_objects", "Objects in the cache.", lambda: cache.objects)
        watch("cache_bytes", "Memory that objects take, finished or not.", lambda: cache.used_bytes)
        watch("origin_fetches_in_flight", "Requests to the origin now.", lambda: cache.flights)

    @asynccontextmanager
    async def _fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator[Reply]:
        started = self._clock.monotonic()
        try:
            async with self._upstream.fetch(key, etag) as reply:
                yield reply
        finally:
            self.metrics.fetched(kind_of(key.target), self._clock.monotonic() - started)


class HttpServer(uvicorn.Server):
    """uvicorn, except that the edge hears the signals: it has something to do before the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone (uvicorn would close the port at once)."""
        yield


def http_server(edge: Edge, settings: EdgeSettings) -> HttpServer:
    """Return uvicorn's server for this edge, not yet started."""
    return HttpServer(
        uvicorn.Config(
            edge.app,
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            backlog=settings.listen.backlog,
            timeout_keep_alive=settings.listen.keep_alive_s,
            timeout_graceful_shutdown=settings.listen.drain_s,
        )
    )


async def serve(
    settings: EdgeSettings, listener: socket.socket, on_open: Callable[[Edge], None]
) -> None:
    """Serve viewers on a bound socket until a signal says stop; return when all is closed."""
    edge = Edge(settings, LoopClock())
    server = http_server(edge, settings)
    loop = asyncio.get_running_loop()

    def drain() -> None:
        edge.health.draining = True
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        loop.call_later(settings.listen.drain_notice_s, close_port)

    def close_port() -> None:
        server.should_exit = True

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, drain)
    await edge.open()
    try:
        on_open(edge)
        await server.serve(sockets=[listener])
    finally:
        await edge.close()
