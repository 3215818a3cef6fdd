"""What an operator sees: metrics for Prometheus and a few lines on standard error.

Metrics are served on a port of their own, by a thread of ``prometheus_client``'s: a scrape then
neither waits for viewers nor is reachable by them. That thread only reads; counters are written by
the event loop. With several workers each has its own port, counted up from the first, and
Prometheus adds them up: every figure is then one that a process knows for certain.

Children of a metric are looked up once and kept, because ``labels()`` costs five times as much as
counting does.
"""

import logging
import sys
from collections.abc import Callable
from http.server import HTTPServer
from threading import Thread
from typing import Any

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    start_http_server,
)

from cdn.errors import SettingsError
from cdn.keys import Kind

FETCH_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Up to the time-outs: a blocked playlist legitimately takes several part durations."""


class Metrics:
    """The counters of one worker."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "tidecast_edge_requests",
            "Viewers' requests, by kind of resource, status and how the cache answered.",
            ("kind", "status", "cache"),
            registry=self.registry,
        )
        self._bytes = Counter(
            "tidecast_edge_sent_bytes",
            "Bytes of bodies sent to viewers.",
            ("kind",),
            registry=self.registry,
        )
        self._fetches = Histogram(
            "tidecast_edge_origin_fetch_seconds",
            "Requests to the origin: time until the last byte of the answer.",
            ("kind",),
            buckets=FETCH_BUCKETS_S,
            registry=self.registry,
        )
        self._bound_requests: dict[tuple[Kind, int, str], Counter] = {}
        self._bound_bytes = {kind: self._bytes.labels(kind.value) for kind in Kind}
        self._bound_fetches = {kind: self._fetches.labels(kind.value) for kind in Kind}

    def watch(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Export a number that is known elsewhere; it is read at each scrape."""
        gauge = Gauge(f"tidecast_edge_{name}", documentation, registry=self.registry)
        gauge.set_function(read)

    def answered(self, kind: Kind, status: int, cache: str, sent_bytes: int) -> None:
        counter = self._bound_requests.get((kind, status, cache))
        if counter is None:
            counter = self._requests.labels(kind.value, str(status), cache)
            self._bound_requests[kind, status, cache] = counter
        counter.inc()
        self._bound_bytes[kind].inc(sent_bytes)

    def fetched(self, kind: Kind, seconds: float) -> None:
        self._bound_fetches[kind].observe(seconds)


class MetricsServer:
    """The port that Prometheus asks."""

    def __init__(self, metrics: Metrics, host: str, port: int, *, must_have: bool) -> None:
        """Serve on the port; where it is taken, on a free one, unless this one was asked for."""
        self._server, self._thread = _serve(metrics.registry, host, port, must_have=must_have)

    @property
    def port(self) -> int:
        return self._server.server_port

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _serve(
    registry: CollectorRegistry, host: str, port: int, *, must_have: bool
) -> tuple[HTTPServer, Thread]:
    try:
        return start_http_server(port, host, registry)
    except OSError as error:
        if not must_have:
            return start_http_server(0, host, registry)
        raise SettingsError(
            f"metrics: {host} port {port} cannot be had ({error.strerror}); "
            "choose another with --metrics-port"
        ) from error


class _ToStructlog(logging.Handler):
    """Hands lines of libraries that use ``logging`` on to the same place, in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _is_news(record: logging.LogRecord) -> bool:
    # uvicorn's words for what the edge does on purpose when the origin breaks off: it ends the
    # viewer's connection, so that nobody takes half a body for the whole.
    return "returned without completing response" not in record.getMessage()


def set_up_logging(level: str) -> None:
    """Send everything from ``level`` on to standard error, one line each."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderers: list[Any] = [  # structlog's own alias for a processor is in terms of Any
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False),
    ]
    structlog.configure(
        processors=renderers,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # One write per line, where print() makes two: workers share standard error.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    logging.getLogger("uvicorn.error").addFilter(_is_news)
