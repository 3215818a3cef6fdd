"""A player on a connection: let in, shown the stream, bounded."""

import asyncio
from itertools import count

import pytest

from origin.ingest.player import BACKLOG_BYTES
from origin.ingest.settings import IngestSettings
from origin.media.coded import VIDEO_TRACK, Codec, CodedFrame, MediaKind
from origin.media.timebase import Millis
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type
from origin.streams.audience import Audience
from tests.support.doors import OpenDoor
from tests.support.encoders import ECHO, HELLO, KEYFRAME, SERVER_HELLO_SIZE, Encoder, read_replies
from tests.support.transports import Wire

pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])  # no loop's transport is used here


class Theatre:
    """A connection, and the stream ``main`` that can be watched on it."""

    def __init__(self, settings: IngestSettings | None = None) -> None:
        self.audience = Audience()
        self.wire = Wire(OpenDoor(), settings)
        self.wire.shared.audience_of = {"main": self.audience}.get
        self.encoder = Encoder()

    def ask(self, name: str = "main") -> None:
        self.wire.deliver(HELLO + ECHO + self.encoder.connect() + self.encoder.play(name))

    def film(self, at: int, *, key: bool = True) -> None:
        unit = CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(0), key, KEYFRAME[5:])
        self.audience.take(MediaKind.VIDEO, at, KEYFRAME, (unit,))

    @property
    def shown(self) -> list[int]:
        """The times of the pictures that were sent."""
        replies = read_replies(self.wire.transport.written[SERVER_HELLO_SIZE:])
        return [reply.timestamp for reply in replies if reply.type_id == Type.VIDEO]


async def test_a_player_is_shown_what_there_is_and_what_comes() -> None:
    theatre = Theatre()
    theatre.film(0)
    theatre.ask()
    theatre.film(40)
    theatre.audience.describe({"width": 320.0})
    assert b"NetStream.Play.Start" in theatre.wire.transport.written
    assert b"onMetaData" in theatre.wire.transport.written
    assert theatre.shown == [0, 40]
    assert theatre.wire.shared.counters.players == 1
    theatre.wire.lose()
    assert theatre.wire.shared.counters.players == 0
    assert len(theatre.audience) == 0


async def test_a_name_that_nobody_publishes_is_not_found() -> None:
    theatre = Theatre()
    theatre.ask("other")
    assert b"NetStream.Play.StreamNotFound" in theatre.wire.transport.written
    assert theatre.wire.transport.has_eof
    theatre.wire.lose()


async def test_there_are_only_so_many_players() -> None:
    theatre = Theatre(IngestSettings(players=0))
    theatre.ask()
    assert b"Too many players" in theatre.wire.transport.written
    assert theatre.wire.shared.counters.players == 0
    theatre.wire.lose()


async def test_a_player_that_stops_may_play_again() -> None:
    theatre = Theatre()
    theatre.ask()
    theatre.wire.deliver(theatre.encoder.command("closeStream", 0.0, None, stream=1))
    assert theatre.wire.shared.counters.players == 0
    theatre.film(0)
    assert theatre.shown == []
    theatre.wire.deliver(theatre.encoder.play())
    assert theatre.shown == [0]
    theatre.wire.lose()


async def test_when_the_publisher_leaves_the_player_is_told_and_let_go() -> None:
    theatre = Theatre()
    theatre.ask()
    theatre.audience.end("The publisher has left.")
    assert b"NetStream.Play.UnpublishNotify" in theatre.wire.transport.written
    assert theatre.wire.transport.is_aborted  # closed, once all is sent
    theatre.wire.lose()
    assert theatre.wire.shared.counters.players == 0


async def test_a_slow_player_misses_pictures_up_to_a_keyframe_and_holds_nobody_up() -> None:
    theatre = Theatre()
    theatre.ask()
    theatre.film(0)
    theatre.wire.transport.waiting_bytes = BACKLOG_BYTES + 1
    theatre.film(40)
    theatre.wire.transport.waiting_bytes = 0
    theatre.film(80, key=False)
    theatre.film(120)
    theatre.film(160, key=False)
    assert theatre.shown == [0, 120, 160]
    theatre.wire.lose()


async def test_a_slow_player_is_told_no_metadata_either() -> None:
    theatre = Theatre()
    theatre.ask()
    theatre.wire.transport.waiting_bytes = BACKLOG_BYTES + 1
    theatre.audience.describe({"width": 320.0})
    assert b"onMetaData" not in theatre.wire.transport.written
    theatre.wire.lose()


async def test_who_plays_over_and_over_waits_with_the_strangers() -> None:
    theatre = Theatre(IngestSettings(stranger_turns_per_s=1))
    seconds = count()
    theatre.wire.shared.stopwatch = lambda: float(next(seconds))  # each event is a long one
    stop = theatre.encoder.command("closeStream", 0.0, None, stream=1)
    theatre.ask()
    theatre.film(0)
    replay = stop + theatre.encoder.play()
    assert len(theatre.wire.shared.queue) == 1
    assert theatre.shown == [0]
    theatre.wire.connection.on_turn()
    theatre.wire.deliver(replay * 10)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(theatre.shown) <= 2
    assert len(theatre.wire.shared.queue) == 1
    theatre.wire.lose()


async def test_a_player_that_takes_nothing_is_let_go_of() -> None:
    theatre = Theatre(IngestSettings(limits=Limits(silence_s=0.0)))
    theatre.ask()
    theatre.wire.transport.waiting_bytes = BACKLOG_BYTES + 1
    theatre.film(0)
    await asyncio.sleep(0)
    theatre.film(40)
    assert theatre.wire.transport.is_aborted
    theatre.wire.lose()
