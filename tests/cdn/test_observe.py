"""What an operator sees: metrics on a port of their own, and lines on standard error."""

import asyncio
import logging
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
import structlog

from cdn.errors import SettingsError
from cdn.keys import Kind
from cdn.observe import Metrics, MetricsServer, set_up_logging


def scrape(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text: bytes = answer.read()
    return text.decode()


async def test_metrics_are_served_in_prometheus_own_form() -> None:
    metrics = Metrics()
    metrics.answered(Kind.MEDIA, 200, "hit", 1000)
    metrics.answered(Kind.MEDIA, 200, "hit", 500)
    metrics.fetched(Kind.MEDIA, 0.01)
    metrics.watch("cache_objects", "Objects in the cache.", lambda: 7)
    with closing(MetricsServer(metrics, "127.0.0.1", 0, must_have=True)) as server:
        text = await asyncio.to_thread(scrape, server.port)
    assert 'tidecast_edge_requests_total{cache="hit",kind="media",status="200"} 2.0' in text
    assert 'tidecast_edge_sent_bytes_total{kind="media"} 1500.0' in text
    assert 'tidecast_edge_origin_fetch_seconds_bucket{kind="media",le="0.02"} 1.0' in text
    assert "tidecast_edge_cache_objects 7.0" in text
    assert "process_resident_memory_bytes" in text


def test_a_port_that_was_asked_for_must_be_free_and_the_default_need_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} .* --metrics-port"):
            MetricsServer(Metrics(), "127.0.0.1", port, must_have=True)
        with closing(MetricsServer(Metrics(), "127.0.0.1", port, must_have=False)) as server:
            assert server.port not in (0, port)


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn.error")
    before = root.handlers[:], root.level, uvicorn.filters[:]
    yield
    root.handlers[:], root.level, uvicorn.filters[:] = before
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_as_before")
def test_log_lines_go_to_standard_error_from_the_level_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging("info")
    structlog.get_logger("edge").debug("too small")
    structlog.get_logger("edge").info("the edge is open", listen="0.0.0.0:8080")
    logging.getLogger("asyncio").warning("from a %s", "library")
    logging.getLogger("uvicorn.error").error("ASGI callable returned without completing response.")
    written = capsys.readouterr()
    assert written.out == ""
    lines = written.err.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("the edge is open listen=0.0.0.0:8080")
    assert "from a library" in lines[1]
