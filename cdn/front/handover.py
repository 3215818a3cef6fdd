"""The full path's side of a connection, and how it gets there: all that leans on uvicorn.

uvicorn makes a protocol for every connection by calling whatever its configuration names; ours
names ``Entrance``, which answers with the fast path or, where that is switched off, with the full
one. A handed-over connection is a transport that gets another protocol, which is then told what it
would have been told: that the connection is made, and the bytes that came.

``FullProtocol`` is uvicorn's own, with the edge's limits on top. Beside asyncio's interface it
relies on things that uvicorn does not promise, which is why its minor version is pinned:

- the arguments with which the configuration's ``http`` is called;
- that ``Server.shutdown`` calls ``shutdown()`` on what is in ``server_state.connections``;
- ``on_message_begin``, ``on_headers_complete``, ``on_message_complete``, ``_start_asgi_task`` and
  ``send_400_response`` of its protocol, and what it has read by then;
- that a request is told of its connection's end by ``disconnected`` and ``message_event``.

The handing over is tested with every kind of request; so is a whole edge without the fast path.
"""

import asyncio
from email.utils import formatdate
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from cdn.errors import RequestRefused
from cdn.front.hall import Guest, Hall
from cdn.front.local import refusal
from cdn.front.protocol import FastProtocol, turn_away
from cdn.front.request import is_host
from cdn.front.wire import render_document

MOST_HEAD_BYTES = 64 * 1024
"""The longest request that the full path reads: nothing that is asked here has a body."""


class FullProtocol(HttpToolsProtocol):
    """uvicorn's protocol, that does not wait for ever."""

    def __init__(self, hall: Hall, arguments: dict[str, Any], *, is_admitted: bool) -> None:
        super().__init__(**arguments)
        self._hall = hall
        self._is_admitted = is_admitted
        self._reading_since: int | None = hall.stroke
        """The sweep's count when the request began that is not complete yet."""
        self._read_bytes = 0
        self._has_begun = False
        self._blocked_since: int | None = None
        self._backlog = 0
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; others may have come behind it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        if not self._is_admitted and not self._hall.admits(self, transport):
            self.transport = transport
            turn_away(transport)
            return
        self._hall.prepare(transport)
        self._hall.enter(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hall.leave(self)
        if self._running is not None:  # uvicorn tells the request that came last, and no other
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = False
        super().data_received(data)
        if self._reading_since is None:
            return
        # Other requests may stand before the beginning of this one.
        self._read_bytes += self._head_bytes() if self._has_begun else len(data)
        if self._read_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request is too long.")

    def on_message_begin(self) -> None:
        self._reading_since = self._hall.stroke
        self._read_bytes = 0
        self._has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._check_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading_since = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, with the headers of all other refusals, and hang up."""
        document = refusal(400, msg, date=formatdate(usegmt=True).encode())
        self.transport.write(render_document(document, closes=True))
        self.transport.close()

    def pause_writing(self) -> None:
        self._note_progress()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._blocked_since = None
        super().resume_writing()

    def check(self, stroke: int) -> None:
        """Close the connection if it has been waited for too long."""
        deadlines, since = self._hall.deadlines, self._blocked_since
        if since is not None:
            if self.transport.get_write_buffer_size() < self._backlog:
                self._note_progress()
            elif stroke - since > deadlines.slow_reader_s:
                self._hall.slow_readers_cut += 1
                self.transport.abort()
        elif self.transport.is_closing():
            self._note_progress()  # whoever does not take the rest is cut off, too
        elif self._reading_since is not None and stroke - self._reading_since > deadlines.head_s:
            self.transport.close()

    def cut(self) -> None:
        """Close the connection at once, whatever is still to be written."""
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _check_head(self) -> None:
        """Refuse a head without one Host (RFC 9112, 3.2), and one that is too long.

        What the parser calls may raise; the connection then ends as it does with what is no HTTP.
        """
        assert self.parser is not None, "it is what calls"
        hosts = [value for name, value in self.headers if name == b"host"]
        is_old = self.parser.get_http_version() == "1.0"
        if len(hosts) > 1 or not (hosts or is_old) or not all(map(is_host, hosts)):
            raise RequestRefused(400, "A request names one host.")
        if self._head_bytes() > MOST_HEAD_BYTES:
            raise RequestRefused(400, "The request is too long.")

    def _head_bytes(self) -> int:
        """Count what has been read of a request's head."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _note_progress(self) -> None:
        self._blocked_since = self._hall.stroke
        self._backlog = self.transport.get_write_buffer_size()


class Entrance:
    """Makes a protocol for every connection; uvicorn's configuration has it as ``http``."""

    def __init__(self, hall: Hall, *, is_fast: bool) -> None:
        self._hall = hall
        self._is_fast = is_fast
        self._arguments: dict[str, Any] = {}
        self._to_full = self._hand_over  # bound once: each binding is an object

    @property
    def as_protocol_class(self) -> type[asyncio.Protocol]:
        """This entrance, as what uvicorn believes it to be; it does nothing but call it."""
        return cast("type[asyncio.Protocol]", self)

    def __call__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> asyncio.Protocol:
        if not self._arguments:
            # What uvicorn closes on its way out is what the sweep looks at: one set for both.
            self._hall.gather_in(cast("set[Guest]", server_state.connections))
            self._arguments = {
                "config": config,
                "server_state": server_state,
                "app_state": app_state,
                "_loop": _loop,
            }
        if not self._is_fast:
            return FullProtocol(self._hall, self._arguments, is_admitted=False)
        return FastProtocol(self._hall, self._to_full)

    def _hand_over(self, fast: FastProtocol, transport: asyncio.Transport, data: bytes) -> None:
        full = FullProtocol(self._hall, self._arguments, is_admitted=True)
        self._hall.replace(fast, full)
        transport.set_protocol(full)
        full.connection_made(transport)
        full.data_received(data)
