"""What we say, as chunks (RTMP 1.0, section 5.3); ``origin.rtmp.chunk`` reads what comes back."""

from struct import Struct

from origin.rtmp.chunk import DEFAULT_CHUNK_SIZE, FMT_3, NO_FIELD, TIMESTAMP_MASK, Message

_pack_uint32 = Struct(">I").pack


class ChunkWriter:
    """Messages in, bytes out, in the plainest form there is.

    Every message begins with a full header. GStreamer's rtmp2sink waits for ever where a server
    compresses a reply's header against another chunk stream's, and nothing that we say is
    frequent enough for seven bytes to matter.
    """

    def __init__(self) -> None:
        self.chunk_size = DEFAULT_CHUNK_SIZE

    def write(self, chunk_stream: int, message: Message) -> bytes:
        """The chunks of one message on a chunk stream from 2 to 63."""
        at, payload = message.timestamp & TIMESTAMP_MASK, bytes(message.payload)
        extended = _pack_uint32(at) if at >= NO_FIELD else b""
        header = (
            bytes((chunk_stream,))
            + min(at, NO_FIELD).to_bytes(3)
            + len(payload).to_bytes(3)
            + bytes((message.type_id,))
            + message.stream_id.to_bytes(4, "little")
            + extended
        )
        again = bytes((FMT_3 | chunk_stream,)) + extended
        size = self.chunk_size
        pieces = [payload[i : i + size] for i in range(0, len(payload), size)]
        return header + again.join(pieces)
