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
from contextlib import AbstractAsyncContextManager

import uvicorn

from cdn.cache import Cache, Limits
from cdn.clock import Clock, LoopClock
from cdn.failover import Failover
from cdn.figures import Parts, export, export_origins
from cdn.front.app import App
from cdn.front.door import Door, most_connections
from cdn.front.hall import Deadlines, Hall
from cdn.front.handover import Entrance
from cdn.health import Health
from cdn.keys import Key
from cdn.loops import PSEUDONYM
from cdn.observe import Metrics
from cdn.observe.access_log import AccessLog
from cdn.observe.ages import PlaylistAges
from cdn.observe.fetches import Fetches
from cdn.observe.lag import LoopLag
from cdn.policy import Policy
from cdn.settings import EdgeSettings, Listen, Log
from cdn.tls import Certificate
from cdn.upstream import Reply

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Edge:
    """The parts of one edge process and who knows whom; made inside of the running loop."""

    def __init__(self, settings: EdgeSettings, clock: Clock, name: str = PSEUDONYM) -> None:
        self.health = Health(clock)
        self.metrics = Metrics()
        self.lag = LoopLag(clock, self.metrics.lagged)
        self.access_log = access_log_of(settings.log)
        self.failover = Failover(settings.origin, self.health, clock, name)
        ages = PlaylistAges()
        fetches = Fetches(self._ask_origin, self.metrics, ages, clock)
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
            probe=self._probe_origin,
            metrics=self.metrics,
            name=name,
            access_log=self.access_log,
        )
        self.certificate = certificate_of(settings.listen)
        self.hall = self._hall(settings, clock)
        parts = Parts(self.cache, self.health, fetches, ages, self.access_log)
        export(self.metrics, parts, clock)
        export_origins(self.metrics, lambda: self.failover)

    def _hall(self, settings: EdgeSettings, clock: Clock) -> Hall:
        listen = settings.listen
        most = most_connections(listen.connections, settings.origin.connections)
        hall = Hall(
            cache=self.cache,
            clock=clock,
            health=self.health,
            metrics=self.metrics,
            deadlines=Deadlines(listen.head_timeout_s, listen.keep_alive_s, listen.slow_reader_s),
            door=Door(most, listen.connections_per_address),
            access_log=self.access_log,
            is_tls=self.certificate is not None,
        )
        self.metrics.watch("connections", "Viewers' connections now.", lambda: hall.guests)
        self.metrics.watch_total(
            "connections_turned_away",
            "Connections beyond a limit, answered with 503.",
            lambda: hall.door.turned_away,
        )
        return hall

    async def open(self) -> None:
        await self.failover.open()

    async def close(self) -> None:
        await self.cache.close()
        await self.failover.close()
        if self.access_log is not None:
            self.access_log.close()

    def _ask_origin(self, key: Key, etag: bytes | None) -> AbstractAsyncContextManager[Reply]:
        return self.failover.fetch(key, etag)

    async def _probe_origin(self) -> None:
        await self.failover.probe()


def access_log_of(settings: Log) -> AccessLog | None:
    """Open the access log, if there is to be one."""
    if settings.access_sample == 0:
        return None
    return AccessLog(settings.access_sample, settings.access_file)


def certificate_of(listen: Listen) -> Certificate | None:
    """Read the certificate, if the port is to speak TLS."""
    if listen.tls_certificate is None or listen.tls_key is None:
        return None
    return Certificate(listen.tls_certificate, listen.tls_key)


class HttpServer(uvicorn.Server):
    """uvicorn, except that the edge hears the signals: it has something to do before the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone (uvicorn would close the port at once)."""
        yield


def http_server(edge: Edge, settings: EdgeSettings) -> HttpServer:
    """Return uvicorn's server for this edge, not yet started."""
    certificate = edge.certificate
    return HttpServer(
        uvicorn.Config(
            edge.app,
            http=Entrance(edge.hall, is_fast=settings.listen.fast_path).as_protocol_class,
            ssl_context_factory=(
                None if certificate is None else lambda _config, _default: certificate.context
            ),
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
