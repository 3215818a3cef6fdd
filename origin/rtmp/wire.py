"""The wire under a session: bytes in, whole messages out, and what we say back into bytes.

::

    receive() -> handshake -> chunk reader -> messages, those inside aggregates one by one
    say()     -> chunk writer -> bytes_to_send()

What has nothing to do with who publishes or plays is settled here: the handshake's bytes, the
acknowledgements, the work that one turn may cost, and how long a message may stay unfinished.
What a message means, and whether it is welcome, is the session's to say.
"""

from collections.abc import Iterator

from origin.errors import ProtocolError
from origin.rtmp import replies
from origin.rtmp.chunk import ChunkReader, Message
from origin.rtmp.chunk_writer import ChunkWriter
from origin.rtmp.handshake import Handshake
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type, split_aggregate

WINDOW = 2_500_000
"""Our window in both directions until the peer names its own: the value that everyone uses."""

CHUNK_SIZE = 60_000
"""What we announce. FFmpeg copies it for what it sends: a frame then is one chunk."""

_VALUE_BYTES = 4
"""Of a command, that are taken for as much work as a chunk: there may be a value in each. All that
encoders say before they publish, some 500 bytes, is less than half a turn."""

_MESSAGE_CHUNKS = 2
"""That looking at a message is taken for, beside its own chunks."""

_ANSWER_CHUNKS = 8
"""That making an answer is taken for."""

_PAUSE_S = 1.0  # without a byte, from which on it is the line that is silent, not the peer slow


class Wire:
    """Reads and writes one connection; ``heard_at`` is when its last bytes came."""

    def __init__(self, *, nonce: bytes, limits: Limits, now: float, chunk_size: int) -> None:
        self.heard_at = now
        self.is_greeting = True  # until the handshake is done
        self._limits = limits
        self._announced_chunk_size = chunk_size
        self._handshake = Handshake(nonce)
        self._hello = bytearray()  # for the handshake
        self._reader = ChunkReader(limits)
        self._writer = ChunkWriter()
        self._outbox = bytearray()
        self._aggregate: Iterator[Message] | None = None  # what is left of it
        self._received = 0
        self._acknowledged = 0
        self._ack_every = WINDOW // 2

    def receive(self, data: bytes | memoryview, now: float) -> None:
        """Take bytes from the peer; nothing is read yet, and nothing copied."""
        silence = now - self.heard_at
        if silence > _PAUSE_S:
            self._reader.excuse(silence)
        self.heard_at = now
        if self.is_greeting:
            self._hello += data
            return
        self._reader.receive(data, now)
        self._received += len(data)
        if self._received - self._acknowledged >= self._ack_every:
            self._acknowledge()

    def keep(self) -> None:
        """Copy what has not been read yet out of the buffer that it was received in."""
        self._reader.keep()

    def shake_hands(self) -> bool:
        """Go on with the handshake; True once it is done."""
        self._outbox += self._handshake.receive(bytes(self._hello))
        self._hello.clear()
        if self._handshake.done:
            self.is_greeting = False
            self._reader.receive(self._handshake.leftover(), self.heard_at)
        return self._handshake.done

    def begin_turn(self) -> None:
        """Allow as much work as one turn may cost."""
        self._reader.chunks_left = self._limits.chunks_per_turn

    def spend(self, command_bytes: int) -> None:
        """Count a message that is not media as work, and a command's or metadata's values."""
        self._reader.chunks_left -= _MESSAGE_CHUNKS + command_bytes // _VALUE_BYTES

    def answer(self, message: Message) -> None:
        """Say what the peer has asked for, which counts as its work."""
        self._reader.chunks_left -= _ANSWER_CHUNKS
        self.say(message)

    @property
    def turn_is_spent(self) -> bool:
        """Whether reading stopped because of the turn's end, and not for want of bytes."""
        return self._reader.chunks_left <= 0

    def next_message(self) -> Message | None:
        """The next message; None when bytes or the turn are used up."""
        if self._aggregate is not None:
            if self._reader.chunks_left <= 0:
                return None
            self._reader.chunks_left -= 1
            if (part := next(self._aggregate, None)) is not None:
                return part
            self._aggregate = None
        message = self._reader.next_message()
        if message is not None and message.type_id == Type.AGGREGATE:
            self._aggregate = split_aggregate(message)
        return message

    def check_unfinished(self) -> None:
        """Raise ``ProtocolError`` if a message has been on its way for too long."""
        since = self._reader.unfinished_since
        if since is not None and self.heard_at - since > self._limits.unfinished_message_s:
            raise ProtocolError(f"a message unfinished for {self.heard_at - since:.1f} s")

    def allow_long_messages(self) -> None:
        """Somebody has shown a key: frames may be long."""
        self._reader.longest_message = self._limits.longest_message_bytes
        self._reader.most_unfinished = self._limits.unfinished_bytes

    def acknowledge_every(self, window: int) -> None:
        """The peer wants to hear how much has come, at least once in every ``window`` bytes."""
        self._ack_every = max(window // 2, 1)

    def announce(self) -> None:
        """Say which windows and which chunk size we use, and use it (5.4)."""
        self.say(replies.window_ack_size(WINDOW))
        self.say(replies.set_peer_bandwidth(WINDOW))
        self.say(replies.set_chunk_size(self._announced_chunk_size))
        self._writer.chunk_size = self._announced_chunk_size

    def say(self, message: Message) -> None:
        self._outbox += self._writer.write(replies.chunk_stream(message), message)

    def bytes_to_send(self) -> bytes:
        """What the peer should get next; empty if nothing."""
        if not self._outbox:
            return b""
        taken = bytes(self._outbox)
        self._outbox.clear()
        return taken

    def _acknowledge(self) -> None:
        """Report every half window (5.4.3).

        A sender may stop when it has heard nothing for a whole one, and the report needs its
        time on the way.
        """
        self._acknowledged = self._received
        self.say(replies.acknowledgement(self._received))
