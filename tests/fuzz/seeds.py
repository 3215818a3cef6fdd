"""What the fuzzer begins with: the recorded sessions, taken apart into messages."""

from dataclasses import replace
from functools import cache

from origin.rtmp.chunk import ChunkReader
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type
from tests.support.captures import captures
from tests.support.chunks import Sent

HANDSHAKE_BYTES = 3073
LONGEST = 200
"""Messages of a session that are used: three seconds of it."""

SHORT_BYTES = 600
"""What is left of a frame: its head and the first NAL units' lengths."""

MEDIA = (Type.AUDIO, Type.VIDEO)
CHUNK_STREAMS = {Type.AUDIO: 4, Type.VIDEO: 6, Type.AMF0_DATA: 4}


@cache
def sessions() -> tuple[tuple[Sent, ...], ...]:
    """Every recorded session's messages, up to the frames of the first seconds."""
    return tuple(_messages(capture.read()) for capture in captures())


@cache
def short_sessions() -> tuple[tuple[Sent, ...], ...]:
    """The same with frames cut short, which most inputs are made of: shorter ones are quicker."""
    return tuple(
        tuple(
            replace(m, payload=m.payload[:SHORT_BYTES]) if m.type_id in MEDIA else m
            for m in messages
        )
        for messages in sessions()
    )


def _messages(data: bytes) -> tuple[Sent, ...]:
    limits = Limits(longest_message_before_publish_bytes=Limits().longest_message_bytes)
    reader = ChunkReader(limits)
    reader.chunks_left = 1_000_000
    reader.receive(data[HANDSHAKE_BYTES:], 0.0)
    found: list[Sent] = []
    while len(found) < LONGEST and (message := reader.next_message()) is not None:
        found.append(
            Sent(
                chunk_stream=CHUNK_STREAMS.get(message.type_id, 3),
                type_id=message.type_id,
                stream_id=message.stream_id,
                timestamp=message.timestamp,
                payload=bytes(message.payload),
            )
        )
    return tuple(found)
