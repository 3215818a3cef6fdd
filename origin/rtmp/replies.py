"""What the server says: control messages, results and status (RTMP 1.0, 5.4, 7.1, 7.2).

Each function makes one ``Message``; the session decides when, and ``CHUNK_STREAM`` on which chunk
stream. Nothing is ever said about the publish name: it may be the key.
"""

from collections.abc import Iterable
from enum import Enum
from struct import pack

from origin.rtmp.amf0 import UNDEFINED, AmfValue, encode
from origin.rtmp.chunk import SET_CHUNK_SIZE, Message
from origin.rtmp.fourcc import AUDIO_CODECS, VIDEO_CODECS
from origin.rtmp.messages import Type, UserControl

CONTROL_CHUNK_STREAM = 2
"""Where protocol control messages must go (5.4)."""

# FourCcInfoMask and CapsExMask (Enhanced RTMP v2, connect command).
_CAN_FORWARD = 0x04
_CAPS_RECONNECT, _CAPS_MULTITRACK, _CAPS_MOD_EX = 0x01, 0x02, 0x04

_DYNAMIC = 2  # the limit type of Set Peer Bandwidth that asks for nothing (5.4.5)


class Status(Enum):
    """Codes of ``onStatus`` that encoders know; the value is the wire's."""

    CONNECTED = "NetConnection.Connect.Success"
    NOT_CONNECTED = "NetConnection.Connect.Rejected"
    RECONNECT = "NetConnection.Connect.ReconnectRequest"
    STARTED = "NetStream.Publish.Start"
    UNPUBLISHED = "NetStream.Unpublish.Success"
    BAD_NAME = "NetStream.Publish.BadName"
    REJECTED = "NetStream.Publish.Rejected"
    FAILED = "NetStream.Publish.Failed"
    PLAY_RESET = "NetStream.Play.Reset"
    PLAY_STARTED = "NetStream.Play.Start"
    PLAY_ENDED = "NetStream.Play.UnpublishNotify"
    NOT_FOUND = "NetStream.Play.StreamNotFound"


_GOOD = frozenset(
    {
        Status.CONNECTED,
        Status.RECONNECT,
        Status.STARTED,
        Status.UNPUBLISHED,
        Status.PLAY_RESET,
        Status.PLAY_STARTED,
        Status.PLAY_ENDED,
    }
)
_CHUNK_STREAMS = {Type.AMF0_COMMAND: 3, Type.AUDIO: 4, Type.AMF0_DATA: 5, Type.VIDEO: 6}
"""3 is where Flash Media Server puts its replies, and so every encoder has been tried with it."""


def chunk_stream(message: Message) -> int:
    """Where a reply goes: control messages on 2, as they must; commands and media elsewhere."""
    return _CHUNK_STREAMS.get(message.type_id, CONTROL_CHUNK_STREAM)


def acknowledgement(received: int) -> Message:
    return _control(Type.ACKNOWLEDGEMENT, pack(">I", received & 0xFFFFFFFF))


def window_ack_size(size: int) -> Message:
    return _control(Type.WINDOW_ACK_SIZE, pack(">I", size))


def set_peer_bandwidth(size: int) -> Message:
    return _control(Type.SET_PEER_BANDWIDTH, pack(">IB", size, _DYNAMIC))


def set_chunk_size(size: int) -> Message:
    return _control(SET_CHUNK_SIZE, pack(">I", size))


def stream_begin(stream_id: int) -> Message:
    return _control(Type.USER_CONTROL, pack(">HI", UserControl.STREAM_BEGIN, stream_id))


def ping_response(payload: bytes) -> Message:
    return _control(Type.USER_CONTROL, pack(">H", UserControl.PING_RESPONSE) + payload)


def connected(transaction: float, *, is_enhanced: bool) -> Message:
    """``_result`` of connect: AMF0 is what we speak, whatever was asked for.

    Who speaks Enhanced RTMP is told which codecs are taken; others never get its strict array,
    which not every old reader of AMF knows.
    """
    server: dict[str, AmfValue] = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31.0}
    if is_enhanced:
        server |= {
            "fourCcList": [fourcc.decode() for fourcc in (*VIDEO_CODECS, *AUDIO_CODECS)],
            "videoFourCcInfoMap": _passed_on(VIDEO_CODECS),
            "audioFourCcInfoMap": _passed_on(AUDIO_CODECS),
            "capsEx": float(_CAPS_RECONNECT | _CAPS_MULTITRACK | _CAPS_MOD_EX),
        }
    info = _information(Status.CONNECTED, "Connection succeeded.")
    return result(transaction, server, info | {"objectEncoding": 0.0})


def _passed_on(fourccs: Iterable[bytes]) -> dict[str, AmfValue]:
    return {fourcc.decode(): float(_CAN_FORWARD) for fourcc in fourccs}


def not_connected(transaction: float, description: str) -> Message:
    """``_error`` of connect; encoders look into the description for what to do about it."""
    info = _information(Status.NOT_CONNECTED, description)
    return _command(0, "_error", transaction, None, info)


def result(transaction: float, command: AmfValue = None, value: AmfValue = UNDEFINED) -> Message:
    return _command(0, "_result", transaction, command, value)


def on_fc_publish() -> Message:
    return _command(0, "onFCPublish", 0.0, None, _information(Status.STARTED, "Go on."))


def on_status(stream_id: int, status: Status, description: str) -> Message:
    return _command(stream_id, "onStatus", 0.0, None, _information(status, description))


def _information(status: Status, description: str) -> dict[str, AmfValue]:
    level = "status" if status in _GOOD else "error"
    return {"level": level, "code": status.value, "description": description}


def _control(type_id: int, payload: bytes) -> Message:
    return Message(type_id, 0, 0, payload)


def _command(stream_id: int, *values: AmfValue) -> Message:
    return Message(Type.AMF0_COMMAND, stream_id, 0, encode(*values))
