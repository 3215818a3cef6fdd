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
from collections.abc import Callable, Generator

import uvicorn

from cdn.cache import Cache, Limits
from cdn.clock import Clock, LoopClock
from cdn.figures import Parts, export
from cdn.front.app import App
from cdn.health import Health
from cdn.observe import Metrics
from cdn.observe.access_log import AccessLog
from cdn.observe.ages import PlaylistAges
from cdn.observe.fetches import Fetches
from cdn.observe.lag import LoopLag
from cdn.policy import Policy
from cdn.settings import EdgeSettings, Log
from cdn.upstream import Upstream

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Edge:
    """The parts of one edge process and who knows whom; made inside of the running loop."""

    def __init__(self, settings: EdgeSettings, clock: Clock) -> None:
        self.health = Health(clock)
        self.metrics = Metrics()
        self.lag = LoopLag(clock, self.metrics.lagged)
        self.access_log = access_log_of(settings.log)
        self._upstream = Upstream(settings.origin, settings.origin.url[0], self.health)
        ages = PlaylistAges()
        fetches = Fetches(self._upstream.fetch, self.metrics, ages, clock)
        self.cache = Cache(
            fetch=fetches,
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
        parts = Parts(self.cache, self.health, fetches, ages, self.access_log)
        export(self.metrics, parts, clock)

    async def open(self) -> None:
        await self._upstream.open()

    async def close(self) -> None:
        await self.cache.close()
        await self._upstream.close()
        if self.access_log is not None:
            self.access_log.close()


def access_log_of(settings: Log) -> AccessLog | None:
    """Open the access log, if there is to be one."""
    if settings.access_sample == 0:
        return None
    return AccessLog(settings.access_sample, settings.access_file)


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
    edge.lag.start()
    try:
        on_open(edge)
        await server.serve(sockets=[listener])
    finally:
        edge.lag.stop()
        await edge.close()
