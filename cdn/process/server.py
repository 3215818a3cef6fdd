"""One edge process as uvicorn runs it: signals, the way out, and a port that can be closed for now.

The way out, on SIGTERM or SIGINT::

    serving ──signal──> draining ──drain_notice_s──> closed to newcomers ──drain_s──> gone
                        /readyz says 503,            held requests are released,
                        all else as before           running responses are finished,
                                                     idle connections are closed

A drain that ran out of time still ends with exit code 0: whoever asked the process to end got what
was asked for. A second signal is not caught, and ends the process as the system sees fit.

SIGHUP reloads (see ``reload`` and ``Edge.reload``). Settings that cannot be used are refused as a
whole, with a line in the log for each error, and the process goes on with those that it has.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass

import structlog
import uvicorn

from cdn.clock import LoopClock
from cdn.edge import Edge
from cdn.errors import SettingsError
from cdn.front.handover import Entrance
from cdn.http.loops import PSEUDONYM
from cdn.observe import set_up_logging
from cdn.process.descriptors import Watch
from cdn.process.reload import merged
from cdn.settings import EdgeSettings

ACCEPTORS = 32
"""Newcomers that are let in per turn of the loop. libuv accepts one per turn and listening socket;
with thousands of viewers a turn takes 10 ms and more, and the crowd that comes back after an outage
would wait at the door until the kernel forgets it. So the one socket is listened on many times."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Reread = Callable[[], EdgeSettings]
"""Reads the settings again, from the same file, flags and environment as at the start."""

Reloading = Callable[[], contextlib.AbstractContextManager[None]]
"""What has to be told that a reload begins and ends."""


class HttpServer(uvicorn.Server):
    """uvicorn with a port that can be closed for a while, and without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone (uvicorn would close the port at once)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept on copies of the sockets: the kernel goes on queueing when those are closed."""
        self._listeners = sockets or []
        await super().startup(self._acceptors())

    def pause(self) -> None:
        """Accept nobody for now; who comes waits in the kernel's queue."""
        for server in self.servers:
            server.close()

    async def resume(self) -> None:
        """Accept again, those who have waited first."""
        if not self.should_exit:
            await super().startup(self._acceptors())

    def _acceptors(self) -> list[socket.socket]:
        return [listener.dup() for listener in self._listeners for _ in range(ACCEPTORS)]


@dataclass(frozen=True, slots=True)
class Work:
    """What one process serves with."""

    settings: EdgeSettings
    listener: socket.socket
    reread: Reread
    name: str = PSEUDONYM


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


async def serve(work: Work, on_open: Callable[[Edge], None], on_reload: Reloading) -> None:
    """Serve viewers on a bound socket until a signal says stop; return when all is closed."""
    edge = Edge(work.settings, LoopClock(), work.name)
    server = http_server(edge, work.settings)
    watch = Watch(edge.health, server.pause, server.resume)
    with _hearing(edge, server, work.reread, on_reload):
        await edge.open()
        edge.lag.start()
        watch.start()
        try:
            on_open(edge)
            await server.serve(sockets=[work.listener])
        finally:
            edge.hall.cut_off()
            watch.stop()
            edge.lag.stop()
            await edge.close()


@contextlib.contextmanager
def _hearing(
    edge: Edge, server: HttpServer, reread: Reread, on_reload: Reloading
) -> Generator[None]:
    """Hear the signals while this process serves."""
    loop = asyncio.get_running_loop()
    reloading = asyncio.Lock()
    tasks: set[asyncio.Task[None]] = set()

    def drain() -> None:
        edge.health.draining = True
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        loop.call_later(edge.settings.listen.drain_notice_s, close_port)

    def close_port() -> None:
        server.config.timeout_graceful_shutdown = edge.settings.listen.drain_s
        edge.cache.release_held()
        server.should_exit = True

    async def reload() -> None:
        async with reloading:
            with on_reload():
                await _reload(edge, server, reread)

    def hang_up() -> None:
        task = asyncio.create_task(reload())
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, drain)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    yield
    loop.remove_signal_handler(signal.SIGHUP)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for task in tasks:
        task.cancel()


def refuse(error: SettingsError) -> None:
    """Log why settings cannot be used, a line for each reason."""
    for line in str(error).splitlines():
        structlog.get_logger("edge").error("the settings were not reloaded", reason=line)


async def _reload(edge: Edge, server: HttpServer, reread: Reread) -> None:
    log = structlog.get_logger("edge")
    try:
        settings, fixed = merged(edge.settings, reread())
        await edge.reload(settings)
    except SettingsError as error:
        refuse(error)
        return
    set_up_logging(settings.log.level)
    server.config.timeout_keep_alive = settings.listen.keep_alive_s
    for name in fixed:
        log.warning("this setting takes effect at the next start", setting=name)
    log.info("the settings were reloaded")
