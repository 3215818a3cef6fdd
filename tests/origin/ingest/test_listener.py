import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from origin.errors import MediaError
from origin.ingest.settings import IngestSettings
from origin.media.coded import CodedFrame, MediaKind
from origin.rtmp.limits import MIB, Limits
from origin.streams.door import PublishRequest
from tests.support.doors import BrokenDoor, ClosedDoor, OpenDoor, RecordedPublication, SlowDoor
from tests.support.encoders import (
    AAC_FRAME,
    AAC_HEADER,
    AVC_HEADER,
    ECHO,
    HELLO,
    KEYFRAME,
)
from tests.support.listeners import listening
from tests.support.rtmp_client import RtmpClient, rtmp_client

STARTED = "NetStream.Publish.Start"
BAD_NAME = "NetStream.Publish.BadName"
REJECTED = "NetStream.Publish.Rejected"
FAILED = "NetStream.Publish.Failed"


async def send_two_frames(client: RtmpClient) -> None:
    encoder = client.encoder
    client.writer.write(encoder.video(0, AVC_HEADER) + encoder.audio(0, AAC_HEADER))
    client.writer.write(encoder.video(0) + encoder.audio(21))
    await client.writer.drain()


async def test_a_publish_is_let_in_and_its_media_goes_to_the_publication() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin("key?token=abc")
        await client.hear(STARTED)
        await send_two_frames(client)
        client.writer.write(client.encoder.metadata({"width": 320.0}))
        client.writer.write(client.encoder.goodbye())
        await door.publication.over.wait()
    publication, request = door.publication, door.publication.request
    assert (request.app, request.name, request.query) == ("live", "key", "token=abc")
    assert (request.encoder, request.tc_url) == ("FMLE/3.0 (test)", "rtmp://127.0.0.1/live")
    assert request.peer.startswith("127.0.0.1:")
    assert [at for at, _ in publication.units] == [0, 0, 0, 21]
    assert publication.frames(MediaKind.VIDEO)[0].payload == KEYFRAME[5:]
    assert publication.frames(MediaKind.AUDIO)[0].payload == AAC_FRAME[2:]
    assert publication.metadata == [{"width": 320.0}]
    assert publication.ends == [True]


async def test_a_refused_publisher_reads_the_reason_and_is_closed() -> None:
    door = ClosedDoor("No such key.")
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin("secret?token=hidden")
        assert await client.hear(BAD_NAME) == "No such key."
        await client.closed()
    assert STARTED not in client.statuses()
    assert listener.counters.refused == 1


async def test_a_publisher_that_goes_on_sending_still_reads_the_reason() -> None:
    door = ClosedDoor("No such key.")
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        for at in range(200):
            client.writer.write(client.encoder.video(at, KEYFRAME + bytes(10_000)))
        assert await client.hear(BAD_NAME) == "No such key."
        await client.closed()


async def test_the_key_is_in_no_log_line() -> None:
    with capture_logs() as lines:
        for door in (ClosedDoor("No."), OpenDoor(), BrokenDoor()):
            async with listening(door) as listener, rtmp_client(listener.port) as client:
                await client.begin("5ecret?token=h1dden")
                await client.hear({ClosedDoor: BAD_NAME, OpenDoor: STARTED}.get(type(door), FAILED))
    assert {line["event"] for line in lines} >= {"publish refused", "publish accepted"}
    assert "5ecret" not in repr(lines)
    assert "h1dden" not in repr(lines)


async def test_nothing_more_is_read_while_the_door_decides() -> None:
    door = SlowDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await door.asked.wait()
        before = listener.counters.bytes_in
        for at in range(64):
            client.writer.write(client.encoder.video(at, KEYFRAME + bytes(MIB // 8)))
        for _ in range(20):
            await asyncio.sleep(0)
        assert listener.counters.bytes_in - before <= 256 * 1024
        door.may_open.set()
        await client.writer.drain()
        client.writer.write(client.encoder.goodbye())
        await door.entered.wait()
        await door.publication.over.wait()
    assert len(door.publication.frames(MediaKind.VIDEO)) == 64
    assert door.publication.ends == [True]


async def test_a_publisher_that_leaves_during_the_decision_is_ended_once() -> None:
    door = SlowDoor()
    async with listening(door) as listener:
        async with rtmp_client(listener.port) as client:
            await client.begin()
            await door.asked.wait()
        door.may_open.set()
        await door.entered.wait()
    assert door.publication.ends == [False]


async def test_a_door_that_breaks_tells_the_publisher_nothing_of_its_insides() -> None:
    async with listening(BrokenDoor()) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        reason = await client.hear(FAILED)
        assert reason == "The server failed: try again."


async def test_nobody_is_let_in_while_something_has_run_out() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        listener.listener.refuse_publishers_when(lambda: "Short of memory: try again later.")
        await client.begin()
        assert await client.hear(FAILED) == "Short of memory: try again later."
        await client.closed()
    assert door.publications == []


async def test_a_door_that_does_not_answer_is_not_waited_for_for_ever() -> None:
    settings = IngestSettings(decision_s=0.05)
    async with listening(SlowDoor(), settings) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        assert await client.hear(FAILED) == "The server is busy: try again."


async def test_a_publisher_that_is_replaced_is_told_and_ended_once() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        await send_two_frames(client)
        await door.publication.pushed.wait()
        door.publication.close("Another encoder took over.")
        assert await client.hear(REJECTED) == "Another encoder took over."
        await client.closed()
    assert door.publication.ends == [False]


async def test_a_stream_may_change_its_mind_before_the_door_has_opened() -> None:
    class Hesitant(OpenDoor):
        async def publish(
            self, request: PublishRequest, on_closed: Callable[[str], None]
        ) -> RecordedPublication:
            on_closed("Not today.")
            return await super().publish(request, on_closed)

    door = Hesitant()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        assert await client.hear(REJECTED) == "Not today."
    assert door.publication.ends == [False]


async def test_a_stream_may_send_its_publisher_away_from_within_a_push() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        publication = door.publication
        publication.push = lambda at, unit: publication.close("Too much.")  # type: ignore[method-assign]  # a stream with a quota
        await send_two_frames(client)
        assert await client.hear(REJECTED) == "Too much."
    assert publication.ends == [False]


async def test_media_that_cannot_be_packaged_ends_the_publish_with_the_reason() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        door.publication.bug = MediaError("Interlaced video: set the encoder to progressive.")
        await send_two_frames(client)
        assert await client.hear(FAILED) == str(door.publication.bug)
        await client.closed()
    assert door.publication.ends == [False]
    assert door.publication.units == []


async def test_a_bug_of_the_stream_costs_its_own_connection_and_no_other() -> None:
    door = OpenDoor()
    async with (
        listening(door) as listener,
        rtmp_client(listener.port) as unlucky,
        rtmp_client(listener.port) as lucky,
    ):
        for client in (unlucky, lucky):
            await client.begin()
            await client.hear(STARTED)
        broken, whole = door.publications
        broken.bug = ZeroDivisionError("a bug")
        with capture_logs() as lines:
            await send_two_frames(unlucky)
            await unlucky.closed()
            await broken.over.wait()
        await send_two_frames(lucky)
        await whole.pushed.wait()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "connection closed: its stream broke"
    ]
    assert broken.ends == whole.ends == [False]


async def test_a_reset_ends_the_publish_after_the_frames_that_were_whole() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        await send_two_frames(client)
        client.writer.write(client.encoder.video(40, KEYFRAME + bytes(5000))[:3000])
        await client.writer.drain()
        await door.publication.pushed.wait()
        client.reset()
        await door.publication.over.wait()
    frames = [unit for _, unit in door.publication.units if isinstance(unit, CodedFrame)]
    assert len(frames) == 2
    assert door.publication.ends == [False]


async def test_a_protocol_error_closes_the_connection_and_ends_the_publish() -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        client.writer.write(client.encoder.connect())
        await client.closed()
        await door.publication.over.wait()
    assert door.publication.ends == [False]


@pytest.mark.parametrize(
    ("limits", "greeting"),
    [
        pytest.param(Limits(handshake_s=0.05), b"", id="says nothing"),
        pytest.param(Limits(handshake_s=0.05), b"\x03", id="begins a handshake"),
        pytest.param(Limits(), b"GET / HTTP/1.1\r\n\r\n", id="speaks HTTP"),
    ],
)
async def test_who_does_not_speak_rtmp_is_closed(limits: Limits, greeting: bytes) -> None:
    settings = IngestSettings(limits=limits)
    async with listening(OpenDoor(), settings) as listener, rtmp_client(listener.port) as client:
        client.writer.write(greeting)
        await client.closed()


async def test_a_publisher_that_falls_silent_is_closed_and_ended() -> None:
    door, settings = OpenDoor(), IngestSettings(limits=Limits(silence_s=0.1))
    async with listening(door, settings) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await send_two_frames(client)  # at once: they are there before the silence is counted
        await client.hear(STARTED)
        await client.closed()
        await door.publication.over.wait()
    assert len(door.publication.units) == 4
    assert door.publication.ends == [False]


async def test_a_peer_that_ignores_its_refusal_is_cut_off() -> None:
    door, settings = ClosedDoor("No."), IngestSettings(limits=Limits(closing_s=0.05))
    async with listening(door, settings) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.closed()
        with pytest.raises(ConnectionError):
            await client.write_until_broken(client.encoder.video(0))


async def test_strangers_of_one_address_are_bounded_and_publishers_do_not_count() -> None:
    settings = IngestSettings(strangers_per_address=2)
    async with (
        listening(OpenDoor(), settings) as listener,
        rtmp_client(listener.port) as first,
        rtmp_client(listener.port) as second,
        rtmp_client(listener.port) as third,
    ):
        await first.shake_hands()
        await second.shake_hands()
        await third.closed()
        assert third.heard == b""
        assert (listener.counters.accepted, listener.counters.refused) == (3, 1)
        first.publish()
        await first.hear(STARTED)
        async with rtmp_client(listener.port) as fourth:
            await fourth.shake_hands()


async def test_a_peer_that_never_reads_is_cut_off_at_the_bound() -> None:
    settings = IngestSettings(write_buffer_bytes=64 * 1024)
    async with listening(OpenDoor(), settings) as listener, rtmp_client(listener.port) as client:
        client.writer.write(HELLO + ECHO + client.encoder.connect())
        pings = client.encoder.ping(1) * 10_000  # again and again, whatever the kernels hold
        with pytest.raises(ConnectionError):
            await client.write_until_broken(pings)


async def test_a_flood_of_empty_messages_leaves_the_loop_its_turns() -> None:
    door, settings = OpenDoor(), IngestSettings(limits=Limits(chunks_per_turn=100))
    async with listening(door, settings) as listener, rtmp_client(listener.port) as client:
        await client.begin()
        await client.hear(STARTED)
        flood = client.encoder.message(99, b"") + b"\xc3" * 100_000
        turns, before = 0, listener.counters.bytes_in
        client.writer.write(flood + client.encoder.goodbye())
        while not door.publication.over.is_set():
            await asyncio.sleep(0)
            turns += listener.counters.bytes_in > before
    assert turns >= 100_000 // 100


async def test_closing_the_listener_tells_publishers_and_drops_strangers() -> None:
    door = OpenDoor()
    async with (
        listening(door) as listener,
        rtmp_client(listener.port) as publisher,
        rtmp_client(listener.port) as stranger,
    ):
        await publisher.begin()
        await publisher.hear(STARTED)
        await stranger.shake_hands()
        closing = asyncio.create_task(listener.listener.close())
        assert await publisher.hear(REJECTED) == "The server is shutting down."
        await publisher.closed()
        await stranger.closed()
        publisher.reset()
        await closing
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", listener.port)
    assert door.publication.ends == [False]
    assert listener.counters.open == 0


async def test_who_can_reconnect_is_asked_to_before_the_end() -> None:
    async with listening(OpenDoor()) as listener, rtmp_client(listener.port) as client:
        await client.shake_hands()
        encoder = client.encoder
        client.writer.write(encoder.command("connect", 1.0, {"app": "live", "capsEx": 1.0}))
        client.writer.write(encoder.publish())
        await client.hear(STARTED)
        listener.listener.ask_to_reconnect("Going.")
        assert await client.hear("NetConnection.Connect.ReconnectRequest") == "Going."


async def test_counters_count() -> None:
    door = OpenDoor()
    async with listening(door) as listener:
        async with rtmp_client(listener.port) as client:
            await client.begin()
            await client.hear(STARTED)
            assert (listener.counters.accepted, listener.counters.open) == (1, 1)
        await door.publication.over.wait()
        assert listener.counters.bytes_in > 3073
