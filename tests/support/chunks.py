"""A sender of chunks that uses all the freedom of RTMP 1.0, section 5.3, written for tests.

It shares no code with the product. The test says which header format, which interleaving and
which habits a sender has; what it may not say is a format that the specification forbids there,
which is why ``allowed_formats`` exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass

ESCAPE = 0xFFFFFF


@dataclass(frozen=True)
class Sent:
    """A message as it goes in and must come out."""

    chunk_stream: int
    type_id: int
    stream_id: int
    timestamp: int
    payload: bytes

    @property
    def delivered(self) -> tuple[int, int, int, bytes]:
        return self.type_id, self.stream_id, self.timestamp, self.payload


class ChunkSender:
    """Remembers, for each chunk stream, what its last header said."""

    def __init__(self, *, repeats_extended: bool = True) -> None:
        self.chunk_size = 128
        self.repeats_extended = repeats_extended
        self._last: dict[int, tuple[Sent, int]] = {}  # the message and its timestamp field

    def allowed_formats(self, message: Sent) -> list[int]:
        """Formats that can say this message, in the order of their numbers."""
        if message.chunk_stream not in self._last:
            return [0]
        previous, field = self._last[message.chunk_stream]
        formats = [0]
        if message.stream_id == previous.stream_id:
            formats.append(1)
            same = (message.type_id, len(message.payload))
            if same == (previous.type_id, len(previous.payload)):
                formats.append(2)
                if self._delta(message) == field:
                    formats.append(3)
        return formats

    def chunks(self, message: Sent, fmt: int) -> Iterator[bytes]:
        """The chunks of a message, each of the chunk size that holds when it is asked for."""
        assert fmt in self.allowed_formats(message)
        field = message.timestamp if fmt == 0 else self._delta(message)
        self._last[message.chunk_stream] = message, field
        extended = field.to_bytes(4, "big") if field >= ESCAPE else b""
        header = self._header(message, fmt, min(field, ESCAPE))
        header += extended if fmt < 3 or self.repeats_extended else b""
        again = basic_header(3, message.chunk_stream)
        again += extended if self.repeats_extended else b""
        at = 0
        while at < len(message.payload) or at == 0:
            piece = message.payload[at : at + self.chunk_size]
            yield (again if at else header) + piece
            at += max(len(piece), 1)

    def _delta(self, message: Sent) -> int:
        previous, _ = self._last[message.chunk_stream]
        return (message.timestamp - previous.timestamp) % 2**32

    def _header(self, message: Sent, fmt: int, field: int) -> bytes:
        header = basic_header(fmt, message.chunk_stream)
        if fmt < 3:
            header += field.to_bytes(3, "big")
        if fmt < 2:
            header += len(message.payload).to_bytes(3, "big") + bytes([message.type_id])
        if fmt < 1:
            header += message.stream_id.to_bytes(4, "little")
        return header


def basic_header(fmt: int, chunk_stream: int) -> bytes:
    """1, 2 or 3 bytes (5.3.1.1)."""
    if chunk_stream < 64:
        return bytes([fmt << 6 | chunk_stream])
    if chunk_stream < 320:
        return bytes([fmt << 6, chunk_stream - 64])
    return bytes([fmt << 6 | 1]) + (chunk_stream - 64).to_bytes(2, "little")


def control(type_id: int, value: int, *, chunk_size: int = 128) -> bytes:
    """A protocol control message of four bytes, as it is sent at that chunk size."""
    sender = ChunkSender()
    sender.chunk_size = chunk_size
    return b"".join(sender.chunks(Sent(2, type_id, 0, 0, value.to_bytes(4, "big")), 0))
