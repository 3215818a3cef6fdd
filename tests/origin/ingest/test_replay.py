"""Real sessions, replayed over TCP against the listener."""

import asyncio

import pytest

from origin.media.coded import MediaKind
from tests.support.captures import HELLO_SIZE, Capture, captures
from tests.support.doors import OpenDoor
from tests.support.encoders import SERVER_HELLO_SIZE
from tests.support.listeners import listening
from tests.support.rtmp_client import RtmpClient, rtmp_client

PLAYED = [capture for capture in captures() if capture.is_played]
REFUSED = [capture for capture in captures() if not capture.is_played]


async def replay(client: RtmpClient, capture: Capture) -> None:
    """Send what the encoder sent, its handshake first."""
    data = capture.read()
    client.writer.write(data[:HELLO_SIZE])
    await client.reader.readexactly(SERVER_HELLO_SIZE)
    client.writer.write(data[HELLO_SIZE:])


@pytest.mark.parametrize("capture", PLAYED, ids=lambda capture: capture.name)
async def test_every_message_and_frame_of_a_playable_session_arrives(capture: Capture) -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await replay(client, capture)
        client.writer.write_eof()
        await client.closed()
    publication = door.publication
    assert publication.ends == [True]
    assert len(publication.headers(MediaKind.VIDEO)) == 1
    assert len(publication.headers(MediaKind.AUDIO)) == 1
    assert len(publication.frames(MediaKind.VIDEO)) == capture.frames
    # One message of each kind is the sequence header; the video's last one ends the sequence.
    assert len(publication.frames(MediaKind.AUDIO)) == capture.audio_messages - 1
    pictures = {at for at, unit in publication.units if unit.track.kind is MediaKind.VIDEO}
    assert max(pictures) == capture.last_video_ms
    assert publication.metadata
    assert listener.counters.bytes_in == len(capture.read())


@pytest.mark.parametrize("capture", REFUSED, ids=lambda capture: capture.name)
async def test_an_enhanced_session_is_refused_with_a_reason(capture: Capture) -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await replay(client, capture)
        reason = await asyncio.wait_for(client.hear("NetStream.Publish.Failed"), 5)
        await asyncio.wait_for(client.closed(), 5)
    assert capture.outcome in reason
    assert "in FFmpeg," in reason
    assert door.publication.ends == [False]
    assert len(door.publication.frames(MediaKind.VIDEO)) <= 1
