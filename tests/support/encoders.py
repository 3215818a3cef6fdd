"""An encoder for tests: the bytes that OBS or FFmpeg would send, step by step."""

from collections.abc import Mapping
from struct import pack

from origin.rtmp.amf0 import AmfValue, EcmaArray, encode
from origin.rtmp.chunk import ChunkReader, Message
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type
from tests.support.chunks import ChunkSender, Sent

HELLO = bytes([3]) + bytes(range(256)) * 6
"""C0 and C1, of which every byte must come back."""
ECHO = bytes(1536)
SERVER_HELLO_SIZE = 1 + 1536 + 1536

AVC_HEADER = b"\x17\x00\x00\x00\x00\x01\x64\x00\x1f"
KEYFRAME = b"\x17\x01\x00\x00\x00\x00\x00\x00\x01\x65"
AAC_HEADER = b"\xaf\x00\x12\x10"
AAC_FRAME = b"\xaf\x01\x21\x00"


class Encoder:
    """Makes bytes; remembers nothing but its chunk headers."""

    def __init__(self, *, chunk_size: int = 128) -> None:
        self._sender = ChunkSender()
        self._sender.chunk_size = chunk_size

    def message(self, type_id: int, payload: bytes, *, at: int = 0, stream: int = 1) -> bytes:
        chunk_stream = {Type.AUDIO: 4, Type.VIDEO: 6}.get(type_id, 3)
        sent = Sent(chunk_stream, type_id, stream, at, payload)
        return b"".join(self._sender.chunks(sent, 0))

    def command(self, name: str, *values: AmfValue, stream: int = 0) -> bytes:
        return self.message(Type.AMF0_COMMAND, encode(name, *values), stream=stream)

    def connect(self, app: str = "live") -> bytes:
        url = "rtmp://127.0.0.1/" + app
        values: dict[str, AmfValue] = {"app": app, "tcUrl": url, "flashVer": "FMLE/3.0 (test)"}
        return self.command("connect", 1.0, values)

    def create_stream(self) -> bytes:
        return self.command("createStream", 4.0, None)

    def publish(self, name: str = "key") -> bytes:
        return self.command("publish", 5.0, None, name, "live", stream=1)

    def play(self, name: str = "main") -> bytes:
        return self.command("play", 5.0, None, name, -2000.0, stream=1)

    def metadata(self, values: Mapping[str, AmfValue]) -> bytes:
        body = encode("@setDataFrame", "onMetaData", EcmaArray(values))
        return self.message(Type.AMF0_DATA, body)

    def video(self, at: int, body: bytes = KEYFRAME) -> bytes:
        return self.message(Type.VIDEO, body, at=at)

    def audio(self, at: int, body: bytes = AAC_FRAME) -> bytes:
        return self.message(Type.AUDIO, body, at=at)

    def goodbye(self) -> bytes:
        farewell = self.command("FCUnpublish", 6.0, None, "key")
        return farewell + self.command("deleteStream", 7.0, None, 1.0)

    def ping(self, stamp: int) -> bytes:
        return self.message(Type.USER_CONTROL, pack(">HI", 6, stamp), stream=0)


def read_replies(sent: bytes) -> list[Message]:
    """What a server said, the handshake's 3073 bytes removed."""
    reader = ChunkReader(Limits())
    reader.receive(sent, 0.0)
    reader.chunks_left = 1_000_000
    replies: list[Message] = []
    while (message := reader.next_message()) is not None:
        replies.append(message._replace(payload=bytes(message.payload)))
    return replies
