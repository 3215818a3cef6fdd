"""The fast path: one connection of one viewer, from bytes to bytes, without a task.

A plain GET is answered by one write, at once or when the one fetch of it lands. Everything else is
handed over, bytes unchanged, to uvicorn's own protocol on the same transport, which then keeps the
connection (see ``handover``).

::

    IDLE ── a plain GET ──> the cache ──┬─ found ──────> written ─────────────────────────┐
     ^ │                                ├─ in flight ──> WAITING ── found, failed ──> written
     │ ├─ the beginning of one ──> IDLE └─ it grows ───> SENDING ──┬─ its end ────────────┤
     │ │                                   (or TLS)               └─ broken ──> CLOSED    │
     │ └─ anything else, or a beginning again ──> HANDED OVER                             │
     └────────────── what came meanwhile is read next <───────────────────────────────────┘

- One answer at a time. What comes while one is under way waits in the inbox, unread; if it is
  long, the connection is not read from at all.
- A viewer who does not read is not sent more: above the transport's high-water mark nothing is
  written and nothing is read, and if nothing moves for a while the connection is cut.
- Ten thousand of these wait at a time, so an instance has slots and, idle, no objects of its own.

The hall owns everything shared; its sweep calls ``check`` once a second.
"""

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from typing import cast

from cdn.cache.entry import Found
from cdn.cache.flight import Flight
from cdn.errors import OriginFailed
from cdn.front.crowd import Crowd
from cdn.front.hall import Hall, address_of, socket_of
from cdn.front.local import FULL, LOCAL, refusal
from cdn.front.parcels import Parcel, send_file
from cdn.front.renderings import Again
from cdn.front.request import Reading, Request
from cdn.front.sending import Sending
from cdn.front.wire import Rendered, render_document

DEAF_BYTES = 16 * 1024
"""How much may wait in the inbox before the connection is not read from any more."""

HandOver = Callable[["FastProtocol", asyncio.Transport, bytes], None]
"""Gives a connection, and what came on it, to the full path."""


class FastProtocol(asyncio.Protocol):
    """One connection, until it closes or is handed over."""

    __slots__ = (
        "_asked_at",
        "_backlog",
        "_closing",
        "_hall",
        "_hand_over",
        "_inbox",
        "_last",
        "_paused",
        "_request",
        "_served",
        "_socket",
        "_stroke",
        "_transport",
        "_waits_for",
    )

    _transport: asyncio.Transport

    def __init__(self, hall: Hall, hand_over: HandOver) -> None:
        self._hall = hall
        self._hand_over = hand_over
        self._inbox = b""
        self._request: Request | None = None
        """What is being answered; None while idle."""
        self._waits_for: Flight | Crowd | Sending | None = None
        self._stroke = hall.stroke
        """When something last happened, by the sweep's count."""
        self._backlog = 0
        """What the viewer had not taken then."""
        self._paused = False
        self._closing = False
        self._served = False
        self._last = False
        """The next answer is the last: the server is on its way out."""
        self._asked_at = 0.0
        self._socket: int | None = None
        """The descriptor, once something has been sent by reference."""

    # ---- the transport's calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do what asyncio.Transport does, but are no subclass of it.
        self._transport = transport = cast(asyncio.Transport, transport)
        if self._hall.admits(self, transport):
            self._hall.prepare(transport)
            self._hall.enter(self)
        else:
            self._closing = True
            turn_away(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hall.leave(self)
        self._closing = True
        waits_for, self._waits_for = self._waits_for, None
        if isinstance(waits_for, Flight | Crowd):
            waits_for.leave(self)
        elif waits_for is not None:
            waits_for.body.leave(self)

    def data_received(self, data: bytes) -> None:
        if self._request is not None or self._paused:
            self._inbox += data
            if len(self._inbox) > DEAF_BYTES:
                self._transport.pause_reading()
        elif self._inbox and not self._closing:
            self._take(self._inbox + data)
        elif not self._closing:
            hall = self._hall
            if hall.health.draining:
                self._take(data)
            elif (again := hall.renderings.again(data)) is not None:
                tally = again.tally
                tally.requests += 1
                tally.sent_bytes += again.body_bytes
                self._write_again(again)
            elif (crowd := hall.crowds.find(data)) is not None:
                self._join(crowd)
            else:
                self._take(data)

    def pause_writing(self) -> None:
        self._paused = True
        self._note_progress()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        self._stroke = self._hall.stroke
        self._transport.resume_reading()
        if isinstance(self._waits_for, Sending):
            self._send_more(self._waits_for)
        elif self._request is None and self._inbox:
            self._take_inbox()

    # ---- the sweep's and the server's calls

    def check(self, stroke: int) -> None:
        """Close the connection if it has been waited for too long."""
        idle_for, deadlines = stroke - self._stroke, self._hall.deadlines
        if self._paused or self._closing:
            if self._transport.get_write_buffer_size() < self._backlog:
                self._note_progress()
            elif idle_for > deadlines.slow_reader_s:
                self._hall.slow_readers_cut += 1
                self._transport.abort()
        elif self._request is None:
            begins = bool(self._inbox) or not self._served
            if idle_for > (deadlines.head_s if begins else deadlines.keep_alive_s):
                self._end()

    def cut(self) -> None:
        """Close the connection at once, whatever is still to be written."""
        self._closing = True
        self._transport.abort()

    def shutdown(self) -> None:
        """Close as soon as nothing is being answered (uvicorn calls it on its way out)."""
        self._last = True
        if self._request is None:
            self._end()

    # ---- a request

    def _take(self, data: bytes) -> None:
        hall = self._hall
        request = hall.read(data)
        if isinstance(request, Reading):
            if request is Reading.ODD or self._inbox:
                self._hand_over(self, self._transport, data)
            else:
                self._inbox = data
                self._stroke = hall.stroke
            return
        self._inbox = b""
        if hall.access_log is not None:
            self._asked_at = hall.clock.monotonic()
        self._request = request
        try:
            answer = hall.cache.ask(request.key, self)
        except OriginFailed as failure:
            self.on_failure(failure)
            return
        if isinstance(answer, Flight):
            self._waits_for = answer
            hall.crowds.gather(data, request, answer)
        else:
            self.on_found(answer)
            hall.renderings.remember(data, request, answer)

    def _join(self, crowd: Crowd) -> None:
        """Wait with those who have sent the same bytes before."""
        hall = self._hall
        if hall.access_log is not None:
            self._asked_at = hall.clock.monotonic()
        self._request = crowd.request
        self._waits_for = crowd
        crowd.join(self)

    def _write_again(self, again: Again) -> None:
        """Write what was written for the same bytes before: nearly every answer is this one."""
        parcel = again.parcel
        if parcel.is_plain:
            self._transport.write(parcel.buffers[0])
        else:
            self._write(parcel)
        self._served = True
        self._stroke = self._hall.stroke

    def _write(self, parcel: Parcel) -> None:
        """Write a whole answer: by reference if it is in a file, else as a copy."""
        transport, sent_bytes = self._transport, 0
        if parcel.file is not None and not self._closing and not transport.get_write_buffer_size():
            if self._socket is None:
                self._socket = socket_of(transport)
            sent_bytes = send_file(self._socket, parcel)
            if sent_bytes == parcel.size:
                return
        if sent_bytes:
            transport.writelines(parcel.after(sent_bytes))
        elif len(parcel.buffers) == 1:
            transport.write(parcel.buffers[0])
        else:
            transport.writelines(parcel.buffers)
        if parcel.may_share:
            self._hall.share(parcel)

    def _take_inbox(self) -> None:
        data, self._inbox = self._inbox, b""
        if len(data) > DEAF_BYTES:
            self._transport.resume_reading()
        self._take(data)

    # ---- its answer

    def on_found(self, found: Found) -> None:
        """Write an answer; from the cache at once, or from the flight that was waited for."""
        request = self._request
        assert request is not None, "only who has asked is answered"
        self._waits_for = None
        hall = self._hall
        again = hall.renderings.shared(found, request)
        if again is not None and not self._last and not hall.health.draining:
            again.tally.requests += 1
            again.tally.sent_bytes += again.body_bytes
            self._go_on_after(again)
            return
        closes, joins = self._closes(request), not hall.is_tls
        rendered = hall.renderings.of(found, request, closes=closes, joins=joins)
        if hall.is_piecemeal(rendered):
            self._begin_sending(rendered)
            return
        self._write(rendered.parcel)
        if not closes and request.if_none_match is None and hall.access_log is None:
            hall.renderings.wrote(request, rendered)
        self._finish(rendered.status, found.outcome.value, rendered.body_bytes)

    def is_in(self, crowd: Crowd) -> bool:
        """Say whether this connection waits with others, and has not been lost meanwhile."""
        return self._waits_for is crowd

    def on_again(self, again: Again, crowd: Crowd) -> bool:
        """Write what everybody gets who has waited together."""
        if self._waits_for is not crowd:
            return False
        self._waits_for = None
        if self._last:
            self.on_found(again.found)
            return False
        self._go_on_after(again)
        return True

    def _go_on_after(self, again: Again) -> None:
        self._request = None
        self._write_again(again)
        if self._inbox and not self._paused:
            self._take_inbox()

    def on_failure(self, failure: OriginFailed) -> None:
        """Say that there is nothing; why is in the log."""
        request = self._request
        assert request is not None, "only who has asked is answered"
        self._waits_for = None
        document = self._hall.no_copy()
        self._transport.write(render_document(document, closes=self._closes(request)))
        self._finish(document.status, LOCAL, len(document.body))

    def on_body(self) -> None:
        """Write what has come of the body that is being sent."""
        if isinstance(self._waits_for, Sending):
            self._send_more(self._waits_for)

    def _begin_sending(self, rendered: Rendered) -> None:
        found = rendered.found
        sending = Sending(found, is_chunked=rendered.is_chunked, status=rendered.status)
        self._waits_for = sending
        self._transport.write(rendered.parcel.buffers[0])
        if not found.entry.body.complete:
            found.entry.body.join(self)
        self._send_more(sending)

    def _send_more(self, sending: Sending) -> None:
        transport, body = self._transport, sending.body
        while not self._paused and (buffers := sending.next()) is not None:
            if len(buffers) == 1:
                transport.write(buffers[0])
            else:
                transport.writelines(buffers)
        if self._paused:
            return
        if body.complete:
            self._waits_for = None
            body.leave(self)
            if sending.is_chunked:
                transport.write(b"0\r\n\r\n")
            self._finish(sending.status, sending.found.outcome.value, sending.sent_bytes)
        elif body.failure is not None:
            self._break_off(sending)

    def _break_off(self, sending: Sending) -> None:
        # Nobody may take what came for the whole: no end, no more requests.
        sending.body.leave(self)
        self._waits_for = None
        self._last = True
        self._finish(sending.status, sending.found.outcome.value, sending.sent_bytes)

    def _finish(self, status: int, cache: str, sent_bytes: int) -> None:
        request, hall = self._request, self._hall
        assert request is not None, "only who has asked is answered"
        hall.count(request.key, status, cache, sent_bytes)
        if hall.access_log is not None:
            address = address_of(self._transport)
            hall.log(address, request.key, (status, cache, sent_bytes), self._asked_at)
        self._request = None
        self._served = True
        self._stroke = hall.stroke
        if self._closes(request):
            self._end()
        elif self._inbox and not self._paused:
            self._take_inbox()

    def _closes(self, request: Request) -> bool:
        return request.closes or self._last or self._hall.health.draining

    def _end(self) -> None:
        self._closing = True
        self._note_progress()
        self._transport.close()

    def _note_progress(self) -> None:
        self._stroke = self._hall.stroke
        self._backlog = self._transport.get_write_buffer_size()


def turn_away(transport: asyncio.Transport) -> None:
    """Say that the house is full, and close."""
    document = refusal(503, FULL, date=formatdate(usegmt=True).encode())
    transport.write(render_document(document, closes=True))
    transport.close()
