"""A file as RTMP chunks that any number of connections can send, over and over.

Message headers after the first carry time deltas (RTMP 1.0, 5.3.1.2.2), so that the same bytes
serve every connection and every repetition: publishers cost little beside the server that they
measure.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from origin.bench.errors import CannotMeasure
from origin.rtmp import amf0
from origin.rtmp.messages import Type

CHUNK_SIZE = 4096  # what OBS uses
CHUNK_STREAM = {Type.AUDIO: 4, Type.VIDEO: 6, Type.AMF0_DATA: 5}
MESSAGE_STREAM = 1
FLV_HEADER_BYTES = 13
TAG_HEADER_BYTES, TAG_TRAILER_BYTES = 11, 4
AVC, AAC = 7, 10
END_OF_SEQUENCE = 2


@dataclass(frozen=True, slots=True)
class Tag:
    """An FLV tag: its time in milliseconds, its message type, its body."""

    at: int
    kind: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """What is due at a moment: the bytes up to ``end``."""

    due_ms: int
    end: int


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A file as chunks: headers, the first pass, and every later pass."""

    headers: bytes
    first: bytes
    again: bytes
    first_slots: tuple[Slot, ...]
    again_slots: tuple[Slot, ...]
    period_ms: int

    @property
    def mbit_per_s(self) -> float:
        """What one publisher sends."""
        return len(self.again) * 8 / self.period_ms / 1000


def read_flv(data: bytes) -> Iterator[Tag]:
    """Read the tags of an FLV file (Video File Format 10.1, annex E)."""
    position = FLV_HEADER_BYTES
    while position + TAG_HEADER_BYTES <= len(data):
        size = int.from_bytes(data[position + 1 : position + 4])
        at = int.from_bytes(data[position + 4 : position + 7]) | data[position + 7] << 24
        body = position + TAG_HEADER_BYTES
        yield Tag(at, data[position] & 0x1F, data[body : body + size])
        position = body + size + TAG_TRAILER_BYTES


def prepare(flv: bytes) -> Broadcast:
    """Turn a file into chunks that can be sent to any number of connections."""
    tags = list(read_flv(flv)) if flv.startswith(b"FLV") else []
    headers = b"".join(_chunks(tag, _with_set_data_frame(tag)) for tag in tags if _is_header(tag))
    body = [tag for tag in tags if tag.body and not _is_header(tag) and not _is_end(tag)]
    times = [tag.at for tag in body if tag.kind == Type.VIDEO]
    if len(times) < 2:
        raise CannotMeasure("The file is not an FLV file with video.")
    span = times[-1] - times[0]
    period = span + span // (len(times) - 1)  # the last frame lasts, too
    last = {tag.kind: tag.at for tag in body}
    first, first_slots = _pass(body, dict.fromkeys(last, body[0].at))
    again, again_slots = _pass(body, {kind: at - period for kind, at in last.items()})
    return Broadcast(headers, first, again, first_slots, again_slots, period)


def _pass(body: list[Tag], previous: dict[int, int]) -> tuple[bytes, tuple[Slot, ...]]:
    """One pass over the file, with time deltas from ``previous``; one slot per video frame."""
    out, slots, start, last = bytearray(), list[Slot](), body[0].at, dict(previous)
    for tag in body:
        if tag.kind == Type.VIDEO or not slots:
            slots.append(Slot(tag.at - start, 0))
        out += _chunks(tag, tag.body, delta=tag.at - last[tag.kind])
        last[tag.kind] = tag.at
        slots[-1] = Slot(slots[-1].due_ms, len(out))
    return bytes(out), tuple(slots)


def _chunks(tag: Tag, body: bytes, *, delta: int | None = None) -> bytes:
    """One message as chunks: type 0, or type 1 with a time delta (RTMP 1.0, 5.3.1.2)."""
    stream = CHUNK_STREAM[tag.kind]
    head = bytes([stream if delta is None else 0x40 | stream])
    head += max(0, delta or 0).to_bytes(3) + len(body).to_bytes(3) + bytes([tag.kind])
    if delta is None:
        head += MESSAGE_STREAM.to_bytes(4, "little")
    pieces = [body[at : at + CHUNK_SIZE] for at in range(0, len(body), CHUNK_SIZE)]
    return head + bytes([0xC0 | stream]).join(pieces)


def _is_header(tag: Tag) -> bool:
    if tag.kind == Type.AMF0_DATA:
        return True
    if len(tag.body) < 2 or tag.body[1] != 0:
        return False
    return tag.body[0] >> 4 == AAC if tag.kind == Type.AUDIO else tag.body[0] & 15 == AVC


def _is_end(tag: Tag) -> bool:
    """Whether it says that the video is over, which is not so: it begins again."""
    return tag.kind == Type.VIDEO and tag.body[0] & 15 == AVC and tag.body[1] == END_OF_SEQUENCE


def _with_set_data_frame(tag: Tag) -> bytes:
    return amf0.encode("@setDataFrame") + tag.body if tag.kind == Type.AMF0_DATA else tag.body
