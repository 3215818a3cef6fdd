"""Connections that do not wait for ever: bounds on what a stranger may hold of the HTTP port.

uvicorn waits without end for the rest of a request, and for a client to take what it was sent. Both
are what slow attacks are made of; the origin's port is meant for edges and operators, but nothing
keeps it from being reached by others. Two things are bounded here:

- a request must arrive as a whole, within ``request_s`` and in ``request_bytes``: nothing that the
  origin is asked has a body worth mentioning;
- whoever is being sent something must take some of it every ``slow_reader_s``.

What is not HTTP is refused by uvicorn's parser; the words of that refusal are ours, so that they
carry the headers that all answers carry. Of uvicorn this uses, beside asyncio's interface,
``on_message_begin``, ``on_headers_complete``, ``on_message_complete``, ``_start_asgi_task`` and
``send_400_response`` of its protocol, what it has read by then, and that a request is told of its
connection's end by ``disconnected`` and ``message_event``.
"""

import asyncio
import re
from functools import partial
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from origin.http.limits import HttpLimits
from origin.streams.clock import Clock, Timer

HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""What a Host field may say: RFC 3986, 3.2.2, and a port; nothing, too (RFC 9112, 3.2)."""

BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n"
    b"connection: close\r\n\r\n%b"
)


def protocol_with(clock: Clock, limits: HttpLimits) -> type[asyncio.Protocol]:
    """What uvicorn's configuration has as ``http``: it is called for every connection."""
    return cast("type[asyncio.Protocol]", partial(BoundedProtocol, clock, limits))


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(
        self,
        clock: Clock,
        limits: HttpLimits,
        *arguments: Any,  # noqa: ANN401
        **named: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*arguments, **named)
        self._clock = clock
        self._limits = limits
        self._arriving: Timer | None = None
        self._read_bytes = 0
        self._has_begun = False
        self._stuck: Timer | None = None
        self._untaken_bytes = 0
        self._running: RequestResponseCycle | None = None
        """The request that is being answered; others may have come behind it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget(self._arriving)
        self._forget(self._stuck)
        if self._running is not None:  # uvicorn tells the request that came last, and no other
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._has_begun = False
        super().data_received(data)
        if self._arriving is None:
            return
        # Other requests may stand before the beginning of this one.
        self._read_bytes += self._head_bytes() if self._has_begun else len(data)
        if self._read_bytes > self._limits.request_bytes and not self.transport.is_closing():
            self.send_400_response("The request is too long.")

    def on_message_begin(self) -> None:
        self._has_begun = True
        self._await_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._check_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._forget(self._arriving)
        self._arriving = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, and hang up."""
        body = msg.encode()
        self.transport.write(BAD_REQUEST % (len(body), body))
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        self._forget(self._stuck)
        super().resume_writing()

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
        if len(hosts) > 1 or not (hosts or is_old) or not all(map(HOST.fullmatch, hosts)):
            raise ValueError("a request names one host")
        if self._head_bytes() > self._limits.request_bytes:
            raise ValueError("the request is too long")

    def _head_bytes(self) -> int:
        """Count what has been read of a request's head."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _await_request(self) -> None:
        self._forget(self._arriving)
        self._read_bytes = 0
        self._arriving = self._clock.call_later(self._limits.request_s, self._give_up)

    def _give_up(self) -> None:
        self.transport.abort()

    def _watch_reader(self) -> None:
        self._untaken_bytes = self.transport.get_write_buffer_size()
        self._stuck = self._clock.call_later(self._limits.slow_reader_s, self._check_reader)

    def _check_reader(self) -> None:
        if self.transport.get_write_buffer_size() < self._untaken_bytes:
            self._watch_reader()
        else:
            self.transport.abort()

    @staticmethod
    def _forget(timer: Timer | None) -> None:
        if timer is not None:
            timer.cancel()
