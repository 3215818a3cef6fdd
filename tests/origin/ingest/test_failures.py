"""What happens when a publisher's line breaks, hangs or moves: real bytes, real sockets, one clock.

The origin in its process: listener, gate, registry and streams. Media is what FFmpeg 5.1 sent in
a recorded session, whose publish name is the key; grace passes on a clock of the test's.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from origin.auth.keys import StreamKey
from origin.errors import ProtocolError
from origin.hls.rules import Rules
from origin.media.coded import CodedFrame, MediaKind
from origin.rtmp.events import PublishRequested
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Media
from origin.rtmp.session import ServerSession
from origin.streams.reception import Reception
from origin.streams.registry import Registry
from origin.streams.stream import Patience, State, Stream
from tests.support.captures import HELLO_SIZE, captures
from tests.support.clocks import FakeClock
from tests.support.doors import OpenDoor
from tests.support.encoders import SERVER_HELLO_SIZE
from tests.support.gates import GateKeeper
from tests.support.listeners import Listening, listening
from tests.support.pushers import pushing
from tests.support.rtmp_client import RtmpClient, rtmp_client

one_loop = pytest.mark.asyncio(loop_factories=["uvloop"])
CAPTURE = next(capture for capture in captures() if capture.name == "ffmpeg5_h264_aac")
DATA = CAPTURE.read()
KEY = "cap1"  # as the recorded encoder has it
FRAME_S = 0.04
GOODBYE = DATA.rindex(b"FCUnpublish") - 20
MIDDLE_OF_A_GOP = HELLO_SIZE * 2 + (len(DATA) - HELLO_SIZE * 2) * 6 // 10
OTHER_ADDRESS = "127.0.0.2"


@dataclass
class Origin:
    """The parts that a test looks at."""

    listener: Listening
    registry: Registry
    reception: Reception
    clock: FakeClock

    @property
    def stream(self) -> Stream:
        stream = self.registry.find("main")
        assert stream is not None
        return stream

    def playlist(self) -> str:
        session = self.stream.session
        assert session is not None
        resource = session.presentation.main.playlist()
        assert resource is not None
        return b"".join(resource.pieces).decode()

    def seconds(self) -> float:
        lines = self.playlist().splitlines()
        return sum(float(line[8:].split(",")[0]) for line in lines if line.startswith("#EXTINF:"))

    async def until(self, state: State) -> None:
        while self.stream.state is not state:  # noqa: ASYNC110  a test's time-out ends it
            await asyncio.sleep(0.005)

    async def until_read(self, nbytes: int) -> None:
        while self.listener.counters.bytes_in < nbytes:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    clock, epochs = FakeClock(), count()
    gate = GateKeeper([StreamKey("main", KEY), StreamKey("other", "other-2222")], clock).gate
    registry = Registry(
        gate,
        rules=Rules(),
        patience=Patience(grace_s=90),
        clock=clock,
        new_epoch=lambda: f"e{next(epochs)}",
    )
    reception = Reception(registry, gate, clock)
    async with listening(reception) as listener:
        yield Origin(listener, registry, reception, clock)


async def send(client: RtmpClient, until: int = GOODBYE) -> None:
    """What the encoder sent, up to a byte of it."""
    client.writer.write(DATA[:HELLO_SIZE])
    await client.reader.readexactly(SERVER_HELLO_SIZE)
    client.writer.write(DATA[HELLO_SIZE:until])
    await client.writer.drain()


def break_off(client: RtmpClient) -> None:
    """Close the connection by a reset, as a router does that has lost its memory."""
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.reset()


def pictures_in(data: bytes) -> int:
    """How many whole pictures are in the first bytes of a session."""
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    session.receive(memoryview(bytearray(data)), 0.0)
    pictures = 0
    while (event := session.next_event()) is not None:
        if isinstance(event, PublishRequested):
            session.accept(event.request_id, 0.0)
        elif isinstance(event, Media):
            pictures += event.kind is MediaKind.VIDEO and event.body[1] == 1
    return pictures


@one_loop
async def test_a_reset_in_the_middle_of_a_gop_costs_nothing_that_was_whole(origin: Origin) -> None:
    async with rtmp_client(origin.listener.port) as client:
        await send(client, MIDDLE_OF_A_GOP)
        await origin.until_read(MIDDLE_OF_A_GOP)
        break_off(client)
        await origin.until(State.RECONNECTING)
    whole = pictures_in(DATA[:MIDDLE_OF_A_GOP])
    assert whole % 12, "the cut is within a GOP"
    assert origin.seconds() == pytest.approx(whole * FRAME_S, abs=FRAME_S)
    assert "ENDLIST" not in origin.playlist()
    origin.clock.advance(89)
    assert "ENDLIST" not in origin.playlist()
    origin.clock.advance(1.5)
    assert origin.playlist().endswith("#EXT-X-ENDLIST\n")


@one_loop
async def test_who_is_back_within_grace_from_another_address_goes_on(origin: Origin) -> None:
    async with rtmp_client(origin.listener.port) as first:
        await send(first, MIDDLE_OF_A_GOP)
        await origin.until_read(MIDDLE_OF_A_GOP)
        break_off(first)
        await origin.until(State.RECONNECTING)
    before, session = origin.playlist(), origin.stream.session
    origin.clock.advance(60)
    async with rtmp_client(origin.listener.port, local=OTHER_ADDRESS) as second:
        await send(second)
        await origin.until_read(MIDDLE_OF_A_GOP + GOODBYE)
        await origin.until(State.LIVE)
        break_off(second)
        await origin.until(State.RECONNECTING)
    after = origin.playlist()
    assert origin.stream.session is session
    uris = [line for line in before.splitlines() if line.endswith(".m4s")]
    assert [line for line in after.splitlines() if line.endswith(".m4s")][: len(uris)] == uris
    assert sequence_of(after) == sequence_of(before)
    assert after.count("#EXT-X-DISCONTINUITY\n") == 1
    assert {attempt.address for attempt in origin.reception.attempts} == {
        "127.0.0.1",
        OTHER_ADDRESS,
    }


def sequence_of(playlist: str) -> str:
    return next(line for line in playlist.splitlines() if "MEDIA-SEQUENCE" in line)


@one_loop
async def test_the_same_key_takes_over_while_the_old_connection_hangs(origin: Origin) -> None:
    async with (
        rtmp_client(origin.listener.port) as hanging,
        rtmp_client(origin.listener.port, local=OTHER_ADDRESS) as second,
    ):
        await send(hanging, MIDDLE_OF_A_GOP)
        await origin.until_read(MIDDLE_OF_A_GOP)
        await send(second)
        await second.hear("NetStream.Publish.Start")
        told = await hanging.hear("NetStream.Publish.Rejected")
        assert "replaced by a newer connection" in told
        await hanging.closed()
        await origin.until_read(MIDDLE_OF_A_GOP + GOODBYE)
        await origin.until(State.LIVE)
        assert origin.playlist().count("#EXT-X-DISCONTINUITY\n") == 1
    assert origin.clock.now == 0.0, "nobody had to wait"


@one_loop
async def test_a_wrong_key_is_told_so_and_the_publisher_is_not_disturbed(origin: Origin) -> None:
    async with (
        rtmp_client(origin.listener.port) as publisher,
        rtmp_client(origin.listener.port) as intruder,
    ):
        await send(publisher, MIDDLE_OF_A_GOP)
        await publisher.hear("NetStream.Publish.Start")
        await intruder.begin("cap2-7f3k-92qd-x4mv")
        assert "unknown stream key" in await intruder.hear("NetStream.Publish.BadName")
        await intruder.closed()
        publisher.writer.write(DATA[MIDDLE_OF_A_GOP:])
        await origin.until(State.ENDED)
    assert origin.seconds() == pytest.approx(CAPTURE.frames * FRAME_S, abs=FRAME_S)
    assert "#EXT-X-DISCONTINUITY\n" not in origin.playlist()


@pytest.mark.parametrize("silent_s", [1.5, 9.9, 11.0, 19.9])
@pytest.mark.parametrize("share", [3, 5, 7, 9])
def test_a_freeze_of_less_than_twenty_seconds_loses_nothing(silent_s: float, share: int) -> None:
    cut = len(DATA) * share // 10
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    units = 0
    for piece, now in ((DATA[:cut], 0.0), (DATA[cut:], silent_s)):
        session.check_deadline(now)
        session.receive(memoryview(bytearray(piece)), now)
        while (event := session.next_event()) is not None:
            if isinstance(event, PublishRequested):
                session.accept(event.request_id, now)
            units += isinstance(event, Media)
        session.keep()
    assert units == CAPTURE.audio_messages + CAPTURE.video_messages
    assert session.state.name == "ENDED"


def test_a_freeze_of_more_ends_the_publish_and_not_cleanly() -> None:
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    session.receive(memoryview(bytearray(DATA[:MIDDLE_OF_A_GOP])), 0.0)
    while (event := session.next_event()) is not None:
        if isinstance(event, PublishRequested):
            session.accept(event.request_id, 0.0)
    with pytest.raises(ProtocolError, match="too long in state LIVE"):
        session.check_deadline(20.1)
    ended = session.next_event()
    assert ended is not None
    assert not isinstance(ended, Media)
    assert session.next_event() is None


@one_loop
async def test_an_ffmpeg_that_freezes_and_goes_on_loses_no_frame() -> None:
    door = OpenDoor()
    async with (
        listening(door) as listener,
        pushing(listener.url("key"), sound=None, seconds=3) as pusher,
    ):
        await door.entered.wait()
        await door.publication.pushed.wait()
        pusher.freeze()
        read = -1
        while read != listener.counters.bytes_in:  # what was under way has come in
            read = listener.counters.bytes_in
            await asyncio.sleep(0.2)
        pusher.thaw()
        assert await pusher.finished() == 0, pusher.log()
        await door.publication.over.wait()
    frames = [unit for _, unit in door.publication.units if isinstance(unit, CodedFrame)]
    assert len(frames) == 3 * 30
    assert door.publication.ends == [True]
