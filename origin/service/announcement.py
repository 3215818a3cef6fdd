"""What ``tidecast serve`` prints: exactly what a streamer has to type, and nothing else."""

from collections.abc import Sequence
from pathlib import Path

from origin.auth.keyring import StreamKey
from origin.config.addresses import reachable_host
from origin.config.settings import Settings

DEFAULT_RTMP_PORT = 1935
DEFAULT_RTMPS_PORT = 443
DEFAULT_HTTP_PORT = 80


def announcement(settings: Settings, keys: Sequence[StreamKey], key_file: Path) -> str:
    """The text, with real hosts and ports; ``keys`` is empty where publishing is open."""
    host = _in_url(reachable_host(settings.server.host))
    server = f"rtmp://{host}{_port(settings.rtmp.port, DEFAULT_RTMP_PORT)}/live"
    watch = f"http://{host}{_port(settings.server.http_port, DEFAULT_HTTP_PORT)}"
    rows = [("OBS", "Settings > Stream > Service: Custom..."), ("Server", server)]
    if settings.rtmp.has_tls:
        port = _port(settings.rtmp.tls_port, DEFAULT_RTMPS_PORT)
        rows += [("", f"rtmps://{host}{port}/live    (encrypted)")]
    if not keys:
        rows += [("Key", "any name, such as main (open: no key is needed)")]
        rows += [("Watch", f"{watch}/main")]
    for index, key in enumerate(_one_for_each_stream(keys)):
        hashed = f"(known by its hash; `tidecast keys rotate {key.stream}` makes another)"
        kept = f"    (kept in {key_file})" if index == 0 else ""
        rows += [("Key", (key.secret or hashed) + kept)]
        rows += [("Watch", f"{watch}/{key.stream}")]
    lines = [f"  {label:<9}{text}" for label, text in rows]
    return "\n".join(["", *lines, "", "  Ctrl-C ends it.", ""])


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
