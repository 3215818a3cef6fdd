"""The table in the session's docstring, cell by cell."""

from collections.abc import Callable

import pytest

from origin.errors import ProtocolError
from origin.rtmp.events import PublishEnded, PublishRequested
from origin.rtmp.messages import Media, Metadata
from origin.rtmp.session import State
from tests.support.encoders import Encoder
from tests.support.sessions import Rehearsal

CONNECTING, IDLE, LIVE, ENDED = State.CONNECTING, State.IDLE, State.LIVE, State.ENDED
DECIDING, CLOSING, CLOSED = State.DECIDING, State.CLOSING, State.CLOSED

MESSAGES: dict[str, Callable[[Encoder], bytes]] = {
    "ping": lambda encoder: encoder.ping(1),
    "window size": lambda encoder: encoder.message(5, (5000).to_bytes(4)),
    "unknown command": lambda encoder: encoder.command("_checkbw", 9.0, None),
    "unknown type": lambda encoder: encoder.message(99, b"?"),
    "connect": lambda encoder: encoder.connect(),
    "createStream": lambda encoder: encoder.create_stream(),
    "releaseStream": lambda encoder: encoder.command("releaseStream", 2.0, None, "key"),
    "FCPublish": lambda encoder: encoder.command("FCPublish", 3.0, None, "key"),
    "getStreamLength": lambda encoder: encoder.command("getStreamLength", 3.0, None, "key"),
    "publish": lambda encoder: encoder.publish(),
    "play": lambda encoder: encoder.command("play", 5.0, None, "key", stream=1),
    "audio": lambda encoder: encoder.audio(0),
    "video": lambda encoder: encoder.video(0),
    "metadata": lambda encoder: encoder.metadata({}),
    "FCUnpublish": lambda encoder: encoder.command("FCUnpublish", 6.0, None, "key"),
    "deleteStream": lambda encoder: encoder.command("deleteStream", 7.0, None, 1.0),
    "closeStream": lambda encoder: encoder.command("closeStream", 7.0, None),
}

EVERYWHERE = {CONNECTING: CONNECTING, IDLE: IDLE, LIVE: LIVE, ENDED: ENDED}
CONNECTED = {IDLE: IDLE, LIVE: LIVE, ENDED: ENDED}
MEDIA = {LIVE: LIVE, ENDED: ENDED}
END = {IDLE: IDLE, LIVE: ENDED, ENDED: ENDED}

NEXT: dict[str, dict[State, State]] = {
    "ping": EVERYWHERE,
    "window size": EVERYWHERE,
    "unknown command": EVERYWHERE,
    "unknown type": EVERYWHERE,
    "connect": {CONNECTING: IDLE},
    "createStream": CONNECTED,
    "releaseStream": CONNECTED,
    "FCPublish": CONNECTED,
    "getStreamLength": CONNECTED,
    "publish": {IDLE: DECIDING, ENDED: DECIDING},
    "play": {IDLE: CLOSING, ENDED: CLOSING},
    "audio": MEDIA,
    "video": MEDIA,
    "metadata": MEDIA,
    "FCUnpublish": END,
    "deleteStream": END,
    "closeStream": END,
}

EVENTS: dict[tuple[str, State], type] = {
    ("publish", IDLE): PublishRequested,
    ("publish", ENDED): PublishRequested,
    ("audio", LIVE): Media,
    ("video", LIVE): Media,
    ("metadata", LIVE): Metadata,
    ("FCUnpublish", LIVE): PublishEnded,
    ("deleteStream", LIVE): PublishEnded,
    ("closeStream", LIVE): PublishEnded,
}


def test_the_table_is_complete() -> None:
    assert NEXT.keys() == MESSAGES.keys()


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("state", [CONNECTING, IDLE, LIVE, ENDED], ids=lambda state: state.name)
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
