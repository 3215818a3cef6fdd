from itertools import pairwise

import pytest

from origin.errors import ProtocolError
from origin.media.coded import MediaKind
from origin.rtmp.amf0 import UNDEFINED, Amf0Reader, AmfValue, EcmaArray
from origin.rtmp.chunk import Message
from origin.rtmp.events import PublishEnded, PublishRequested
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media, Metadata, Type
from origin.rtmp.replies import Status
from origin.rtmp.session import ServerSession, State
from tests.support.cuts import Cutter, every_way
from tests.support.encoders import AAC_FRAME, ECHO, HELLO, KEYFRAME, Encoder
from tests.support.sessions import NONCE, Rehearsal


def words(message: Message) -> list[AmfValue]:
    assert message.type_id == Type.AMF0_COMMAND
    return Amf0Reader(message.payload, Limits().metadata).read_rest()


def whole_session() -> bytes:
    encoder = Encoder()
    return b"".join(
        [
            HELLO,
            ECHO,
            encoder.connect(),
            encoder.create_stream(),
            encoder.publish("name?token=abc&x=1"),
            encoder.metadata({"width": 320.0}),
            encoder.video(0),
            encoder.audio(3),
            encoder.video(40, KEYFRAME + bytes(5000)),
            encoder.goodbye(),
        ]
    )


@every_way
def test_a_whole_session_yields_its_events_in_order(cut: Cutter) -> None:
    rehearsal = Rehearsal()
    rehearsal.feed(*cut(whole_session()))
    url, encoder = "rtmp://127.0.0.1/live", "FMLE/3.0 (test)"
    assert rehearsal.events == [
        PublishRequested(1, "live", "name", "token=abc&x=1", url, encoder),
        Metadata({"width": 320.0}),
        Media(MediaKind.VIDEO, 0, KEYFRAME),
        Media(MediaKind.AUDIO, 3, AAC_FRAME),
        Media(MediaKind.VIDEO, 40, KEYFRAME + bytes(5000)),
        PublishEnded(clean=True),
    ]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"fourCcList": ["hvc1"]}, id="as FFmpeg does"),
        pytest.param({"videoFourCcInfoMap": {"*": 4.0}}, id="by an object"),
        pytest.param({"audioFourCcInfoMap": EcmaArray({"Opus": 1.0})}, id="by an ECMA array"),
        pytest.param({"capsEx": 3.0}, id="by its abilities"),
    ],
)
def test_who_speaks_enhanced_rtmp_is_told_what_is_taken(asked: dict[str, AmfValue]) -> None:
    rehearsal = Rehearsal().reach(State.CONNECTING)
    values: dict[str, AmfValue] = {"app": "live", **asked}
    rehearsal.feed(Encoder().command("connect", 1.0, values))
    (result,) = [words(reply) for reply in rehearsal.replies() if reply.type_id == 20]
    server = result[2]
    assert isinstance(server, dict)
    video, audio = (
        ["avc1", "hvc1", "av01", "vp09"],
        ["mp4a", ".mp3", "Opus", "fLaC", "ac-3", "ec-3"],
    )
    assert server["fourCcList"] == [*video, *audio]
    assert server["videoFourCcInfoMap"] == dict.fromkeys(video, 4.0)
    assert server["audioFourCcInfoMap"] == dict.fromkeys(audio, 4.0)
    assert server["capsEx"] == 7.0


def test_connect_is_answered_as_encoders_want_it() -> None:
    replies = Rehearsal().reach(State.IDLE).replies()
    assert [(r.type_id, r.payload.hex()) for r in replies[:4]] == [
        (5, "002625a0"),  # Window Acknowledgement Size 2,500,000
        (6, "002625a002"),  # Set Peer Bandwidth 2,500,000, dynamic
        (4, "000000000000"),  # StreamBegin 0
        (20, replies[3].payload.hex()),
    ]
    name, transaction, _, information = words(replies[3])
    assert (name, transaction) == ("_result", 1.0)
    assert isinstance(information, dict)
    assert information["code"] == "NetConnection.Connect.Success"
    assert information["objectEncoding"] == 0.0


@pytest.mark.parametrize("size", [128, 4096, 60_000])
def test_the_chunk_size_that_is_announced_is_kept(size: int) -> None:
    session = ServerSession(nonce=NONCE, limits=Limits(), now=0.0, chunk_size=size)
    session.receive(HELLO + ECHO + Encoder().connect(), 0.0)
    assert session.next_event() is None
    said = session.bytes_to_send()
    assert b"\x02\0\0\0\0\0\x04\x01\0\0\0\0" + size.to_bytes(4) in said


def test_an_accepted_publish_is_told_to_start() -> None:
    rehearsal = Rehearsal(accepts=False)
    rehearsal.feed(HELLO, ECHO, rehearsal.encoder.connect(), rehearsal.encoder.publish())
    before = len(rehearsal.replies())
    rehearsal.session.accept(1, 0.0)
    rehearsal.drain()
    begin, status = rehearsal.replies()[before:]
    assert (begin.type_id, begin.payload) == (4, b"\x00\x00\x00\x00\x00\x01")
    assert status.stream_id == 1
    name, transaction, _, information = words(status)
    assert (name, transaction) == ("onStatus", 0.0)
    assert isinstance(information, dict)
    assert information["code"] == "NetStream.Publish.Start"
    assert information["level"] == "status"


def test_commands_are_answered_in_their_own_way() -> None:
    rehearsal = Rehearsal().reach(State.IDLE)
    before = len(rehearsal.replies())
    encoder = rehearsal.encoder
    rehearsal.feed(
        encoder.command("releaseStream", 2.0, None, "key"),
        encoder.command("FCPublish", 3.0, None, "key"),
        encoder.command("createStream", 4.0, None),
        encoder.command("createStream", 5.0, None),
        encoder.command("getStreamLength", 6.0, None, "key"),
    )
    said = [words(reply) for reply in rehearsal.replies()[before:]]
    assert said[0] == ["_result", 2.0, None, UNDEFINED]
    assert said[1][0] == "onFCPublish"
    assert said[2:] == [
        ["_result", 3.0, None, UNDEFINED],
        ["_result", 4.0, None, 1.0],
        ["_result", 5.0, None, 2.0],
        ["_result", 6.0, None, 0.0],
    ]


@pytest.mark.parametrize("name", ["releaseStream", "FCPublish", "createStream", "getStreamLength"])
def test_transaction_0_is_not_answered(name: str) -> None:
    rehearsal = Rehearsal().reach(State.IDLE)
    before = rehearsal.said
    rehearsal.feed(rehearsal.encoder.command(name, 0.0, None, "key"))
    assert rehearsal.said == before


def test_pings_are_answered_with_their_own_stamp() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.feed(rehearsal.encoder.ping(0x01020304))
    assert rehearsal.replies()[-1].payload == b"\x00\x07\x01\x02\x03\x04"


def test_what_is_received_is_acknowledged_every_half_window() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.feed(rehearsal.encoder.message(5, (10_000).to_bytes(4)))
    for _ in range(100):
        rehearsal.feed(rehearsal.encoder.video(0, KEYFRAME + bytes(989)))
    acknowledged = [int.from_bytes(r.payload) for r in rehearsal.replies() if r.type_id == 3]
    assert 15 <= len(acknowledged) <= 21
    steps = [b - a for a, b in pairwise(acknowledged)]
    assert all(5_000 <= step <= 6_200 for step in steps)


def test_until_the_peer_names_a_window_the_usual_one_holds() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    for _ in range(26):
        rehearsal.feed(rehearsal.encoder.video(0, KEYFRAME + bytes(50_000)))
    acknowledged = [int.from_bytes(r.payload) for r in rehearsal.replies() if r.type_id == 3]
    assert len(acknowledged) == 1
    assert 1_250_000 <= acknowledged[0] < 1_310_000


def test_the_parts_of_an_aggregate_are_media() -> None:
    tag = b"\x09\0\0\x02\0\0\x05\0\0\0\0v1\0\0\0\x0d" + b"\x08\0\0\x02\0\0\x09\0\0\0\0a1\0\0\0\x0d"
    rehearsal = Rehearsal().reach(State.LIVE)
    encoder = rehearsal.encoder
    assert rehearsal.feed(encoder.message(22, tag, at=100) + encoder.audio(200)) == [
        Media(MediaKind.VIDEO, 100, b"v1"),
        Media(MediaKind.AUDIO, 104, b"a1"),
        Media(MediaKind.AUDIO, 200, AAC_FRAME),
    ]


def test_nothing_is_read_while_the_publish_is_being_decided() -> None:
    rehearsal = Rehearsal(accepts=False)
    encoder = rehearsal.encoder
    rehearsal.feed(HELLO, ECHO, encoder.connect(), encoder.publish() + encoder.video(0))
    rehearsal.feed(encoder.video(40))
    assert [type(event) for event in rehearsal.events] == [PublishRequested]
    rehearsal.session.accept(1, 0.0)
    rehearsal.drain()
    assert [e.at for e in rehearsal.events if isinstance(e, Media)] == [0, 40]


def test_a_refused_publish_is_told_why_and_never_ends() -> None:
    rehearsal = Rehearsal(accepts=False).reach(State.DECIDING)
    rehearsal.session.reject(1, Status.BAD_NAME, "No such key.", 0.0)
    rehearsal.feed(rehearsal.encoder.video(0))
    information = words(rehearsal.replies()[-1])[3]
    assert information == {
        "level": "error",
        "code": "NetStream.Publish.BadName",
        "description": "No such key.",
    }
    rehearsal.session.abandon()
    rehearsal.drain()
    assert rehearsal.ends == []


def test_a_publish_may_follow_a_publish_on_the_same_connection() -> None:
    rehearsal = Rehearsal().reach(State.ENDED)
    events = rehearsal.feed(rehearsal.encoder.publish("second"), rehearsal.encoder.video(0))
    assert isinstance(events[0], PublishRequested)
    assert (events[0].request_id, events[0].name) == (2, "second")
    assert isinstance(events[1], Media)


def test_the_app_and_the_key_of_a_hasty_user_arrive_as_they_were_typed() -> None:
    rehearsal = Rehearsal()
    rehearsal.feed(HELLO, ECHO, rehearsal.encoder.connect("live/key"))
    (event,) = rehearsal.feed(rehearsal.encoder.publish(""))
    assert isinstance(event, PublishRequested)
    assert (event.app, event.name, event.query) == ("live/key", "", "")


# The end, exactly once.


def test_an_encoder_that_says_goodbye_ends_cleanly_and_once() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.feed(rehearsal.encoder.goodbye())
    rehearsal.session.abandon()
    rehearsal.drain()
    assert rehearsal.ends == [PublishEnded(clean=True)]


def test_a_lost_connection_ends_the_publish_once_and_not_cleanly() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.session.abandon()
    rehearsal.session.abandon()
    rehearsal.drain()
    rehearsal.drain()
    assert rehearsal.ends == [PublishEnded(clean=False)]


def test_an_end_from_our_side_is_told_and_comes_once() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.session.end_publish(Status.REJECTED, "Somebody else took over.", 0.0)
    rehearsal.drain()
    rehearsal.session.abandon()
    rehearsal.drain()
    assert rehearsal.ends == [PublishEnded(clean=False)]
    information = words(rehearsal.replies()[-1])[3]
    assert isinstance(information, dict)
    assert information["code"] == "NetStream.Publish.Rejected"
    assert information["description"] == "Somebody else took over."


def test_a_protocol_error_ends_the_publish_after_the_good_frames_before_it() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    with pytest.raises(ProtocolError, match="Connect in state LIVE"):
        rehearsal.feed(rehearsal.encoder.video(0) + rehearsal.encoder.connect())
    rehearsal.drain()
    assert [type(event) for event in rehearsal.events[1:]] == [Media, PublishEnded]
    assert rehearsal.ends == [PublishEnded(clean=False)]
    assert rehearsal.session.state is State.CLOSED


@pytest.mark.parametrize(
    ("caps", "is_asked"),
    [(1.0, True), (7.0, True), (6.0, False), (0.0, False), (float("nan"), False), ("1", False)],
)
def test_only_who_can_reconnect_is_asked_to(caps: AmfValue, is_asked: bool) -> None:
    rehearsal = Rehearsal()
    encoder = rehearsal.encoder
    connect = encoder.command("connect", 1.0, {"app": "live", "capsEx": caps})
    rehearsal.feed(HELLO, ECHO, connect, encoder.publish())
    rehearsal.session.ask_to_reconnect("Going.")
    rehearsal.drain()
    asked = [r for r in rehearsal.replies() if b"Connect.ReconnectRequest" in bytes(r.payload)]
    assert len(asked) == is_asked
    assert rehearsal.session.state is State.LIVE
    if asked:
        name, transaction, _, information = words(asked[0])
        assert (name, transaction, asked[0].stream_id) == ("onStatus", 0.0, 0)
        assert information == {
            "level": "status",
            "code": "NetConnection.Connect.ReconnectRequest",
            "description": "Going.",
        }


def test_who_has_not_connected_yet_is_asked_nothing() -> None:
    rehearsal = Rehearsal().reach(State.CONNECTING)
    before = rehearsal.said
    rehearsal.session.ask_to_reconnect("Going.")
    rehearsal.drain()
    assert rehearsal.said == before
