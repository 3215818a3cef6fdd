"""Messages as values: what the payload behind each message type says (RTMP 1.0, 5.4, 6.2, 7).

``read`` turns a chunk stream's ``Message`` into one of the values below, and what nobody needs
into ``Ignored``: unknown types, unknown commands, data that is not ``onMetaData``. Encoders send
many of them (``_checkbw``, ``onFI``, shared objects, Acknowledgements), and a server that
answers an unknown word by hanging up is the one that is at fault.

``Media`` and ``Metadata`` are events of the session as they stand. They are named tuples, as
everything is that is made per frame.
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple, TypeAlias

from origin.errors import ProtocolError
from origin.media.coded import MediaKind
from origin.rtmp.amf0 import Amf0Reader, AmfValue, TypedObject
from origin.rtmp.chunk import Message
from origin.rtmp.limits import AmfBounds, Limits


class Type:
    """Message type ids (5.4, 7.1). 1 and 2 are the chunk stream's own (``chunk``).

    Plain numbers: one is compared with every message's, and a member of an enumeration costs
    ten times as much to look up in Python 3.11.
    """

    ACKNOWLEDGEMENT = 3
    USER_CONTROL = 4
    WINDOW_ACK_SIZE = 5
    SET_PEER_BANDWIDTH = 6
    AUDIO = 8
    VIDEO = 9
    AMF3_DATA = 15
    AMF3_COMMAND = 17
    AMF0_DATA = 18
    AMF0_COMMAND = 20
    AGGREGATE = 22


class UserControl(IntEnum):
    """Event types of a User Control message (7.1.7)."""

    STREAM_BEGIN = 0
    PING_REQUEST = 6
    PING_RESPONSE = 7


class Media(NamedTuple):
    """One audio or video message: an FLV tag's body, and its 32-bit time in milliseconds."""

    kind: MediaKind
    at: int
    body: memoryview | bytes


class Metadata(NamedTuple):
    """What ``onMetaData`` says about the stream."""

    values: dict[str, AmfValue]


class WindowAckSize(NamedTuple):
    """After how many bytes the peer wants an Acknowledgement (5.4.4)."""

    size: int


class PingRequest(NamedTuple):
    """A User Control ping (7.1.7); the answer repeats its four bytes."""

    payload: bytes


ENHANCED = frozenset({"fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"})
"""What a client of Enhanced RTMP has in its connect (Enhanced RTMP v2, connect command)."""


class Connect(NamedTuple):
    """NetConnection.connect (7.2.1.1)."""

    transaction: float
    app: str
    tc_url: str
    encoder: str
    """flashVer, by which encoders name themselves; empty from GStreamer and librtmp."""
    is_enhanced: bool = False
    """It says what it knows of Enhanced RTMP, and may be told what we know."""
    can_reconnect: bool = False
    """It understands a request to connect anew (capsEx, Reconnect)."""


class CreateStream(NamedTuple):
    """NetConnection.createStream (7.2.1.3)."""

    transaction: float


class ReleaseStream(NamedTuple):
    """releaseStream: a wish from the Flash era to free a name; all encoders begin with it."""

    transaction: float


class FcPublish(NamedTuple):
    """FCPublish: announces a publish. FMLE goes on only when ``onFCPublish`` answers it."""

    transaction: float


class GetStreamLength(NamedTuple):
    """getStreamLength: asked by players before ``play``."""

    transaction: float


class Publish(NamedTuple):
    """NetStream.publish (7.2.2.6), on the message stream that it is about."""

    stream_id: int
    name: str


class Play(NamedTuple):
    """NetStream.play (7.2.2.1); start and duration are for recordings, which we have none of."""

    stream_id: int
    name: str


class Unpublish(NamedTuple):
    """FCUnpublish, deleteStream or closeStream: the encoder ends the publish by itself.

    Any of them counts, whatever its argument: GStreamer's deleteStream carries a string, and
    FFmpeg 9 sometimes resets the connection between FCUnpublish and deleteStream.
    """


class Ignored(NamedTuple):
    """A message that nobody here needs."""

    type_id: int


Call: TypeAlias = CreateStream | ReleaseStream | FcPublish | GetStreamLength
Incoming: TypeAlias = (
    Media | Metadata | WindowAckSize | PingRequest | Connect | Call | Publish | Play | Unpublish
    | Ignored
)  # fmt: skip

MEDIA = {int(Type.VIDEO): MediaKind.VIDEO, int(Type.AUDIO): MediaKind.AUDIO}
"""The message types that carry media, and which."""

AMF = frozenset({Type.AMF3_DATA, Type.AMF3_COMMAND, Type.AMF0_DATA, Type.AMF0_COMMAND})
"""The message types that carry values."""

_u32 = Struct(">I").unpack_from
_AGGREGATE_HEADER = 11
_BACK_POINTER = 4


def read(message: Message, limits: Limits, *, is_trusted: bool = True) -> Incoming:
    """What a message says; ``is_trusted``: whoever says it has been let in to publish."""
    match message.type_id:
        case Type.VIDEO | Type.AUDIO:
            return Media(MEDIA[message.type_id], message.timestamp, message.payload)
        case Type.AMF0_COMMAND | Type.AMF3_COMMAND:
            return _read_command(message, limits.command)
        case Type.AMF0_DATA | Type.AMF3_DATA:
            return _read_data(message, limits.metadata if is_trusted else limits.command)
        case Type.WINDOW_ACK_SIZE:
            return WindowAckSize(_read_u32(message))
        case Type.USER_CONTROL:
            return _read_user_control(message)
        case _:
            return Ignored(message.type_id)


def split_aggregate(message: Message) -> Iterator[Message]:
    """The messages inside an aggregate (7.1.6): FLV tags, each with a back pointer.

    The first one has the aggregate's own time; the others keep their distance to it.
    """
    payload, at, offset = message.payload, 0, None
    while at < len(payload):
        body = at + _AGGREGATE_HEADER
        if body > len(payload):
            raise ProtocolError("an aggregate message ends inside a header")
        type_id = payload[at]
        size = int.from_bytes(payload[at + 1 : at + 4])
        time = int.from_bytes(payload[at + 4 : at + 7]) | payload[at + 7] << 24
        if body + size > len(payload) or type_id == Type.AGGREGATE:
            raise ProtocolError(f"an aggregate message holds type {type_id} of {size} bytes")
        offset = message.timestamp - time if offset is None else offset
        stamp = (time + offset) & 0xFFFFFFFF
        yield Message(type_id, message.stream_id, stamp, payload[body : body + size])
        at = body + size + _BACK_POINTER


def _read_u32(message: Message) -> int:
    if len(message.payload) < 4:
        raise ProtocolError(f"type {message.type_id} with {len(message.payload)} bytes")
    value: int = _u32(message.payload)[0]
    return value


def _read_user_control(message: Message) -> PingRequest | Ignored:
    payload = bytes(message.payload[:6])
    if int.from_bytes(payload[:2]) == UserControl.PING_REQUEST and len(payload) == 6:
        return PingRequest(payload[2:])
    return Ignored(message.type_id)


def _amf(message: Message, bounds: AmfBounds) -> Amf0Reader:
    """A reader for the AMF0 inside; types 15 and 17 put a zero byte before it."""
    payload = message.payload
    is_amf3 = message.type_id in (Type.AMF3_DATA, Type.AMF3_COMMAND)
    if is_amf3 and payload[:1] == b"\x00":
        payload = payload[1:]
    return Amf0Reader(payload, bounds)


def _read_data(message: Message, bounds: AmfBounds) -> Metadata | Ignored:
    """``onMetaData``, plain or behind ``@setDataFrame`` as all encoders send it."""
    reader = _amf(message, bounds)
    name = None if reader.at_end else reader.read()
    if name == "@setDataFrame" and not reader.at_end:
        name = reader.read()
    if name != "onMetaData" or reader.at_end:
        return Ignored(message.type_id)
    return Metadata(_as_object(reader.read()))


def _read_command(message: Message, bounds: AmfBounds) -> Incoming:
    reader = _amf(message, bounds)
    name = None if reader.at_end else reader.read()
    match name:
        case "connect":
            return _read_connect(_arguments(reader))
        case "publish":
            return Publish(message.stream_id, _text(_arguments(reader)[2]))
        case "createStream":
            return CreateStream(_transaction(reader))
        case "releaseStream":
            return ReleaseStream(_transaction(reader))
        case "FCPublish":
            return FcPublish(_transaction(reader))
        case "getStreamLength":
            return GetStreamLength(_transaction(reader))
        case "FCUnpublish" | "deleteStream" | "closeStream":
            return Unpublish()
        case "play":
            return Play(message.stream_id, _text(_arguments(reader)[2]))
        case _:
            return Ignored(message.type_id)


def _read_connect(arguments: list[AmfValue]) -> Connect:
    values = _as_object(arguments[1])
    return Connect(
        transaction=_number(arguments[0]),
        app=_text(values.get("app")),
        tc_url=_text(values.get("tcUrl")),
        encoder=_text(values.get("flashVer")),
        is_enhanced=not ENHANCED.isdisjoint(values),
        can_reconnect=_number(values.get("capsEx")) % 2 == 1,
    )


def _arguments(reader: Amf0Reader) -> list[AmfValue]:
    """Transaction, command object and first argument, None where they are missing."""
    values = reader.read_rest()
    return values + [None] * (3 - len(values))


def _transaction(reader: Amf0Reader) -> float:
    return 0.0 if reader.at_end else _number(reader.read())


def _number(value: AmfValue) -> float:
    return value if isinstance(value, float) else 0.0


def _text(value: AmfValue) -> str:
    return value if isinstance(value, str) else ""


def _as_object(value: AmfValue) -> dict[str, AmfValue]:
    if isinstance(value, TypedObject):
        return value.values
    return value if isinstance(value, dict) else {}
