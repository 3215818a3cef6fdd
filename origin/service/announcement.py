"""What ``tidecast serve`` prints: exactly what a streamer has to type, and nothing else."""

from collections.abc import Sequence
from pathlib import Path

from origin.auth.keys import StreamKey
from origin.config.addresses import reachable_host
from origin.config.settings import Settings

DEFAULT_RTMP_PORT = 1935
DEFAULT_RTMPS_PORT = 443
DEFAULT_HTTP_PORT = 80


def announcement(settings: Settings, keys: Sequence[StreamKey], key_file: Path) -> str:
    """The text, with real hosts and ports; ``keys`` is empty where publishing is open."""
    rows = _server_rows(settings)
    if not keys:
        rows += [("Key", "any name, such as main (open: no key is needed)")]
        rows += [("Watch", watch_address(settings, "main"))]
    for index, key in enumerate(_one_for_each_stream(keys)):
        hashed = f"(known by its hash; `tidecast keys rotate {key.stream}` makes another)"
        kept = f"    (kept in {key_file})" if index == 0 else ""
        rows += [("Key", (key.secret or hashed) + kept)]
        rows += [("Watch", watch_address(settings, key.stream))]
    return "\n".join(["", *_lines(rows), "", "  Ctrl-C ends it.", ""])


def what_to_type(settings: Settings, stream: str, secret: str) -> str:
    """The same for one key, at a server that is running or not."""
    rows = [
        *_server_rows(settings),
        ("Key", secret),
        ("Watch", watch_address(settings, stream)),
    ]
    return "\n".join(["", *_lines(rows), ""])


def watch_address(settings: Settings, stream: str) -> str:
    """Where viewers of ``stream`` go; where the edges are elsewhere, what those need to know."""
    server, control = settings.server, settings.control
    if not server.edge_workers:
        origin = f"http://{_in_url(reachable_host(control.host))}:{control.port}"
        return f"/{stream} on your edges (tidecast edge --origin {origin})"
    host = _in_url(reachable_host(server.host))
    return f"http://{host}{_port(server.http_port, DEFAULT_HTTP_PORT)}/{stream}"


def _server_rows(settings: Settings) -> list[tuple[str, str]]:
    host = _in_url(reachable_host(settings.server.host))
    server = f"rtmp://{host}{_port(settings.rtmp.port, DEFAULT_RTMP_PORT)}/live"
    rows = [("OBS", "Settings > Stream > Service: Custom..."), ("Server", server)]
    if settings.rtmp.has_tls:
        port = _port(settings.rtmp.tls_port, DEFAULT_RTMPS_PORT)
        rows += [("", f"rtmps://{host}{port}/live    (encrypted)")]
    return rows


def _lines(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f"  {label:<9}{text}" for label, text in rows]


def _one_for_each_stream(keys: Sequence[StreamKey]) -> list[StreamKey]:
    """The key to show of each stream: the first one that can be shown and is not disabled."""
    chosen: dict[str, StreamKey] = {}
    for key in keys:
        if key.disabled:
            continue
        other = chosen.setdefault(key.stream, key)
        if other.secret is None and key.secret is not None:
            chosen[key.stream] = key
    return list(chosen.values())


def _port(port: int, default: int) -> str:
    return "" if port == default else f":{port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
