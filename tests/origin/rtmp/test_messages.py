from struct import pack

import pytest

from origin.errors import ProtocolError
from origin.media.coded import MediaKind
from origin.rtmp.amf0 import AmfValue, EcmaArray, TypedObject, encode
from origin.rtmp.chunk import Message
from origin.rtmp.limits import Limits
from origin.rtmp.messages import (
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
    Type,
    Unpublish,
    WindowAckSize,
    read,
    split_aggregate,
)


def message(type_id: int, payload: bytes, *, at: int = 0, stream: int = 1) -> Message:
    return Message(type_id, stream, at, memoryview(payload))


def command(*values: AmfValue) -> Message:
    return message(Type.AMF0_COMMAND, encode(*values))


def understood(sent: Message) -> Incoming:
    return read(sent, Limits())


def test_media_keeps_its_time_and_its_body() -> None:
    assert understood(message(9, b"v", at=7)) == Media(MediaKind.VIDEO, 7, b"v")
    assert understood(message(8, b"", at=2**32 - 1)) == Media(MediaKind.AUDIO, 2**32 - 1, b"")


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        (command("createStream", 4.0, None), CreateStream(4.0)),
        (command("releaseStream", 2.0, None, "key"), ReleaseStream(2.0)),
        (command("FCPublish", 3.0, None, "key"), FcPublish(3.0)),
        (command("getStreamLength", 3.0, None, "key"), GetStreamLength(3.0)),
        (command("publish", 5.0, None, "key", "live"), Publish(1, "key")),
        (command("publish", 0.0, None, "key?a=1&b=2"), Publish(1, "key?a=1&b=2")),
        (command("play", 5.0, None, "key"), Play(1, "key")),
        (command("FCUnpublish", 6.0, None, "key"), Unpublish()),
        (command("deleteStream", 7.0, None, 1.0), Unpublish()),
        (command("deleteStream", 7.0, None, "rtmp2sink's string"), Unpublish()),
        (command("closeStream", 7.0, None), Unpublish()),
    ],
)
def test_commands_of_encoders_are_understood(sent: Message, meaning: Incoming) -> None:
    assert understood(sent) == meaning


def test_connect_says_who_and_where() -> None:
    values: dict[str, AmfValue] = {"app": "live", "tcUrl": "rtmp://h/live", "flashVer": "FMLE/3.0"}
    assert understood(command("connect", 1.0, values)) == Connect(
        1.0, "live", "rtmp://h/live", "FMLE/3.0"
    )


def test_connect_with_the_list_of_codecs_of_enhanced_rtmp_is_understood() -> None:
    values: dict[str, AmfValue] = {"app": "live", "fourCcList": ["av01", "hvc1"], "capsEx": 15.0}
    connect = Connect(1.0, "live", "", "", is_enhanced=True, can_reconnect=True)
    assert understood(command("connect", 1.0, values)) == connect


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(("createStream",), id="no transaction"),
        pytest.param(("createStream", "four"), id="a transaction that is no number"),
    ],
)
def test_a_command_without_a_transaction_wants_no_answer(values: tuple[AmfValue, ...]) -> None:
    assert understood(command(*values)) == CreateStream(0.0)


@pytest.mark.parametrize("values", [("publish",), ("publish", 1.0, None, 7.0)])
def test_a_publish_without_a_name_has_an_empty_one(values: tuple[AmfValue, ...]) -> None:
    assert understood(command(*values)) == Publish(1, "")


@pytest.mark.parametrize("lead", [b"\x00", b""])
def test_the_envelopes_of_amf3_hold_amf0(lead: bytes) -> None:
    wish = lead + encode("publish", 5.0, None, "key")
    assert understood(message(Type.AMF3_COMMAND, wish)) == Publish(1, "key")
    facts = lead + encode("onMetaData", EcmaArray(width=320.0))
    assert understood(message(Type.AMF3_DATA, facts)) == Metadata({"width": 320.0})


@pytest.mark.parametrize(
    "values",
    [
        ("@setDataFrame", "onMetaData", EcmaArray(width=320.0)),
        ("onMetaData", {"width": 320.0}),
        ("onMetaData", TypedObject("Meta", {"width": 320.0})),
    ],
)
def test_metadata_is_read_in_every_form(values: tuple[AmfValue, ...]) -> None:
    assert understood(message(Type.AMF0_DATA, encode(*values))) == Metadata({"width": 320.0})


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(command("_checkbw", 9.0, None), id="unknown command"),
        pytest.param(command(17.0), id="command without a name"),
        pytest.param(message(Type.AMF0_COMMAND, b""), id="empty command"),
        pytest.param(message(Type.AMF0_DATA, b""), id="empty data"),
        pytest.param(message(Type.AMF0_DATA, encode("@setDataFrame")), id="data of nothing"),
        pytest.param(message(Type.AMF0_DATA, encode("onMetaData")), id="metadata of nothing"),
        pytest.param(message(Type.AMF0_DATA, encode("onFI") + b"\x11\x0a"), id="AMF3 inside"),
        pytest.param(message(Type.ACKNOWLEDGEMENT, bytes(4)), id="acknowledgement"),
        pytest.param(message(Type.SET_PEER_BANDWIDTH, bytes(5)), id="peer bandwidth"),
        pytest.param(message(Type.USER_CONTROL, pack(">HII", 3, 1, 500)), id="buffer length"),
        pytest.param(message(Type.USER_CONTROL, b"\x00"), id="torn user control"),
        pytest.param(message(16, b"shared object"), id="shared object"),
        pytest.param(message(99, b"?"), id="unknown type"),
    ],
)
def test_what_nobody_needs_is_ignored(sent: Message) -> None:
    assert understood(sent) == Ignored(sent.type_id)


def test_pings_and_windows_are_read() -> None:
    assert understood(message(Type.USER_CONTROL, pack(">HI", 6, 77))) == PingRequest(pack(">I", 77))
    assert understood(message(Type.WINDOW_ACK_SIZE, pack(">I", 5000))) == WindowAckSize(5000)
    with pytest.raises(ProtocolError, match="type 5 with 3 bytes"):
        understood(message(Type.WINDOW_ACK_SIZE, bytes(3)))


def tag(type_id: int, at: int, body: bytes) -> bytes:
    time = (at & 0xFFFFFF).to_bytes(3) + bytes([at >> 24])
    size = len(body).to_bytes(3)
    return bytes([type_id]) + size + time + bytes(3) + body + (11 + len(body)).to_bytes(4)


def test_an_aggregate_is_split_and_its_times_keep_their_distance() -> None:
    body = tag(9, 0x01000000, b"v1") + tag(8, 0x01000005, b"") + tag(9, 0x01000028, b"v2")
    parts = list(split_aggregate(message(Type.AGGREGATE, body, at=500)))
    assert parts == [
        Message(9, 1, 500, b"v1"),
        Message(8, 1, 505, b""),
        Message(9, 1, 540, b"v2"),
    ]


def test_an_aggregate_may_lack_its_last_back_pointer() -> None:
    body = tag(9, 0, b"v1")[:-4]
    assert list(split_aggregate(message(Type.AGGREGATE, body))) == [Message(9, 1, 0, b"v1")]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(tag(9, 0, b"v1")[:8], id="torn header"),
        pytest.param(tag(9, 0, b"v1")[:12], id="torn body"),
        pytest.param(tag(22, 0, b""), id="aggregate within an aggregate"),
    ],
)
def test_a_broken_aggregate_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError, match="aggregate"):
        list(split_aggregate(message(Type.AGGREGATE, body)))
