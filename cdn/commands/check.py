"""``tidecast edge --check``: everything that can be found out without serving anybody.

Errors are what would keep the edge from starting: settings that cannot be read (found before this),
a certificate that does not fit its key, a port that somebody has. They end in exit code 2.

Warnings are what may be otherwise in a minute, an origin that does not answer above all. They are
said, and the exit code stays 0: an edge starts without its origin, on purpose, and a deployment
that checks a file on a machine without a road to the origin is not to fail for it. Ports are no
error either if an edge runs here already (``--check`` before a reload): that cannot be told from a
stranger who has them, so a port in use is a warning, too.
"""

import asyncio
import socket
from collections.abc import Iterator

from cdn.edge import certificate_of
from cdn.fetch.upstream import Upstream
from cdn.process.descriptors import raise_limit, too_many
from cdn.settings import EdgeSettings, Origin


def check(settings: EdgeSettings) -> list[str]:
    """Return the warnings; raise ``SettingsError`` for what would keep the edge from starting."""
    certificate_of(settings.listen)
    limit = raise_limit()
    complaint = too_many(settings.listen.connections, settings.origin.connections, limit)
    warnings = [] if complaint is None else [complaint]
    warnings += _ports_in_use(settings)
    warnings += asyncio.run(_silent_origins(settings))
    return warnings


def _ports_in_use(settings: EdgeSettings) -> Iterator[str]:
    listen, metrics = settings.listen, settings.metrics
    wanted = [("listen.http_port", listen.host, listen.http_port)]
    if metrics.enabled and metrics.port and "port" in metrics.model_fields_set:
        ports = range(metrics.port, metrics.port + listen.workers)
        wanted += [("metrics.port", metrics.host, port) for port in ports]
    for name, host, port in wanted:
        reason = _why_not(host, port)
        if reason is not None:
            yield f"{name}: {host} port {port} cannot be had now ({reason})"


def _why_not(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            return error.strerror
    return None


async def _silent_origins(settings: EdgeSettings) -> list[str]:
    origin = settings.origin
    patience_s = max(origin.connect_timeout_s, origin.probe_timeout_s)
    are_well = await asyncio.gather(*(_is_well(origin, url, patience_s) for url in origin.url))
    silent = [url for url, is_well in zip(origin.url, are_well, strict=True) if not is_well]
    warnings = [f"origin.url: {url} does not answer" for url in silent]
    if len(silent) == len(origin.url):
        warnings.append("no origin answers: until one does, viewers would get 503")
    return warnings


async def _is_well(origin: Origin, url: str, patience_s: float) -> bool:
    upstream = Upstream(origin, url, _Nobody())
    await upstream.open()
    try:
        return await upstream.probe(patience_s)
    finally:
        await upstream.close()


class _Nobody:
    """Nobody else wants to know."""

    def answered(self) -> None:
        pass

    def failed(self, reason: str) -> None:
        pass
