import pytest

from origin.errors import ProtocolError
from origin.media.coded import MediaKind
from origin.rtmp.amf0 import AmfValue, encode
from origin.rtmp.events import PublishRequested, TurnSpent
from origin.rtmp.limits import KIB, Limits
from origin.rtmp.messages import Media, Metadata, Type
from origin.rtmp.session import State
from tests.support.captures import captures
from tests.support.encoders import Encoder
from tests.support.sessions import Rehearsal


def test_before_a_publish_is_accepted_messages_are_short() -> None:
    rehearsal = Rehearsal().reach(State.IDLE)
    with pytest.raises(ProtocolError, match="at most 16384 here"):
        rehearsal.feed(rehearsal.encoder.message(20, bytes(16 * KIB + 1)))


@pytest.mark.parametrize("state", [State.IDLE, State.LIVE], ids=lambda state: state.name)
def test_before_a_publish_is_accepted_little_is_kept_of_unfinished_messages(state: State) -> None:
    rehearsal = Rehearsal().reach(state)
    rehearsal.feed(rehearsal.encoder.message(1, (12 * KIB).to_bytes(4), stream=0))
    begun = Encoder(chunk_size=12 * KIB).message(20, bytes(15 * KIB))[: 12 + 12 * KIB]
    torn = [bytes((stream,)) + begun[1:] for stream in (10, 11, 12)]
    if state is State.LIVE:
        assert rehearsal.feed(*torn) == []
        return
    with pytest.raises(ProtocolError, match="bytes in unfinished messages"):
        rehearsal.feed(*torn)


def test_metadata_is_bounded_even_where_media_may_be_long() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    with pytest.raises(ProtocolError, match="bytes in one metadata: at most 524288"):
        rehearsal.feed(rehearsal.encoder.message(18, bytes(512 * KIB + 1)))
    rehearsal = Rehearsal().reach(State.LIVE)
    with pytest.raises(ProtocolError, match="bytes in one command: at most 16384"):
        rehearsal.feed(rehearsal.encoder.message(20, bytes(16 * KIB + 1)))


def test_before_a_publish_is_accepted_data_is_bounded_as_commands_are() -> None:
    values: dict[str, AmfValue] = {f"{number:04x}": None for number in range(300)}
    rehearsal = Rehearsal().reach(State.IDLE)
    with pytest.raises(ProtocolError, match=r"command: at most 256 \(limits.command_values\)"):
        rehearsal.feed(rehearsal.encoder.metadata(values))
    rehearsal = Rehearsal().reach(State.LIVE)
    assert Metadata(values) in rehearsal.feed(rehearsal.encoder.metadata(values))
    rehearsal.feed(rehearsal.encoder.goodbye())
    rehearsal.feed(rehearsal.encoder.metadata(values))
    assert rehearsal.session.state is State.ENDED


def test_a_turn_ends_after_a_bounded_number_of_chunks() -> None:
    rehearsal = Rehearsal().reach(State.IDLE)
    nothing = b"\x03\0\0\0\0\0\0\x63\0\0\0\0" + b"\xc3" * 2000  # empty messages of an unknown type
    rehearsal.feed(nothing)
    assert rehearsal.events == [TurnSpent()] * (2001 * 3 // 512)  # 2 for looking at each


@pytest.mark.parametrize(
    ("flood", "turns"),
    [
        pytest.param(Encoder().ping(1) * 1000, 22, id="pings: 3, and 8 for the answer"),
        pytest.param(Encoder().create_stream() * 1000, 34, id="createStream: 6 more of its values"),
        pytest.param(
            Encoder().command("releaseStream", {f"{n:02x}": None for n in range(250)}) * 100,
            50,
            id="two commands of 250 keys, with 10 chunks each",
        ),
    ],
)
def test_what_a_stranger_asks_for_costs_turns(flood: bytes, turns: int) -> None:
    rehearsal = Rehearsal().reach(State.IDLE)
    events = rehearsal.feed(flood)
    assert set(events) == {TurnSpent()}
    assert turns * 0.9 < len(events) < turns * 1.1


def test_small_reads_cost_a_stranger_as_many_turns_as_a_large_one() -> None:
    pings = [Encoder().ping(1)] * 1000
    at_once, one_by_one = [Rehearsal().reach(State.IDLE) for _ in range(2)]
    assert at_once.feed(b"".join(pings)) == one_by_one.feed(*pings) != []


def test_who_is_live_has_a_new_turn_at_each_read() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    assert rehearsal.feed(*[Encoder().ping(1)] * 1000) == []


def test_all_that_encoders_say_before_they_publish_is_less_than_half_a_turn() -> None:
    for capture in captures():
        limits = Limits(chunks_per_turn=Limits().chunks_per_turn // 2)
        rehearsal = Rehearsal(limits, accepts=False)
        rehearsal.feed(capture.read()[: 32 * KIB])
        assert [type(event) for event in rehearsal.events] == [PublishRequested], capture.name


def test_a_turn_ends_after_metadata_full_of_values() -> None:
    rehearsal = Rehearsal().reach(State.LIVE)
    nothing = b"\x0a" + (900).to_bytes(4) + b"\x05" * 900
    words = rehearsal.encoder.message(Type.AMF0_DATA, encode("onMetaData") + nothing)
    assert rehearsal.feed(words * 9) == ([Metadata({})] * 3 + [TurnSpent()]) * 3


def test_a_turn_ends_within_an_aggregate_and_nothing_of_it_is_lost() -> None:
    limits = Limits(chunks_per_turn=10)
    rehearsal = Rehearsal(limits).reach(State.LIVE)
    unknown = b"\x63\0\0\0\0\0\0\0\0\0\0" + bytes(4)
    video = b"\x09\0\0\x01\0\0\0\0\0\0\0v" + bytes(4)
    events = rehearsal.feed(rehearsal.encoder.message(22, unknown * 25 + video))
    assert Media(MediaKind.VIDEO, 0, b"v") in events
    assert events.count(TurnSpent()) >= 2


def test_what_comes_after_the_end_is_not_kept() -> None:
    rehearsal = Rehearsal().reach(State.CLOSING)
    assert rehearsal.feed(rehearsal.encoder.video(0), b"\xff" * 1000) == []
