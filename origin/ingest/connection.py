"""One RTMP connection: moves bytes, events and time between a socket, a session and a publication.

Everything that can be decided without a socket is decided in ``origin.rtmp.session``. What is
left here, in the order in which it happens:

- Bytes arrive in one buffer that all connections share. The session reads them there, and keeps
  a copy only of what it has not read when the loop turns to anyone else: a thousand idle
  connections hold no buffers.
- Who is live is read at the listener's beat (``origin.ingest.beat``), everybody else at once. RTMPS
  is always read through its transport, which is the one that can decrypt it.
- Events are handled in turns. A turn ends after ``EVENTS_PER_TURN`` events, after ``TURN_S``, or
  when the session says so; reading is paused then, and the next turn is asked of the loop behind
  everyone else's work. No peer can hold the loop for longer than a turn, whatever it sends. Whom
  the session has told to wait, and who is not publishing, waits in a queue
  (``origin.ingest.queue``).
- While the door decides on a publish, reading is paused: the kernel's window holds the peer back.
- There is one timer, set for the session's next deadline. It is not moved for every message;
  when it turns out to have fired too early it is set anew.
- A peer that is sent away gets the reason and then our FIN, and what it still sends is read and
  dropped. Closing at once would answer those bytes with a reset, which overtakes the reason.

A publication is ended exactly once because the session yields exactly one ``PublishEnded`` for
every publish that was accepted; ``_give_up`` asks for the last one.
"""

import asyncio
import socket
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger

from origin.errors import MediaError, ProtocolError
from origin.ingest.decision import Refusal, decide
from origin.ingest.intake import Intake
from origin.ingest.player import RtmpPlayer, seat
from origin.ingest.shared import READ_BUFFER_BYTES, Shared
from origin.media.coded import MediaKind
from origin.rtmp.events import (
    Event,
    PlayEnded,
    PlayRequested,
    PublishEnded,
    PublishRequested,
    TurnSpent,
)
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.messages import Media, Metadata
from origin.rtmp.replies import Status
from origin.rtmp.session import ServerSession, State
from origin.streams.door import Publication

EVENTS_PER_TURN = 64
"""About half a second of one publisher's audio and video."""

TURN_S = 0.005
"""What a turn may take but for its last event. Frames take some 20 microseconds each, so this is
for those that make much work: new configurations, jumps in time, dozens of tracks in a message."""

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame
_log: FilteringBoundLogger = structlog.get_logger(__name__)


class Connection(asyncio.BufferedProtocol):
    """Made by the listener for every socket; ``gone`` is done when nothing of it is left."""

    def __init__(self, shared: Shared, nonce: bytes) -> None:
        self._shared = shared
        self._settings = shared.settings
        self._loop = asyncio.get_running_loop()
        self._session = ServerSession(
            nonce=nonce,
            limits=shared.settings.limits,
            now=self._loop.time(),
            chunk_size=shared.settings.chunk_size,
            objection=self._object_to,
        )
        self._publication: Publication | None = None
        self._player: RtmpPlayer | None = None
        self._decision: asyncio.Task[None] | None = None
        self._unwanted: str | None = None  # why the door closed again before it had opened
        self._timer: asyncio.TimerHandle | None = None
        self._address = self._peer = ""
        self._is_stranger = False
        self._is_tls = False
        self._turn_is_due = self._turn_was_due = False
        self._settled_in: State | None = None
        self._is_leaving = False  # our FIN is on its way
        self._is_lost = False
        self._acks_quickly = shared.quick_ack is not None
        self._log = _log
        self.gone: asyncio.Future[None] = self._loop.create_future()

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._socket: socket.socket = transport.get_extra_info("socket")
        self._intake = Intake(self._transport, self._socket, self._shared.beat, self)
        self._is_tls = transport.get_extra_info("sslcontext") is not None
        # A peer that has left again already has no name.
        self._address, port = (transport.get_extra_info("peername") or ("", 0))[:2]
        host = f"[{self._address}]" if ":" in self._address else self._address
        self._peer = f"{host}:{port}"
        self._log = _log.bind(peer=self._peer)
        refusal = self._shared.welcome(self, self._address)
        self._is_stranger = refusal is None
        if refusal is not None:
            self._log.warning("connection refused: " + refusal)
            self._transport.abort()
            return
        self._transport.set_write_buffer_limits(high=self._settings.write_buffer_bytes)
        self._set_timer()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._shared.counters.bytes_in += nbytes
        if self._acks_quickly:
            self._shared.acknowledge_at_once(self._socket)
        self._session.receive(self._shared.buffer[:nbytes], self._loop.time())
        self._take_turn()
        self._session.keep()

    def on_beat(self) -> None:
        """Read a live publisher, past the transport; its end is left to the transport."""
        if self._turn_is_due:
            return
        if nbytes := self._intake.take(self._shared.buffer):
            self.buffer_updated(nbytes)
        if nbytes == READ_BUFFER_BYTES:  # there is more, and it need not wait
            self._loop.call_soon(self.on_beat)

    def on_turn(self) -> None:
        """Go on, once the queue says so."""
        self._take_turn()

    def pause_writing(self) -> None:
        self._log.warning("connection closed: it does not read what it is told")
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._intake.leave_beat()
        if self._shared.queue.leave(self):  # of a stranger's commands nothing can come any more
            self._turn_is_due = False
        if not self._turn_is_due:  # otherwise what was received is still being read
            self._give_up()

    # What the listener and the stream call.

    def ask_to_reconnect(self, reason: str) -> None:
        """Tell those who can that it is time to connect anew."""
        self._session.ask_to_reconnect(reason)
        if (request := self._session.bytes_to_send()) and not self._transport.is_closing():
            self._transport.write(request)

    def send_away(self, reason: str) -> None:
        """End the connection, with the reason if there is a publish to tell it to."""
        if self._session.state is State.LIVE:
            self._end_publish(Status.REJECTED, reason)
            self._ask_for_turn()  # not now: this may be called from within a push
        elif self._session.state is State.DECIDING:
            self._unwanted = reason
        elif self._session.state is not State.CLOSING:
            self._transport.abort()

    # Events, in turns.

    def _take_turn(self) -> None:
        """Handle what there is, as much as one turn allows."""
        self._turn_is_due = False
        session, stopwatch = self._session, self._shared.stopwatch
        ends_at = stopwatch() + TURN_S
        try:
            for _ in range(EVENTS_PER_TURN):
                event = session.next_event()
                if event is None:
                    break
                if type(event) is Media:
                    self._push(event)
                elif type(event) is TurnSpent:
                    self._wait_for_turn()
                    break
                else:
                    self._handle(event)
                if stopwatch() > ends_at:
                    self._wait_for_turn()
                    break
            else:
                self._ask_for_turn()
        except ProtocolError as error:
            self._break_off(error)
        except Exception:  # a bug of the stream's, which is to cost this stream and no other
            self._log.exception("connection closed: its stream broke")
            self._give_up()
            self._transport.abort()
        self._settle()

    def _ask_for_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            self._loop.call_soon(self._take_turn)

    def _wait_for_turn(self) -> None:
        """Ask for a turn, as one who has had all that is his."""
        if self._session.state is State.LIVE:
            self._ask_for_turn()
        else:
            self._turn_is_due = True
            self._shared.queue.join(self)

    def _settle(self) -> None:
        """After a turn: send what is to be sent, and see how to go on."""
        if self._is_lost:
            if not self._turn_is_due:
                self._give_up()
            return
        if reply := self._session.bytes_to_send():
            self._transport.write(reply)
        state = self._session.state
        if self._turn_is_due is not self._turn_was_due or state is not self._settled_in:
            self._turn_was_due, self._settled_in = self._turn_is_due, state
            self._change_course(state)

    def _change_course(self, state: State) -> None:
        """The session entered another state, or has more to read than one turn allows."""
        if self._transport.is_closing():
            return
        if state is State.CLOSING and not self._is_leaving:
            self._is_leaving = True
            self._send_fin()
        if state is State.LIVE and not self._is_tls:
            self._intake.join_beat()
        else:
            self._intake.read_at_once(not self._turn_is_due and state is not State.DECIDING)
        self._set_timer()

    def _send_fin(self) -> None:
        if self._is_tls:  # cannot be closed by halves; closing sends what is written, and waits
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer's reset has come in, and has not been read yet
            self._transport.abort()

    def _handle(self, event: Event) -> None:
        match event:
            case Media():
                self._push(event)
            case Metadata():
                assert self._publication is not None
                self._publication.describe(event.values)
            case PublishRequested():
                self._unwanted = None
                self._decision = self._loop.create_task(self._decide(event))
            case PublishEnded():
                self._end_publication(clean=event.clean)
            case PlayRequested():
                self._seat(event)
            case PlayEnded():
                self._unseat()
            case TurnSpent():
                pass  # has been obeyed

    def _push(self, media: Media) -> None:
        publication = self._publication
        assert publication is not None
        try:
            kind, at, body = media
            units = read_video(body) if kind is _VIDEO else read_audio(body)
            for unit in units:
                publication.push(at, unit)
            publication.relay(kind, at, body, units)
        except MediaError as error:
            self._log.warning("publish ended: its media cannot be packaged", reason=str(error))
            self._end_publish(Status.FAILED, str(error))

    # Players.

    def _seat(self, wish: PlayRequested) -> None:
        self._player = seat(self._shared, self._session, self._transport, wish, self._loop.time)
        if self._player is not None:
            self._stop_being_a_stranger()

    def _unseat(self) -> None:
        if self._player is not None:
            self._player.part()
            self._player = None
            self._shared.counters.players -= 1

    # The decision on a publish, and its end.

    def _object_to(self, app: str) -> str | None:
        """What to answer to ``connect`` instead of yes."""
        objection = self._shared.objection
        return None if objection is None else objection(app, self._address)

    async def _decide(self, wish: PublishRequested) -> None:
        verdict = await decide(self._shared, wish, self._peer, self._on_closed, self._log)
        if isinstance(verdict, Refusal):
            self._refuse(wish, verdict)
        else:
            self._let_in(wish, verdict)
        self._decision = None
        self._take_turn()

    def _let_in(self, wish: PublishRequested, publication: Publication) -> None:
        self._publication = publication
        if self._session.state is not State.DECIDING:  # the peer has left meanwhile
            self._end_publication(clean=False)
            return
        self._session.accept(wish.request_id, self._loop.time())
        self._shared.queue.leave(self)
        self._acks_quickly = False
        self._stop_being_a_stranger()
        self._log.debug("publish accepted")
        if self._unwanted is not None:
            self._end_publish(Status.REJECTED, self._unwanted)

    def _refuse(self, wish: PublishRequested, refusal: Refusal) -> None:
        self._shared.counters.refused += 1
        self._log.debug("publish refused", reason=refusal.reason)  # the reception says more
        if self._session.state is State.DECIDING:
            self._session.reject(wish.request_id, *refusal, self._loop.time())

    def _on_closed(self, reason: str) -> None:
        self._log.debug("publish closed by its stream", reason=reason)
        if self._publication is None:
            self._unwanted = reason
        else:
            self.send_away(reason)

    def _end_publish(self, code: Status, reason: str) -> None:
        if self._session.state is State.LIVE:  # and not ended in the same breath already
            self._session.end_publish(code, reason, self._loop.time())

    def _end_publication(self, *, clean: bool) -> None:
        publication, self._publication = self._publication, None
        assert publication is not None
        self._log.debug("publish ended", clean=clean)
        publication.end(clean=clean)

    # Time, and the end of the connection.

    def _set_timer(self) -> None:
        """Have the timer fire at the session's deadline, or before."""
        deadline = self._session.next_deadline()
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        try:
            self._session.check_deadline(self._loop.time())
        except ProtocolError as error:
            self._break_off(error)
        self._set_timer()

    def _break_off(self, error: ProtocolError) -> None:
        self._shared.counters.broken += 1
        self._log.warning("connection closed", reason=str(error))
        self._give_up()
        self._transport.abort()

    def _give_up(self) -> None:
        """Nothing more will be read: let the session end what it has begun."""
        self._session.abandon()
        while (event := self._session.next_event()) is not None:
            self._handle(event)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._decision is None:  # else it keeps its place: who leaves early wins no other
            self._stop_being_a_stranger()
        if self._is_lost and self._decision is None and not self.gone.done():
            self._shared.forget(self)
            self.gone.set_result(None)

    def _stop_being_a_stranger(self) -> None:
        if self._is_stranger:
            self._is_stranger = False
            self._shared.trust(self._address)
