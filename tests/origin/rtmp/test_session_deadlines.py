"""How long a peer may take for each phase, and what moves a deadline."""

import pytest

from origin.errors import ProtocolError
from origin.rtmp.events import PublishEnded
from origin.rtmp.messages import Media
from origin.rtmp.session import State
from tests.support.encoders import KEYFRAME
from tests.support.sessions import Rehearsal


@pytest.mark.parametrize(
    ("state", "deadline"),
    [
        (State.HANDSHAKING, 5.0),
        (State.CONNECTING, 10.0),
        (State.IDLE, 15.0),
        (State.DECIDING, None),
        (State.LIVE, 20.0),
        (State.ENDED, 15.0),
        (State.PLAYING, None),
        (State.CLOSING, 5.0),
        (State.CLOSED, None),
    ],
)
def test_every_state_has_its_deadline(state: State, deadline: float | None) -> None:
    session = Rehearsal().reach(state).session
    assert session.next_deadline() == deadline
    session.check_deadline(4.999 if deadline is None else deadline - 0.001)
    if deadline is not None:
        with pytest.raises(ProtocolError, match=state.name):
            session.check_deadline(deadline)


def test_every_media_message_moves_the_deadline_and_nothing_else_does() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    rehearsal.now = 12.0
    rehearsal.feed(rehearsal.encoder.audio(0))
    rehearsal.now = 19.0
    rehearsal.feed(rehearsal.encoder.ping(1), rehearsal.encoder.metadata({}))
    assert rehearsal.session.next_deadline() == 32.0


def test_a_publisher_that_is_silent_for_too_long_has_ended() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    with pytest.raises(ProtocolError):
        rehearsal.session.check_deadline(20.0)
    rehearsal.drain()
    assert rehearsal.ends == [PublishEnded(clean=False)]


def test_the_time_of_a_decision_is_not_counted_as_silence() -> None:
    rehearsal = Rehearsal().reach(State.DECIDING)
    rehearsal.session.accept(1, 30.0)
    assert rehearsal.session.next_deadline() == 50.0


def test_a_message_that_trickles_in_must_be_complete_within_ten_seconds() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    video = rehearsal.encoder.video(0, KEYFRAME + bytes(10_000))
    rehearsal.feed(video[:100])
    for _ in range(20):
        rehearsal.now += 0.5
        rehearsal.feed(video[:1])
    rehearsal.now += 0.5
    with pytest.raises(ProtocolError, match="unfinished for 10"):
        rehearsal.feed(video[:1])


def test_a_freeze_in_the_middle_of_a_message_is_forgiven() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    video = rehearsal.encoder.video(0, KEYFRAME + bytes(10_000))
    rehearsal.feed(video[:5000])
    rehearsal.now = 19.0
    assert [type(e) for e in rehearsal.feed(video[5000:6000], video[6000:])] == [Media]
