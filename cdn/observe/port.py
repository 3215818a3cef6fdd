"""The port for operators: ``GET /metrics`` for Prometheus, ``POST /purge`` for whoever runs it.

It is served by threads of its own: a scrape then neither waits for viewers nor is reachable by
them. Those threads only read, with one exception. A purge changes the cache, which belongs to the
event loop, so it is handed over to the loop and waited for; a loop that is busy for longer than
``HANDOVER_S`` answers 503 instead.

Who may purge: a program on the same machine, or one that knows the token (``[purge] token``). A
request that a browser makes for some page names that page (the Origin field), and is refused:
otherwise any page open on the operator's desk could purge.
"""

import asyncio
import hmac
import ipaddress
import json
import socket
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from cdn.errors import RequestRefused, SettingsError
from cdn.http.keys import normalise
from cdn.observe.metrics import Metrics

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

HANDOVER_S = 5.0
"""How long the event loop may take until it purges."""

SILENCE_S = 10.0
"""How long a client of this port may take for its request."""

Purge = Callable[[str], int]
"""Throws away what lies under a prefix, and says how many objects that were."""


def handed_over(purge: Purge, loop: asyncio.AbstractEventLoop) -> Purge:
    """Return what may be called from another thread, for what may be called on the loop only."""

    async def on_the_loop(prefix: str) -> int:
        return purge(prefix)

    def from_another_thread(prefix: str) -> int:
        future = asyncio.run_coroutine_threadsafe(on_the_loop(prefix), loop)
        try:
            return future.result(HANDOVER_S)
        except TimeoutError:
            future.cancel()  # nothing is purged later than its caller was told
            raise

    return from_another_thread


class Desk:
    """Decides what a request to this port gets; a WSGI application."""

    def __init__(
        self, registry: CollectorRegistry, purge: Purge | None = None, token: str = ""
    ) -> None:
        self._registry = registry
        self._purge = purge
        self._token = token

    def __call__(
        self, environment: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environment.get("PATH_INFO", "/")
        if path in ("/", "/metrics"):
            encode, content_type = choose_encoder(environment.get("HTTP_ACCEPT", ""))
            start_response("200 OK", [("Content-Type", content_type)])
            return [encode(self._registry)]
        try:
            if path != "/purge":
                raise RequestRefused(404, "Here are GET /metrics and POST /purge?prefix=/main/.")
            status, document = 200, self._purged(environment)
        except RequestRefused as refusal:
            status, document = refusal.status, {"status": refusal.status, "detail": refusal.detail}
        body = json.dumps(document).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    def _purged(self, environment: "WSGIEnvironment") -> dict[str, object]:
        if environment["REQUEST_METHOD"] != "POST":
            raise RequestRefused(405, "Purging is done with POST /purge?prefix=/main/")
        if self._purge is None:
            raise RequestRefused(404, "There is nothing to purge here.")
        self._check_right(environment)
        prefix = prefix_in(environment.get("QUERY_STRING", ""))
        try:
            count = self._purge(prefix)
        except TimeoutError as error:
            raise RequestRefused(503, "The worker is too busy to purge; ask again.") from error
        return {"prefix": prefix, "purged": count}

    def _check_right(self, environment: "WSGIEnvironment") -> None:
        if "HTTP_ORIGIN" in environment:
            raise RequestRefused(403, "Purging is for programs, not for pages in a browser.")
        given = environment.get("HTTP_AUTHORIZATION", "")
        expected = f"Bearer {self._token}"
        if self._token and hmac.compare_digest(given.encode(), expected.encode()):
            return
        if given:
            raise RequestRefused(401, "That is not the token in [purge] token.")
        if not _is_loopback(environment.get("REMOTE_ADDR", "")):
            raise RequestRefused(
                403, "From another machine, purging needs the token in [purge] token."
            )


def prefix_in(query: str) -> str:
    """Return the one prefix that a query names, in the spelling of cache keys."""
    fields = parse_qsl(query, keep_blank_values=True)
    if len(fields) != 1 or fields[0][0] != "prefix":
        raise RequestRefused(400, "Say what to purge: /purge?prefix=/main/")
    return checked_prefix(fields[0][1])


def checked_prefix(prefix: str) -> str:
    """Return a prefix in the spelling of cache keys; refuse what no address begins with."""
    if not prefix.startswith("/"):
        raise RequestRefused(400, f"A prefix begins with a slash, as in /main/, not {prefix!r}.")
    if not prefix.isascii() or "?" in prefix:
        raise RequestRefused(400, "A prefix is the beginning of a path: ASCII, without a query.")
    return normalise(prefix.encode())


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


class _Handler(WSGIRequestHandler):
    timeout = SILENCE_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Write no line for each scrape."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerOnV6(_Server):
    address_family = socket.AF_INET6


class MetricsServer:
    """The port that Prometheus asks."""

    def __init__(
        self,
        metrics: Metrics,
        host: str,
        port: int,
        *,
        must_have: bool,
        purge: Purge | None = None,
        token: str = "",
    ) -> None:
        """Serve on the port; where it is taken, on a free one, unless this one was asked for."""
        self._server = _open(Desk(metrics.registry, purge, token), host, port, must_have=must_have)
        self._thread = Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _open(desk: Desk, host: str, port: int, *, must_have: bool) -> WSGIServer:
    try:
        return _listen(desk, host, port)
    except OSError as error:
        if not must_have:
            return _listen(desk, host, 0)
        raise SettingsError(
            f"metrics: {host} port {port} cannot be had ({error.strerror}); "
            "choose another with --metrics-port"
        ) from error


def _listen(desk: Desk, host: str, port: int) -> WSGIServer:
    return make_server(host, port, desk, _ServerOnV6 if ":" in host else _Server, _Handler)
