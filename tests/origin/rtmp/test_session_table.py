"""The table in the session's docstring, cell by cell."""

from collections.abc import Callable

import pytest

from origin.errors import ProtocolError
from origin.rtmp.amf0 import encode
from origin.rtmp.events import PlayEnded, PlayRequested, PublishEnded, PublishRequested
from origin.rtmp.messages import Media, Metadata
from origin.rtmp.session import State
from tests.support.encoders import ECHO, HELLO, Encoder
from tests.support.sessions import Rehearsal

CONNECTING, IDLE, LIVE, ENDED = State.CONNECTING, State.IDLE, State.LIVE, State.ENDED
PLAYING = State.PLAYING
DECIDING, CLOSING, CLOSED = State.DECIDING, State.CLOSING, State.CLOSED

MESSAGES: dict[str, Callable[[Encoder], bytes]] = {
    "ping": lambda encoder: encoder.ping(1),
    "window size": lambda encoder: encoder.message(5, (5000).to_bytes(4)),
    "pong": lambda encoder: encoder.message(4, b"\x00\x07\x00\x00\x00\x01", stream=0),
    "buffer length": lambda encoder: encoder.message(4, b"\x00\x03" + bytes(8), stream=0),
    "torn user control": lambda encoder: encoder.message(4, b"\x00", stream=0),
    "chunk size": lambda encoder: encoder.message(1, (128).to_bytes(4), stream=0),
    "abort": lambda encoder: encoder.message(2, (6).to_bytes(4), stream=0),
    "acknowledgement": lambda encoder: encoder.message(3, (1).to_bytes(4), stream=0),
    "peer bandwidth": lambda encoder: encoder.message(6, (5000).to_bytes(4) + b"\x02", stream=0),
    "result": lambda encoder: encoder.command("_result", 1.0, None),
    "status": lambda encoder: encoder.command("onStatus", 0.0, None, {"code": "x"}),
    "pause": lambda encoder: encoder.command("pause", 0.0, None, True, 0.0, stream=1),
    "data that nobody needs": lambda encoder: encoder.message(18, encode("onCuePoint", {})),
    "no data": lambda encoder: encoder.message(18, b""),
    "no command": lambda encoder: encoder.message(20, b""),
    "shared object": lambda encoder: encoder.message(19, b"\x00\x01x"),
    "shared object in AMF3": lambda encoder: encoder.message(16, b"\x00\x01x"),
    "empty aggregate": lambda encoder: encoder.message(22, b""),
    "unknown command": lambda encoder: encoder.command("_checkbw", 9.0, None),
    "unknown type": lambda encoder: encoder.message(99, b"?"),
    "connect": lambda encoder: encoder.connect(),
    "createStream": lambda encoder: encoder.create_stream(),
    "releaseStream": lambda encoder: encoder.command("releaseStream", 2.0, None, "key"),
    "FCPublish": lambda encoder: encoder.command("FCPublish", 3.0, None, "key"),
    "getStreamLength": lambda encoder: encoder.command("getStreamLength", 3.0, None, "key"),
    "publish": lambda encoder: encoder.publish(),
    "publish in AMF3": lambda encoder: encoder.message(
        17, b"\x00" + encode("publish", 5.0, None, "key", "live")
    ),
    "play": lambda encoder: encoder.play(),
    "audio": lambda encoder: encoder.audio(0),
    "video": lambda encoder: encoder.video(0),
    "media in an aggregate": lambda encoder: encoder.message(
        22, b"\x08\x00\x00\x02" + bytes(7) + b"\xaf\x01" + bytes(4)
    ),
    "metadata": lambda encoder: encoder.metadata({}),
    "metadata in AMF3": lambda encoder: encoder.message(15, b"\x00" + encode("onMetaData", {})),
    "FCUnpublish": lambda encoder: encoder.command("FCUnpublish", 6.0, None, "key"),
    "deleteStream": lambda encoder: encoder.command("deleteStream", 7.0, None, 1.0),
    "closeStream": lambda encoder: encoder.command("closeStream", 7.0, None),
}

STATES = [CONNECTING, IDLE, LIVE, ENDED, PLAYING]
EVERYWHERE = {state: state for state in STATES}
CONNECTED = {state: state for state in STATES if state is not CONNECTING}
MEDIA = {LIVE: LIVE, ENDED: ENDED}
END = {IDLE: IDLE, LIVE: ENDED, ENDED: ENDED, PLAYING: ENDED}
WISH = {IDLE: DECIDING, ENDED: DECIDING}

NEXT: dict[str, dict[State, State]] = dict.fromkeys(MESSAGES, EVERYWHERE) | {
    "connect": {CONNECTING: IDLE},
    "createStream": CONNECTED,
    "releaseStream": CONNECTED,
    "FCPublish": CONNECTED,
    "getStreamLength": CONNECTED,
    "publish": WISH,
    "publish in AMF3": WISH,
    "play": WISH,
    "audio": MEDIA,
    "video": MEDIA,
    "media in an aggregate": MEDIA,
    "metadata": MEDIA,
    "metadata in AMF3": MEDIA,
    "FCUnpublish": END,
    "deleteStream": END,
    "closeStream": END,
}
"""What is not named here is welcome everywhere, and changes nothing."""

EVENTS: dict[tuple[str, State], type] = {
    ("publish", IDLE): PublishRequested,
    ("publish", ENDED): PublishRequested,
    ("publish in AMF3", IDLE): PublishRequested,
    ("publish in AMF3", ENDED): PublishRequested,
    ("play", IDLE): PlayRequested,
    ("play", ENDED): PlayRequested,
    ("audio", LIVE): Media,
    ("media in an aggregate", LIVE): Media,
    ("metadata in AMF3", LIVE): Metadata,
    ("FCUnpublish", PLAYING): PlayEnded,
    ("deleteStream", PLAYING): PlayEnded,
    ("closeStream", PLAYING): PlayEnded,
    ("video", LIVE): Media,
    ("metadata", LIVE): Metadata,
    ("FCUnpublish", LIVE): PublishEnded,
    ("deleteStream", LIVE): PublishEnded,
    ("closeStream", LIVE): PublishEnded,
}


def test_the_table_has_every_message_type_there_is() -> None:
    """RTMP 1.0, 5.4, 6.2 and 7.1; and one that there is not."""
    assert NEXT.keys() == MESSAGES.keys()
    types = set()
    for make in MESSAGES.values():
        header = make(Encoder())
        types.add(header[7])  # after a basic header of one byte: time 3, length 3, type
    assert types >= {1, 2, 3, 4, 5, 6, 8, 9, 15, 16, 17, 18, 19, 20, 22, 99}


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_each_message_in_each_state_does_what_the_table_says(state: State, name: str) -> None:
    rehearsal = Rehearsal().reach(state)
    rehearsal.drops_decisions()
    message = MESSAGES[name](rehearsal.encoder)
    if state not in NEXT[name]:
        with pytest.raises(ProtocolError, match=f"in state {state.name}"):
            rehearsal.feed(message)
        assert rehearsal.session.state is CLOSED
        return
    events = rehearsal.feed(message)
    assert rehearsal.session.state is NEXT[name][state]
    expected = EVENTS.get((name, state))
    assert [type(event) for event in events] == ([expected] if expected else [])


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("state", [DECIDING, CLOSING, CLOSED], ids=lambda state: state.name)
def test_where_nothing_is_read_nothing_happens(state: State, name: str) -> None:
    rehearsal = Rehearsal().reach(state)
    before = rehearsal.said
    assert rehearsal.feed(MESSAGES[name](rehearsal.encoder)) == []
    assert rehearsal.session.state is state
    assert rehearsal.said == before


@pytest.mark.parametrize("name", MESSAGES)
def test_before_the_handshake_is_done_all_bytes_are_the_handshakes(name: str) -> None:
    rehearsal = Rehearsal()
    message = MESSAGES[name](rehearsal.encoder)
    assert rehearsal.feed(HELLO + ECHO[: -len(message)] + message) == []
    assert rehearsal.session.state is CONNECTING
