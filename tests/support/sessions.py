"""A server session with an encoder at its other end, and a clock that the test owns."""

from collections.abc import Iterable

from origin.rtmp.chunk import Message
from origin.rtmp.events import Event, PlayRequested, PublishEnded, PublishRequested
from origin.rtmp.limits import Limits
from origin.rtmp.replies import Status
from origin.rtmp.session import ServerSession, State
from tests.support.encoders import ECHO, HELLO, SERVER_HELLO_SIZE, Encoder, read_replies

NONCE = bytes(1528)


class Rehearsal:
    """Feeds a session; keeps its events and what it says."""

    def __init__(self, limits: Limits | None = None, *, accepts: bool = True) -> None:
        self.session = ServerSession(nonce=NONCE, limits=limits or Limits(), now=0.0)
        self.encoder = Encoder()
        self.events: list[Event] = []
        self.said = b""
        self.now = 0.0
        self._accepts = accepts

    def feed(self, *pieces: bytes) -> list[Event]:
        """Send bytes; the new events. Publishes are accepted at once, if that was asked for."""
        before = len(self.events)
        for piece in pieces:
            self.session.receive(piece, self.now)
            self.drain()
        return self.events[before:]

    def drain(self) -> None:
        try:
            while (event := self.session.next_event()) is not None:
                self.events.append(event)
                if self._accepts and isinstance(event, PublishRequested):
                    self.session.accept(event.request_id, self.now)
                if self._accepts and isinstance(event, PlayRequested):
                    self.session.play(event.request_id)
        finally:
            self.said += self.session.bytes_to_send()

    def reach(self, state: State) -> "Rehearsal":
        """Go the ordinary way to a state."""
        encoder = self.encoder
        road: Iterable[bytes] = {
            State.HANDSHAKING: [],
            State.CONNECTING: [HELLO, ECHO],
            State.IDLE: [HELLO, ECHO, encoder.connect()],
            State.DECIDING: [HELLO, ECHO, encoder.connect(), encoder.publish()],
            State.LIVE: [HELLO, ECHO, encoder.connect(), encoder.publish()],
            State.ENDED: [HELLO, ECHO, encoder.connect(), encoder.publish(), encoder.goodbye()],
            State.PLAYING: [HELLO, ECHO, encoder.connect(), encoder.play()],
            State.CLOSING: [HELLO, ECHO, encoder.connect(), encoder.publish()],
            State.CLOSED: [],
        }[state]
        self._accepts = state not in (State.DECIDING, State.CLOSING)
        self.feed(*road)
        if state is State.CLOSED:
            self.session.abandon()
        elif state is State.CLOSING:
            self.session.reject(1, Status.BAD_NAME, "No such key.", self.now)
            self.drain()
        assert self.session.state is state
        return self

    def drops_decisions(self) -> None:
        """From now on, publishes are left undecided."""
        self._accepts = False

    def replies(self) -> list[Message]:
        """All messages that the session has sent."""
        return read_replies(self.said[SERVER_HELLO_SIZE:])

    @property
    def ends(self) -> list[PublishEnded]:
        return [event for event in self.events if isinstance(event, PublishEnded)]
