"""``tidecast serve``: bind, say what to type into OBS, and hand over to the supervisor.

The words are printed as soon as RTMP and control are bound: from then on the kernel holds what
connects to the origin while it is starting. The edge binds its own port, a moment later.
"""

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from origin.config.addresses import LOOPBACK, is_unspecified
from origin.config.settings import Settings
from origin.observe.log import configure_log
from origin.service.announcement import announcement
from origin.service.publishing import FIRST_STREAM, Credentials, load_credentials
from origin.service.sockets import OriginSockets, check_free, listen
from origin.service.supervisor import Child, fork, spawn, supervise
from origin.store.folder import make_root
from origin.store.lock import DirectoryLock
from origin.store.marks import SharedMemory, shared_memory

PREDECESSOR_WITHIN_S = 3.0
"""How long an origin that is just ending is waited for, before its data directory is refused."""

if TYPE_CHECKING:  # only who speaks TLS loads what it needs
    from origin.ingest.tls import Certificate


def serve(settings: Settings, *, demo: bool) -> int:
    """Run Tidecast until it is told to end; return the exit status.

    Raises:
        SettingsError: a port or the data directory cannot be used; nothing was started.
    """
    configure_log(as_json=settings.server.log_json)
    credentials = load_credentials(settings, demo=demo)
    certificate = _load_certificate(settings)
    sockets = _listen(settings)
    memory = _shared_memory(settings)
    print(announcement(settings, credentials.keys, credentials.key_file), flush=True)
    children = [
        Child(
            "origin",
            lambda: fork(lambda: _run_origin(settings, credentials, sockets, certificate, memory)),
            reloads=True,
        )
    ]
    if settings.server.edge_workers:
        children.append(Child("edge", lambda: spawn(edge_arguments(settings)), reloads=True))
    if demo:
        publish_to = _demo_address(settings, credentials)
        children.append(Child("demo", lambda: fork(lambda: _run_demo(publish_to))))
    return supervise(children)


def edge_arguments(settings: Settings) -> list[str]:
    """The command line of the edge in front of this origin, after ``python``."""
    return [
        *("-m", "cdn", "--exit-with-parent", "--log-level", "warning"),
        *("--origin", f"http://{_local(settings.control.host)}:{settings.control.port}"),
        *("--host", settings.server.host),
        *("--http-port", str(settings.server.http_port)),
        *("--workers", str(settings.server.edge_workers)),
    ]


def _listen(settings: Settings) -> OriginSockets:
    server, control = settings.server, settings.control
    if server.edge_workers:
        check_free(server.host, server.http_port, what="the edge", flag="--http-port")
    return OriginSockets(
        rtmp=listen(server.host, settings.rtmp.port, what="RTMP", flag="--rtmp-port"),
        rtmps=_listen_tls(settings),
        control=listen(control.host, control.port, what="the control API", flag="--control-port"),
    )


def _shared_memory(settings: Settings) -> SharedMemory | None:
    """See that no other origin uses the data directory; make what all of ours share."""
    if not settings.hls.keep_over_restarts:
        return None
    DirectoryLock(make_root(settings.data_dir), PREDECESSOR_WITHIN_S).release()
    return shared_memory()


def _listen_tls(settings: Settings) -> socket.socket | None:
    if not settings.rtmp.has_tls:
        return None
    port = settings.rtmp.tls_port
    return listen(settings.server.host, port, what="RTMPS", flag="--rtmp-tls-port")


def _load_certificate(settings: Settings) -> "Certificate | None":
    if not settings.rtmp.has_tls:
        return None
    from origin.ingest.tls import Certificate

    paths = (
        Path(path).expanduser() for path in (settings.rtmp.tls_certificate, settings.rtmp.tls_key)
    )
    return Certificate(*paths)


def _demo_address(settings: Settings, credentials: Credentials) -> str:
    demo = credentials.demo_key
    key = FIRST_STREAM if settings.rtmp.open or demo is None else demo.secret
    return f"rtmp://{_local(settings.server.host)}:{settings.rtmp.port}/live/{key}"


def _local(host: str) -> str:
    """Where this machine itself reaches a server that listens on ``host``."""
    if is_unspecified(host):
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


# The supervisor stays small: what only its children need is imported in them.


def _run_origin(
    settings: Settings,
    credentials: Credentials,
    sockets: OriginSockets,
    certificate: "Certificate | None",
    memory: SharedMemory | None,
) -> None:
    from origin.service.origin_process import run_origin

    run_origin(settings, credentials, sockets, certificate, memory)


def _run_demo(address: str) -> None:
    from origin.service.demo import run_demo

    run_demo(address)
