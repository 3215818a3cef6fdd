"""The origin process: RTMP in, HLS out, in one event loop.

Runs in a process of its own, below the supervisor, with sockets that are already listening.
On SIGTERM it stops taking streams in, publishes every frame that it has received, answers what
is being asked, and returns.
"""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Generator
from itertools import chain

import uvicorn
import uvloop

from origin.auth.gate import Admission
from origin.config.settings import Settings
from origin.hls.rules import Rules
from origin.http.app import create_app
from origin.http.connection import protocol_with
from origin.http.limits import HttpLimits
from origin.http.state import OriginState
from origin.ingest.listener import RtmpListener
from origin.ingest.settings import IngestSettings
from origin.ingest.tls import Certificate
from origin.observe.metrics import MetricsPage
from origin.rtmp.limits import Limits
from origin.service.attempt_figures import attempt_families
from origin.service.figures import read_figures
from origin.service.keeping import Keeping
from origin.service.memory import keep_memory
from origin.service.publishing import Credentials, Publishing
from origin.service.reloading import Reloadable, Reloader
from origin.service.sockets import OriginSockets
from origin.service.store_figures import store_families
from origin.service.upkeep import Upkeep
from origin.store.marks import SharedMemory
from origin.streams.clock import Clock, LoopClock
from origin.streams.reception import Reception
from origin.streams.registry import Registry
from origin.streams.stream import Patience

EPOCH_BYTES = 4
DRAIN_S = 5


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process ends in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def run_origin(
    settings: Settings,
    credentials: Credentials,
    sockets: OriginSockets,
    certificate: Certificate | None,
    memory: SharedMemory | None = None,
) -> None:
    """Run the origin until SIGTERM or SIGINT; ``memory`` outlives it, if it is killed."""
    uvloop.run(_serve(settings, credentials, sockets, certificate, memory))


async def _serve(
    settings: Settings,
    credentials: Credentials,
    sockets: OriginSockets,
    certificate: Certificate | None,
    memory: SharedMemory | None,
) -> None:
    clock = LoopClock()
    publishing = Publishing(settings, credentials, clock)
    keeps = settings.hls.keep_over_restarts
    keeping = Keeping(settings.data_dir, memory, clock) if keeps else None
    registry = _registry(settings, publishing.admission, clock, keeping)
    reception = Reception(registry, publishing.admission, clock, publishing.attempts)
    objection = publishing.gate.objection if publishing.gate is not None else None
    listener = RtmpListener(reception, ingest_settings(settings), objection)
    listener.let_watch(registry.audience_of)
    upkeep = Upkeep(listener, clock, settings.limits.memory_mib)
    reloader = Reloader(_watched(publishing, registry, certificate))
    stopping = _set_by_signals(asyncio.Event())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.reload)
    page = _metrics(registry, listener, publishing, upkeep, keeping)
    state = OriginState(
        streams=registry,
        metrics=page,
        is_draining=stopping.is_set,
        shortage=lambda: upkeep.shortage,
        attempts=publishing.attempts,
        token=credentials.token,
        notice=lambda: keeping.writer.notice if keeping is not None else None,
    )
    server = _http_server(state, protocol_with(clock, http_limits(settings)))
    keep_memory()
    if keeping is not None:
        keeping.restore(registry, _rules(settings), _new_epoch)
    reloader.catch_up()
    reloader.start()
    upkeep.start()
    await _listen(listener, sockets, certificate)
    serving = asyncio.ensure_future(server.serve([sockets.control]))
    await stopping.wait()
    reloader.stop()
    await upkeep.stop()
    await _let_go(listener, registry)
    server.should_exit = True
    await serving
    if keeping is not None:
        keeping.close()


def _metrics(
    registry: Registry,
    listener: RtmpListener,
    publishing: Publishing,
    upkeep: Upkeep,
    keeping: Keeping | None,
) -> MetricsPage:
    return MetricsPage(
        lambda: chain(
            read_figures(registry, listener.counters),
            attempt_families(publishing.attempts, publishing.gate),
            upkeep.read(),
            store_families(keeping.writer) if keeping is not None else (),
        )
    )


async def _listen(
    listener: RtmpListener, sockets: OriginSockets, certificate: Certificate | None
) -> None:
    await listener.start(sockets.rtmp)
    if sockets.rtmps is not None and certificate is not None:
        await listener.start(sockets.rtmps, tls=certificate.context)


async def _let_go(listener: RtmpListener, registry: Registry) -> None:
    """Have publishers come again elsewhere, and publish what they have sent."""
    listener.ask_to_reconnect("The server is shutting down: connect again in a moment.")
    registry.close("the server is shutting down")
    await listener.close()


def _watched(
    publishing: Publishing, registry: Registry, certificate: Certificate | None
) -> list[Reloadable]:
    """The files that are read again when they change."""
    watched: list[Reloadable] = []
    if publishing.gate is not None:
        watched.append(publishing.key_file(on_change=registry.recheck))
    if certificate is not None:
        watched.append(Reloadable("RTMPS certificate", certificate.paths, certificate.load))
    return watched


def ingest_settings(settings: Settings) -> IngestSettings:
    """The listener's settings, as the operator has set them."""
    limits = settings.limits
    return IngestSettings(
        limits=Limits(
            handshake_s=limits.handshake_s,
            connect_s=limits.connect_s,
            publish_s=limits.publish_s,
            silence_s=limits.silence_s,
            unfinished_message_s=limits.unfinished_message_s,
            closing_s=limits.closing_s,
            longest_message_before_publish_bytes=limits.longest_message_before_publish_bytes,
            longest_message_bytes=limits.longest_message_bytes,
            unfinished_before_publish_bytes=limits.unfinished_before_publish_bytes,
            unfinished_bytes=limits.unfinished_bytes,
            chunk_streams=limits.chunk_streams,
            chunks_per_turn=limits.chunks_per_turn,
            command_bytes=limits.command_bytes,
            command_values=limits.command_values,
            metadata_bytes=limits.metadata_bytes,
            metadata_values=limits.metadata_values,
            amf_depth=limits.amf_depth,
        ),
        chunk_size=settings.rtmp.chunk_size,
        connections=limits.connections,
        strangers_per_address=limits.connections_per_address,
        stranger_turns_per_s=limits.stranger_turns_per_s,
        players=limits.players,
        decision_s=limits.decision_s,
        write_buffer_bytes=limits.unread_replies_bytes,
    )


def http_limits(settings: Settings) -> HttpLimits:
    """What a connection to the control port may cost, as the operator has set it."""
    control = settings.control
    return HttpLimits(control.request_s, control.request_bytes, control.slow_reader_s)


def _registry(
    settings: Settings, admission: Admission, clock: Clock, keeping: Keeping | None
) -> Registry:
    return Registry(
        admission,
        rules=_rules(settings),
        patience=Patience(settings.rtmp.grace_s, settings.rtmp.keep_ended_s),
        clock=clock,
        new_epoch=_new_epoch,
        keeper=keeping.keeper if keeping is not None else None,
    )


def _rules(settings: Settings) -> Rules:
    hls = settings.hls
    return Rules(
        segment_s=hls.segment_s,
        part_s=hls.part_s,
        window=hls.window,
        low_latency=hls.low_latency,
    )


def _new_epoch() -> str:
    return secrets.token_hex(EPOCH_BYTES)


def _http_server(state: OriginState, protocol: type[asyncio.Protocol]) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            create_app(state),
            http=protocol,
            ws="none",
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,  # CommonHeaders dates answers, and later
            timeout_graceful_shutdown=DRAIN_S,
        ),
    )


def _set_by_signals(event: asyncio.Event) -> asyncio.Event:
    """Have ``event`` set when the process is told to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event
