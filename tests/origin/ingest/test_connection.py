"""What the network seldom does on command: a connection whose other end is the test."""

import asyncio
import socket
from itertools import count

import pytest

from origin.errors import MediaError
from origin.ingest.connection import EVENTS_PER_TURN, Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Shared
from origin.media.coded import Coded, MediaKind
from tests.support.doors import OpenDoor, SlowDoor
from tests.support.encoders import ECHO, HELLO, Encoder
from tests.support.transports import NONCE, FakeBeat, FakeTransport, Wire

pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])  # no loop's transport is used here


def greeting(encoder: Encoder) -> bytes:
    return HELLO + ECHO + encoder.connect() + encoder.publish()


async def live(door: OpenDoor) -> tuple[Wire, Encoder]:
    wire, encoder = Wire(door), Encoder()
    wire.deliver(greeting(encoder))
    await door.entered.wait()
    await asyncio.sleep(0)
    return wire, encoder


async def test_a_peer_that_is_lost_during_the_decision_is_never_let_in() -> None:
    door = SlowDoor()
    wire = Wire(door)
    wire.deliver(greeting(Encoder()))
    await door.asked.wait()
    wire.lose()
    assert not wire.connection.gone.done()
    door.may_open.set()
    await wire.connection.gone
    assert door.publication.ends == [False]
    assert b"NetStream.Publish.Start" not in wire.transport.written
    assert wire.shared.counters.open == 0


async def test_what_was_received_before_the_loss_is_still_handed_on() -> None:
    door = OpenDoor()
    wire, encoder = await live(door)
    many = 3 * EVENTS_PER_TURN + 5
    wire.deliver(b"".join(encoder.audio(at) for at in range(many)))
    wire.lose()
    assert door.publication.ends == []
    await wire.connection.gone
    assert len(door.publication.frames(MediaKind.AUDIO)) == many
    assert door.publication.ends == [False]


async def test_a_goodbye_received_before_the_loss_is_still_a_clean_end() -> None:
    door = OpenDoor()
    wire, encoder = await live(door)
    media = b"".join(encoder.audio(at) for at in range(EVENTS_PER_TURN))
    wire.deliver(media + encoder.goodbye())
    wire.lose()
    await wire.connection.gone
    assert door.publication.ends == [True]


async def test_nothing_is_read_until_the_last_turn_is_taken() -> None:
    wire, encoder = await live(OpenDoor())
    wire.deliver(b"".join(encoder.audio(at) for at in range(2 * EVENTS_PER_TURN)))
    wire.transport.socket.arrived = encoder.audio(2 * EVENTS_PER_TURN)
    is_waiting: list[bool] = []
    for _ in range(4):
        wire.connection.on_beat()
        is_waiting.append(bool(wire.transport.socket.arrived))
        await asyncio.sleep(0)
    assert is_waiting == [True, True, False, False]
    wire.lose()


async def test_the_end_of_a_live_connection_is_left_to_the_transport() -> None:
    wire, _ = await live(OpenDoor())
    assert wire.connection in wire.beat.readers
    assert not wire.transport.reads
    wire.transport.socket.has_ended = True
    wire.connection.on_beat()
    assert wire.connection not in wire.beat.readers
    assert wire.transport.reads
    wire.lose()


async def test_a_farewell_to_a_peer_that_has_reset_breaks_nothing() -> None:
    door = OpenDoor()
    wire, _ = await live(door)
    wire.transport.is_reset = True
    door.publication.close("Another encoder took over.")
    await door.publication.over.wait()
    assert wire.transport.is_aborted
    wire.lose()
    await wire.connection.gone
    assert door.publication.ends == [False]


async def test_a_farewell_is_written_and_followed_by_our_fin() -> None:
    door = OpenDoor()
    wire, _ = await live(door)
    door.publication.close("Another encoder took over.")
    await door.publication.over.wait()
    assert b"Another encoder took over." in wire.transport.written
    assert wire.transport.has_eof
    assert not wire.transport.is_aborted
    wire.lose()


async def test_reads_are_acknowledged_at_once_until_the_publish_begins() -> None:
    wire, encoder = Wire(OpenDoor()), Encoder()
    at_once = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    wire.deliver(HELLO)
    wire.deliver(ECHO)
    assert wire.transport.socket.options == [at_once] * 2
    wire.deliver(encoder.connect() + encoder.publish())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    wire.deliver(encoder.audio(0))
    assert wire.transport.socket.options == [at_once] * 3
    wire.lose()


async def test_an_address_of_ipv6_is_written_with_brackets() -> None:
    door = OpenDoor()
    wire, _ = await live(door)
    assert door.publication.request.peer == "[2001:db8::7]:5000"
    wire.lose()


async def test_a_peer_that_left_before_it_was_accepted_breaks_nothing() -> None:
    shared = Shared(OpenDoor(), IngestSettings(), Counters())
    connection = Connection(shared, NONCE)
    connection.connection_made(FakeTransport(peername=None))
    connection.connection_lost(None)
    assert connection.gone.done()
    assert shared.counters.open == 0


async def test_a_push_that_closes_and_then_complains_ends_once() -> None:
    door = OpenDoor()
    wire, encoder = await live(door)
    publication = door.publication

    def close_and_complain(at: int, unit: Coded) -> None:
        publication.close("Too much.")
        raise MediaError("And not playable.")

    publication.push = close_and_complain  # type: ignore[method-assign]  # a stream with a temper
    wire.deliver(encoder.audio(0))
    await publication.over.wait()
    assert b"Too much." in wire.transport.written
    assert b"And not playable." not in wire.transport.written
    assert publication.ends == [False]
    wire.lose()


# Turns.


async def test_a_live_publisher_who_makes_much_work_gives_the_loop_back_after_each_piece() -> None:
    door = OpenDoor()
    wire, encoder = await live(door)
    seconds = count()
    wire.shared.stopwatch = lambda: float(next(seconds))
    wire.deliver(b"".join(encoder.audio(at) for at in range(4)))
    seen: list[int] = []
    for _ in range(5):
        seen.append(len(door.publication.frames(MediaKind.AUDIO)))
        await asyncio.sleep(0)
    assert seen == [1, 2, 3, 4, 4]
    wire.lose()


class Flooder:
    """One who asks for more than a turn allows, and never stops."""

    def __init__(self, shared: Shared) -> None:
        self.wire = Wire(shared.door, shared=shared)
        self.wire.deliver(HELLO + ECHO + Encoder().connect())
        self.heard()
        self.wire.deliver(Encoder().ping(1) * 10_000)

    def heard(self) -> int:
        """Bytes of answers since it was last asked."""
        heard = len(self.wire.transport.written)
        self.wire.transport.written = b""
        return heard


async def test_who_has_been_let_in_does_not_stand_with_the_strangers_any_more() -> None:
    door, seconds = OpenDoor(), count()
    shared = Shared(door, IngestSettings(stranger_turns_per_s=1), Counters(), FakeBeat())
    flooder, wire, encoder = Flooder(shared), Wire(door, shared=shared), Encoder()
    flooder.heard()
    for _ in range(3):  # its turn comes, after which nobody has one for a second
        await asyncio.sleep(0)
    assert flooder.heard()
    shared.stopwatch = lambda: float(next(seconds))  # to ask for the publish is a long turn
    wire.deliver(greeting(encoder))
    assert len(shared.queue) == 2
    await door.entered.wait()
    await asyncio.sleep(0)
    assert len(shared.queue) == 1
    wire.deliver(b"".join(encoder.audio(at) for at in range(5)))
    wire.lose()
    await wire.connection.gone
    assert len(door.publication.frames(MediaKind.AUDIO)) == 5
    flooder.wire.lose()


async def test_strangers_together_have_one_further_turn_at_a_time() -> None:
    shared = Shared(OpenDoor(), IngestSettings(stranger_turns_per_s=1000), Counters(), FakeBeat())
    flooders = [Flooder(shared) for _ in range(5)]
    assert all(flooder.heard() for flooder in flooders)  # the first turn is at once
    served: list[int] = []
    while len(served) < 10:
        await asyncio.sleep(0)
        answered = [bool(flooder.heard()) for flooder in flooders]
        assert sum(answered) <= 1
        served += [answered.index(True)] if any(answered) else []
    assert served == [0, 1, 2, 3, 4] * 2
    assert not any(flooder.wire.transport.reads for flooder in flooders)
    for flooder in flooders:
        flooder.wire.lose()
    assert len(shared.queue) == 0
    assert all(flooder.wire.connection.gone.done() for flooder in flooders)


async def test_a_publisher_passes_the_strangers_who_wait() -> None:
    shared = Shared(OpenDoor(), IngestSettings(stranger_turns_per_s=1), Counters(), FakeBeat())
    flooders = [Flooder(shared) for _ in range(40)]
    wire = Wire(shared.door, shared=shared)
    wire.deliver(greeting(Encoder()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b"NetStream.Publish.Start" in wire.transport.written
    for each in (wire, *(flooder.wire for flooder in flooders)):
        each.lose()
