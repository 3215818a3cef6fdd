"""The server's side of one RTMP connection, as a state machine (RTMP 1.0, 7.2).

::

    HANDSHAKING --C0 C1 C2--> CONNECTING --connect--> IDLE
                                                       |
                    .------------- publish ------------+<-- publish --.
                    v                                                 |
                DECIDING --accept()--> LIVE --FCUnpublish,            |
                    |                   |     deleteStream, ------> ENDED
                    |                   |     closeStream
                 reject()         end_publish()
                    |                   |
                    '----> CLOSING <----'     from any state: abandon(), ProtocolError --> CLOSED
                              ^
      connect to which there is an objection

                              end_play()
    IDLE, ENDED --play--> DECIDING --play()--> PLAYING --deleteStream, closeStream--> ENDED
                              |                   |
                           reject() -> CLOSING <--'

What is welcome where, and nothing else::

                                    CONNECTING   IDLE          LIVE       ENDED         PLAYING
    ping, window size, unknown      yes          yes           yes        yes           yes
    connect                         -> IDLE, or CLOSING
    createStream, releaseStream,
    FCPublish, getStreamLength                   answered      answered   answered      answered
    publish, play                                -> DECIDING              -> DECIDING
    audio, video, onMetaData                                   events     ignored
    FCUnpublish and its like                     ignored       -> ENDED   ignored       -> ENDED

The rest closes the connection, as media before ``publish`` does. The tolerated oddities: encoders
send both FCUnpublish and deleteStream, and may send frames that were under way behind the first.
In DECIDING nothing is read; in CLOSING and CLOSED nothing will ever be read again.

The API is pulled, as h11's is: ``receive()`` takes bytes and does no work; ``next_event()`` reads
up to the next event. Good messages before a bad one are therefore never lost, and reading stops
by itself while the program decides whether it wants the publish.
After every call, ``bytes_to_send()`` has what the peer should get, also after an error.

``TurnSpent`` is an event that asks for patience: the peer has had its turn. Who is live has a new
one whenever all that came is read. For everybody else work adds up over all that they send, for
many small reads would cost as much as a large one.

Every publish that was accepted yields exactly one ``PublishEnded``, as the last of its events,
however it ends: by the encoder, by ``end_publish()``, or by ``abandon()`` and errors. The same
holds of ``PlayEnded`` and a play that was granted.
"""

from collections.abc import Callable
from enum import Enum, auto

from origin.errors import ProtocolError
from origin.rtmp import playback, replies
from origin.rtmp.chunk import Message
from origin.rtmp.events import (
    Event,
    PlayEnded,
    PlayRequested,
    PublishEnded,
    PublishRequested,
    TurnSpent,
)
from origin.rtmp.limits import Limits
from origin.rtmp.messages import (
    AMF,
    MEDIA,
    Call,
    Connect,
    CreateStream,
    FcPublish,
    GetStreamLength,
    Ignored,
    Incoming,
    Media,
    Metadata,
    PingRequest,
    Play,
    Publish,
    ReleaseStream,
    Unpublish,
    WindowAckSize,
    read,
)
from origin.rtmp.replies import Status
from origin.rtmp.wire import CHUNK_SIZE, Wire


class State(Enum):
    """See the drawing above."""

    HANDSHAKING = auto()
    CONNECTING = auto()
    IDLE = auto()
    DECIDING = auto()
    LIVE = auto()
    ENDED = auto()
    PLAYING = auto()
    CLOSING = auto()
    CLOSED = auto()


class ServerSession:
    """One connection. The caller brings the bytes, the time and 1528 random bytes.

    ``objection`` says what to answer to ``connect`` with this app instead of yes, if anything.
    """

    def __init__(
        self,
        *,
        nonce: bytes,
        limits: Limits,
        now: float,
        chunk_size: int = CHUNK_SIZE,
        objection: Callable[[str], str | None] = lambda app: None,
    ) -> None:
        self._limits = limits
        self._objection = objection
        self._wire = Wire(nonce=nonce, limits=limits, now=now, chunk_size=chunk_size)
        self._state = State.HANDSHAKING
        self._is_live = False
        self._is_trusted = False  # has been let in to publish
        self._is_paused = False  # in DECIDING, CLOSING and CLOSED
        self._connect = Connect(0.0, "", "", "")
        self.stream_id = 0
        """The message stream that is published or played on."""
        self._request_id = 0
        self._streams_created = 0
        self._ended: PublishEnded | PlayEnded | None = None  # due as the next event
        self._phase_began = now
        self._media_at = now  # the last whole media message

    @property
    def state(self) -> State:
        return self._state

    def keep(self) -> None:
        """Copy what has not been read yet out of the buffer that it was received in."""
        self._wire.keep()

    def receive(self, data: bytes | memoryview, now: float) -> None:
        """Take bytes from the peer; ask ``next_event`` what they mean.

        They are not copied, and a buffer that can be written to is worked in: call ``keep``
        before it is used for anything else.
        """
        if self._is_paused and self._state is not State.DECIDING:
            return
        self._wire.receive(data, now)

    def next_event(self) -> Event | None:
        """The next event; None until there is more to read or a decision is made."""
        if self._ended is not None:
            event, self._ended = self._ended, None
            return event
        if self._is_paused:
            return None
        try:
            return self._advance()
        except ProtocolError:
            self.abandon()
            raise

    def bytes_to_send(self) -> bytes:
        """What the peer should get next; empty if nothing."""
        return self._wire.bytes_to_send()

    def accept(self, request_id: int, now: float) -> None:
        """Let the publish begin."""
        self._check_request(request_id)
        self._enter(State.LIVE)
        self._media_at = now
        self._is_trusted = True
        self._wire.allow_long_messages()
        self._say(replies.stream_begin(self.stream_id))
        self._say(replies.on_status(self.stream_id, Status.STARTED, "Publishing."))

    def reject(self, request_id: int, code: Status, description: str, now: float) -> None:
        """Refuse the publish; the connection is to be closed once that is sent."""
        self._check_request(request_id)
        self._take_leave(code, description, now)

    def end_publish(self, code: Status, description: str, now: float) -> None:
        """End a publish that is live from our side, and say why."""
        assert self._state is State.LIVE, f"end_publish() in {self._state.name}"
        self._ended = PublishEnded(clean=False)
        self._take_leave(code, description, now)

    def play(self, request_id: int) -> None:
        """Let the play begin; what there is to see is given to ``show``."""
        self._check_request(request_id)
        self._enter(State.PLAYING)
        for message in playback.beginning(self.stream_id):
            self._say(message)

    def show(self, message: Message) -> None:
        """Send a player a message of ``playback``."""
        assert self._state is State.PLAYING, f"show() in {self._state.name}"
        self._say(message)

    def end_play(self, description: str, now: float) -> None:
        """End a play from our side, and say why."""
        assert self._state is State.PLAYING, f"end_play() in {self._state.name}"
        self._ended = PlayEnded()
        self._take_leave(Status.PLAY_ENDED, description, now)

    def ask_to_reconnect(self, description: str) -> None:
        """Ask for a new connection, if the peer knows how (Enhanced RTMP v2, Reconnect Request).

        It may do so in its own time, or not at all: nothing else changes.
        """
        if self._connect.can_reconnect and not self._is_paused:
            self._say(replies.on_status(0, Status.RECONNECT, description))

    def abandon(self) -> None:
        """The connection is gone, or given up: what is left is the end of what was going on."""
        if self._state is State.LIVE:
            self._ended = PublishEnded(clean=False)
        elif self._state is State.PLAYING:
            self._ended = PlayEnded()
        self._enter(State.CLOSED)

    def next_deadline(self) -> float | None:
        """When ``check_deadline`` should be called; it moves on with what arrives."""
        limits = self._limits
        match self._state:
            case State.HANDSHAKING:
                return self._phase_began + limits.handshake_s
            case State.CONNECTING:
                return self._phase_began + limits.connect_s
            case State.IDLE | State.ENDED:
                return self._phase_began + limits.publish_s
            case State.LIVE:
                return self._media_at + limits.silence_s
            case State.CLOSING:
                return self._phase_began + limits.closing_s
            case State.DECIDING | State.PLAYING | State.CLOSED:
                return None

    def check_deadline(self, now: float) -> None:
        """Raise ``ProtocolError`` if the peer has let its time pass."""
        deadline = self.next_deadline()
        if deadline is not None and now >= deadline:
            missed = self._state.name
            self.abandon()
            raise ProtocolError(f"too long in state {missed}")

    def _advance(self) -> Event | None:
        """Read up to the next event, or as much as one turn allows."""
        wire = self._wire
        if wire.is_greeting and wire.shake_hands():
            self._enter(State.CONNECTING)
        while (message := wire.next_message()) is not None:
            if self._is_live and message.type_id in MEDIA:
                self._media_at = wire.heard_at
                return Media(MEDIA[message.type_id], message.timestamp, message.payload)
            wire.spend(len(message.payload) if message.type_id in AMF else 0)
            event = self._step(read(message, self._limits, is_trusted=self._is_trusted))
            if event is not None:
                return event
            if self._is_paused:
                return None
        is_spent = wire.turn_is_spent
        if is_spent or self._is_live:
            wire.begin_turn()  # the next one: events within a turn share what it may cost
        if is_spent:
            return TurnSpent()
        wire.check_unfinished()
        return None

    def _step(self, message: Incoming) -> Event | None:
        """The state machine: the drawing and the table above, and nothing else.

        Media in LIVE, which is nearly all there ever is, does not come this way.
        """
        match self._state, message:
            case State.LIVE, Metadata():
                return message
            case _, PingRequest() | WindowAckSize() | Ignored():
                self._keep_house(message)
            case State.CONNECTING, Connect():
                self._welcome(message)
            case State.IDLE | State.LIVE | State.ENDED | State.PLAYING, (
                CreateStream() | ReleaseStream() | FcPublish() | GetStreamLength()
            ):
                self._answer(message)
            case State.IDLE | State.ENDED, Publish():
                return self._ask(message)
            case State.IDLE | State.ENDED, Play():
                return self._ask_to_play(message)
            case State.LIVE, Unpublish():
                return self._end()
            case State.PLAYING, Unpublish():
                self._enter(State.ENDED)
                self._phase_began = self._wire.heard_at
                return PlayEnded()
            case (State.IDLE, Unpublish()) | (State.ENDED, Unpublish() | Media() | Metadata()):
                pass
            case _:
                raise ProtocolError(f"{type(message).__name__} in state {self._state.name}")
        return None

    def _keep_house(self, message: PingRequest | WindowAckSize | Ignored) -> None:
        match message:
            case PingRequest():
                self._wire.answer(replies.ping_response(message.payload))
            case WindowAckSize():
                self._wire.acknowledge_every(message.size)
            case Ignored():
                pass

    def _welcome(self, connect: Connect) -> None:
        objection = self._objection(connect.app)
        if objection is not None:
            self._say(replies.not_connected(connect.transaction, objection))
            self._enter(State.CLOSING)
            self._phase_began = self._wire.heard_at
            return
        self._enter(State.IDLE)
        self._connect = connect
        self._wire.announce()
        self._say(replies.stream_begin(0))
        self._say(replies.connected(connect.transaction, is_enhanced=connect.is_enhanced))

    def _answer(self, call: Call) -> None:
        """Transaction 0 wants no answer (7.2.1.1): GStreamer's first commands come with it."""
        if call.transaction == 0:
            return
        match call:
            case CreateStream():
                self._streams_created += 1
                created = float(self._streams_created)
                self._wire.answer(replies.result(call.transaction, value=created))
            case GetStreamLength():
                self._wire.answer(replies.result(call.transaction, value=0.0))
            case FcPublish():
                self._wire.answer(replies.on_fc_publish())
                self._wire.answer(replies.result(call.transaction))
            case ReleaseStream():
                self._wire.answer(replies.result(call.transaction))

    def _ask(self, publish: Publish) -> PublishRequested:
        self._enter(State.DECIDING)
        self._request_id += 1
        self.stream_id = publish.stream_id
        name, _, query = publish.name.partition("?")
        connect = self._connect
        return PublishRequested(
            self._request_id, connect.app, name, query, connect.tc_url, connect.encoder
        )

    def _ask_to_play(self, play: Play) -> PlayRequested:
        self._enter(State.DECIDING)
        self._request_id += 1
        self.stream_id = play.stream_id
        return PlayRequested(self._request_id, play.name.partition("?")[0])

    def _end(self) -> PublishEnded:
        self._enter(State.ENDED)
        self._phase_began = self._wire.heard_at
        self._say(replies.on_status(self.stream_id, Status.UNPUBLISHED, "Ended."))
        return PublishEnded(clean=True)

    def _take_leave(self, code: Status, description: str, now: float) -> None:
        self._say(replies.on_status(self.stream_id, code, description))
        self._enter(State.CLOSING)
        self._phase_began = now

    def _check_request(self, request_id: int) -> None:
        assert self._state is State.DECIDING, f"a decision in {self._state.name}"
        assert request_id == self._request_id, f"a decision on request {request_id}"

    def _enter(self, state: State) -> None:
        self._state = state
        self._is_live = state is State.LIVE
        self._is_paused = state in (State.DECIDING, State.CLOSING, State.CLOSED)

    def _say(self, message: Message) -> None:
        self._wire.say(message)
