"""The chunk stream (RTMP 1.0, section 5.3): messages cut into chunks, interleaved, compressed.

A message travels as chunks of at most the announced chunk size, each behind a header whose four
formats leave out more and more of what the previous chunk on the same chunk stream said::

    basic header      fmt (2 bits), chunk stream id (6 bits, or 1 or 2 bytes more)      5.3.1.1
    fmt 0             timestamp 3, length 3, type 1, message stream id 4 (little-endian)
    fmt 1             delta 3, length 3, type 1
    fmt 2             delta 3
    fmt 3             nothing: the next piece of a message, or a new message like the last one
    extended          4 bytes more wherever the timestamp or delta field is 0xFFFFFF     5.3.1.3

How encoders really read and write it, where it is not as one would think:

- fmt 3 may *start* a message and then repeats the delta; after a fmt 0, "the timestamp delta for
  this Type 3 chunk is the same as the timestamp of the Type 0 chunk" (5.3.1.2.4). FFmpeg and
  GStreamer do so with most of their audio.
- The extended timestamp is repeated on every fmt 3 chunk by FFmpeg and librtmp and left out by
  others; four bytes that equal the expected value are taken for it.
- FMLE and old librtmp begin a fresh chunk stream with fmt 1.
- "Type 3 chunks SHOULD be used" for the rest of a message: a fuller header in the middle of one
  is taken as a repetition, and must agree with the first.

A message that is there as a whole is not copied: the headers between its chunks are closed up
where they are, in the buffer that it was received in. Of one that is torn, the payload of each
chunk moves to the message as it comes, and nothing is kept but a torn header, so feeding it byte
by byte costs the same order of work as feeding it whole.

Nearly all that ever comes is a message with a header of fmt 1, there as a whole: that is read in
one step (``_take_at_once``). Where it is in any doubt nothing is taken, and the long way decides.
"""

from struct import Struct
from typing import NamedTuple

from origin.errors import ProtocolError
from origin.rtmp.limits import Limits

DEFAULT_CHUNK_SIZE = 128
"""Both directions begin with it (5.4.1)."""

SET_CHUNK_SIZE = 1
ABORT = 2
_CONTROL = (SET_CHUNK_SIZE, ABORT)

NO_FIELD = 0xFFFFFF  # the 24-bit field that says: look into the extended timestamp
TIMESTAMP_MASK = 0xFFFFFFFF
_HEADER_SIZES = (11, 7, 3, 0)
FMT_3 = 0xC0
_LAST_ONE_BYTE_ID = 63
_LONG_CHUNK = 1024  # from here on copying chunk by chunk beats copying all of them twice
_LONGEST_RUN = 1024  # chunks looked at in one stride, so that a short run never costs a long look

_FMT_1 = 1
_FMT_1_BYTES = 8  # with its basic header

_NOTHING = memoryview(b"")

_field_length_type = Struct(">HBHBB").unpack_from
_uint32 = Struct(">I")
_stream_id = Struct("<I").unpack_from


class Message(NamedTuple):
    """A whole message as the chunk stream carries it, not yet understood.

    ``payload`` is a view into what was received, so that media is copied once, by whoever takes
    the frame out of it. It keeps that memory alive: use it and let it go.
    """

    type_id: int
    stream_id: int
    timestamp: int
    payload: memoryview | bytes


class _ChunkStream:
    """What the last header on one chunk stream said, and the message it is in the middle of."""

    __slots__ = (
        "body", "extended", "field", "id", "length", "stream_id", "timestamp", "type_id",
    )  # fmt: skip

    def __init__(self, stream: int) -> None:
        self.id = stream
        self.timestamp = 0
        self.field = 0
        self.extended = b""
        self.length = 0
        self.type_id = 0
        self.stream_id = 0
        self.body: bytearray | None = None


class ChunkReader:
    """Bytes in, messages out. Set Chunk Size and Abort are obeyed here and not handed on.

    ``chunks_left`` is the caller's to set before it asks for messages; at zero the reader stops
    in the middle of what it has, and goes on when it is set again.
    """

    def __init__(self, limits: Limits) -> None:
        self.longest_message = limits.longest_message_before_publish_bytes
        self.most_unfinished = limits.unfinished_before_publish_bytes
        self.chunks_left = limits.chunks_per_turn
        self._limits = limits
        self._inbox = _NOTHING
        self._at = 0
        self._now = 0.0
        self._chunk_size = DEFAULT_CHUNK_SIZE
        self._streams: dict[int, _ChunkStream] = {}
        self._current: _ChunkStream | None = None  # in the middle of one of its chunks
        self._chunk_left: int = 0
        self._unfinished_bytes = 0
        self._unfinished_since: dict[int, float] = {}  # by chunk stream, the oldest first

    def receive(self, data: bytes | memoryview, now: float) -> None:
        """Take bytes from the peer.

        In a buffer that can be written to, they are read where they are, and written over: the
        payloads of whole messages are put together there. Whoever reuses the buffer calls
        ``keep`` before, and is done with the messages.
        """
        self._now = now
        rest = self._inbox[self._at :]
        self._at = 0
        if rest or not isinstance(data, memoryview) or data.readonly:
            self._inbox = memoryview(bytearray(rest) + data)
        else:
            self._inbox = data

    def keep(self) -> None:
        """Copy what is not yet read: the buffer that it came in will be used again."""
        rest = self._inbox[self._at :]
        self._inbox = memoryview(bytearray(rest)) if rest else _NOTHING
        self._at = 0

    @property
    def unfinished_since(self) -> float | None:
        """When the oldest incomplete message began."""
        return next(iter(self._unfinished_since.values()), None)

    def excuse(self, silence_s: float) -> None:
        """Do not count a silence of the whole connection against incomplete messages."""
        for stream in self._unfinished_since:
            self._unfinished_since[stream] += silence_s

    def next_message(self) -> Message | None:
        """The next whole message; None when bytes or ``chunks_left`` are used up."""
        if self._current is None and (at_once := self._take_at_once()) is not None:
            return at_once
        while self.chunks_left > 0:
            stream = self._current or self._begin_chunk()
            if stream is None:
                return None
            message = self._take_payload(stream)
            if message is None:
                if self._current is not None:
                    return None
            elif message.type_id in _CONTROL:
                self._obey(message)
            else:
                return message
        return None

    def _take_at_once(self) -> Message | None:
        """A whole message behind a header of fmt 1; None, and nothing taken, for all else."""
        inbox, at = self._inbox, self._at
        begin = at + _FMT_1_BYTES
        if begin > len(inbox) or inbox[at] >> 6 != _FMT_1 or self.chunks_left <= 0:
            return None
        stream = self._streams.get(inbox[at] & 0x3F)
        if stream is None or stream.body is not None:
            return None
        high, low, length_high, length_low, type_id = _field_length_type(inbox, at + 1)
        delta, length = high << 8 | low, length_high << 8 | length_low
        if delta == NO_FIELD or length > self.longest_message or type_id in _CONTROL:
            return None
        end, size = begin + length, self._chunk_size
        if length > size:
            end += (length - 1) // size
        if end > len(inbox) or (length > size and not self._close_up(stream, begin, end)):
            return None
        stream.timestamp = timestamp = (stream.timestamp + delta) & TIMESTAMP_MASK
        stream.field, stream.length, stream.type_id, stream.extended = delta, length, type_id, b""
        self._at = end
        self.chunks_left -= 1
        payload = inbox[begin : begin + length]
        return Message(type_id, stream.stream_id, timestamp, payload)

    def _begin_chunk(self) -> _ChunkStream | None:
        """Read a chunk's header; None, and nothing taken, when it is not all there."""
        inbox, at = self._inbox, self._at
        if at == len(inbox):
            return None
        fmt, number = inbox[at] >> 6, inbox[at] & 0x3F
        at += 1
        if number < 2:  # 0: one more byte, 1: two more, the lower first (5.3.1.1)
            if len(inbox) - at < 1 + number:
                return None
            high = inbox[at + 1] * 256 if number else 0
            number, at = 64 + inbox[at] + high, at + 1 + number
        stream = self._streams.get(number) or self._open(number, fmt)
        end = self._continue_header(stream, at) if fmt == 3 else self._read_header(stream, fmt, at)
        if end is None:
            return None
        self._at = end
        self.chunks_left -= 1
        body = stream.body
        left = stream.length if body is None else stream.length - len(body)
        self._chunk_left = min(self._chunk_size, left)
        return stream

    def _open(self, number: int, fmt: int) -> _ChunkStream:
        if fmt > 1:
            raise ProtocolError(f"chunk stream {number} begins with a header of format {fmt}")
        if len(self._streams) >= self._limits.chunk_streams:
            raise ProtocolError(f"more than {self._limits.chunk_streams} chunk streams")
        stream = self._streams[number] = _ChunkStream(number)
        return stream

    def _continue_header(self, stream: _ChunkStream, at: int) -> int | None:
        """Fmt 3: take a repeated extended timestamp; add the delta if a message begins."""
        if expected := stream.extended:
            found = bytes(self._inbox[at : at + 4])
            if found == expected:
                at += 4
            elif len(found) < 4 and expected.startswith(found):
                return None
        if stream.body is None:
            if stream.length > self.longest_message:
                raise self._too_long(stream.length)
            stream.timestamp = (stream.timestamp + stream.field) & TIMESTAMP_MASK
        return at

    def _read_header(self, stream: _ChunkStream, fmt: int, at: int) -> int | None:
        """Fmt 0 to 2: take what the header says; return where it ends."""
        inbox = self._inbox
        end = at + _HEADER_SIZES[fmt]
        if end > len(inbox):
            return None
        extended = b""
        length, type_id = stream.length, stream.type_id
        if fmt == 2:
            field = int.from_bytes(inbox[at:end])
        else:
            high, low, length_high, length_low, type_id = _field_length_type(inbox, at)
            field, length = high << 8 | low, length_high << 8 | length_low
        if field == NO_FIELD:
            extended = bytes(inbox[end : end + 4])
            if len(extended) < 4:
                return None
            field, end = int.from_bytes(extended), end + 4
        if length > self.longest_message:
            raise self._too_long(length)
        if stream.body is not None:
            _check_repetition(stream, length, type_id)
        else:
            stream.timestamp = field if fmt == 0 else (stream.timestamp + field) & TIMESTAMP_MASK
            stream.field, stream.length, stream.type_id = field, length, type_id
        stream.extended = extended
        if fmt == 0:
            (stream.stream_id,) = _stream_id(inbox, at + 7)
        return end

    def _too_long(self, length: int) -> ProtocolError:
        return ProtocolError(f"a message of {length} bytes; at most {self.longest_message} here")

    def _take_payload(self, stream: _ChunkStream) -> Message | None:
        """Take what is there of a chunk's payload; the message, if that completes it."""
        at, length = self._at, stream.length
        body = stream.body
        if body is None:
            if self._chunk_left == length:
                end = at + length
                is_whole = end <= len(self._inbox)
            else:
                end = at + length + (length - 1) // self._chunk_size
                is_whole = end <= len(self._inbox) and self._close_up(stream, at, end)
            if is_whole:
                self._at = end
                self._current = None
                payload = self._inbox[at : at + length]
                return Message(stream.type_id, stream.stream_id, stream.timestamp, payload)
            body = stream.body = bytearray()
            self._unfinished_since[stream.id] = self._now
        taken: int = min(self._chunk_left, len(self._inbox) - at)
        body += self._inbox[at : at + taken]
        self._at = at + taken
        self._chunk_left -= taken
        self._count_unfinished(taken)
        self._current = stream if self._chunk_left else None
        if self._current is None and len(body) < length:
            self._take_run(stream, body)
        if len(body) < length:
            return None
        self._forget_body(stream)
        payload = memoryview(body).toreadonly()
        return Message(stream.type_id, stream.stream_id, stream.timestamp, payload)

    def _close_up(self, stream: _ChunkStream, at: int, end: int) -> bool:
        """Move the chunks of a whole message together, over the headers between them.

        Not where other chunks lie between them, nor where they are so short that ``_take_run``
        is quicker.
        """
        size, inbox = self._chunk_size, self._inbox
        if size < _LONG_CHUNK or stream.extended or stream.id > _LAST_ONE_BYTE_ID:
            return False
        if end - at <= 2 * size + 1:  # one header between two chunks
            if inbox[at + size] != FMT_3 | stream.id:
                return False
            inbox[at + size : end - 1] = inbox[at + size + 1 : end]
            self.chunks_left -= 1
            return True
        headers = bytes(inbox[at + size : end : size + 1])
        if headers.strip(bytes((FMT_3 | stream.id,))):
            return False
        for number, to in enumerate(range(at + size, end - len(headers), size), 1):
            piece = inbox[to + number : min(to + number + size, end)]
            inbox[to : to + len(piece)] = piece
        self.chunks_left -= 1 + len(headers) // 64
        return True

    def _take_run(self, stream: _ChunkStream, body: bytearray) -> None:
        """Take all full fmt 3 chunks of this message that follow, in one stride.

        A keyframe of 100 KB at the default chunk size is 800 chunks: their headers are one byte
        each, all alike, at a fixed distance. Stepping over the input with that distance shows
        how many there are, and deleting with it strips them, both at the speed of C.
        """
        if stream.extended or stream.id > _LAST_ONE_BYTE_ID:
            return
        size, at = self._chunk_size, self._at
        stride = size + 1
        fit = min(
            (len(self._inbox) - at) // stride, (stream.length - len(body)) // size, _LONGEST_RUN
        )
        headers = bytes(self._inbox[at : at + fit * stride : stride])
        run = fit - len(headers.lstrip(bytes((FMT_3 | stream.id,))))
        if run == 0:
            return
        if size >= _LONG_CHUNK:
            for start in range(at + 1, at + run * stride, stride):
                body += self._inbox[start : start + size]
        else:
            block = bytearray(self._inbox[at : at + run * stride])
            del block[::stride]
            body += block
        self._at = at + run * stride
        self.chunks_left -= 1 + run // 64  # a chunk in a run costs that much less than one alone
        self._count_unfinished(run * size)

    def _count_unfinished(self, more: int) -> None:
        self._unfinished_bytes += more
        if self._unfinished_bytes > self.most_unfinished:
            raise ProtocolError(f"{self._unfinished_bytes} bytes in unfinished messages")

    def _forget_body(self, stream: _ChunkStream) -> None:
        if stream.body is not None:
            self._unfinished_bytes -= len(stream.body)
            del self._unfinished_since[stream.id]
            stream.body = None

    def _obey(self, message: Message) -> None:
        """Set Chunk Size (5.4.1) and Abort (5.4.2): what the chunk stream says about itself."""
        if len(message.payload) < 4:
            raise ProtocolError(f"a control message of {len(message.payload)} bytes")
        (value,) = _uint32.unpack_from(message.payload)
        if message.type_id == ABORT:
            if stream := self._streams.get(value):
                self._forget_body(stream)
            return
        if not 1 <= value <= 0x7FFFFFFF:
            raise ProtocolError(f"a chunk size of {value}")
        self._chunk_size = value


def _check_repetition(stream: _ChunkStream, length: int, type_id: int) -> None:
    if (length, type_id) != (stream.length, stream.type_id):
        raise ProtocolError(
            f"a new message on chunk stream {stream.id} in the middle of another:"
            f" type {type_id}, {length} bytes, after type {stream.type_id}, {stream.length} bytes"
        )
