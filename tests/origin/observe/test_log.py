"""What strangers send to the HTTP port makes no line in the log."""

import asyncio
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from origin.observe.log import configure_log
from tests.support.turns import settle


class Line(asyncio.Transport):
    """Takes what is written."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def close(self) -> None: ...
    def is_closing(self) -> bool:
        return False


async def nothing(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """An application without a word."""
    await send({"type": "http.response.start", "status": 204, "headers": [], "trailers": False})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What a process with our log writes from here on."""
    root, library = logging.getLogger(), logging.getLogger("uvicorn.error")
    before, filters = (root.handlers[:], root.level), library.filters[:]
    config = structlog.get_config()
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root.handlers.clear()
    configure_log(as_json=False)
    yield stream
    (root.handlers[:], root.level), library.filters[:] = before, filters
    structlog.configure(**config)


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"CONNECT o:443 HTTP/1.1\r\n\r\n",
    ],
    ids=["TLS", "WebSocket", "CONNECT"],
)
async def test_nothing_that_a_stranger_sends_over_http_is_logged(
    written: StringIO, said: bytes
) -> None:
    config = uvicorn.Config(nothing, interface="asgi3", ws="none", lifespan="off", log_config=None)
    config.load()
    connection = HttpToolsProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    connection.connection_made(Line())
    connection.data_received(said)
    await settle()
    logging.getLogger("uvicorn.error").error("something of our own")
    assert written.getvalue().splitlines() == ["ERROR uvicorn.error: something of our own"]
