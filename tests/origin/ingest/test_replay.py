"""Real sessions, replayed over TCP against the listener."""

import pytest

from origin.media.coded import MediaKind
from tests.support.captures import HELLO_SIZE, Capture, captures
from tests.support.doors import OpenDoor
from tests.support.encoders import SERVER_HELLO_SIZE
from tests.support.listeners import listening
from tests.support.rtmp_client import RtmpClient, rtmp_client


async def replay(client: RtmpClient, capture: Capture) -> None:
    """Send what the encoder sent, its handshake first."""
    data = capture.read()
    client.writer.write(data[:HELLO_SIZE])
    await client.reader.readexactly(SERVER_HELLO_SIZE)
    client.writer.write(data[HELLO_SIZE:])


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
async def test_every_message_and_frame_of_a_session_arrives(capture: Capture) -> None:
    door = OpenDoor()
    async with listening(door) as listener, rtmp_client(listener.port) as client:
        await replay(client, capture)
        client.writer.write_eof()
        await client.closed()
    publication = door.publication
    assert publication.ends == [True]
    assert len(publication.headers(MediaKind.VIDEO)) == capture.tracks
    assert len(publication.headers(MediaKind.AUDIO)) == capture.tracks
    assert len(publication.frames(MediaKind.VIDEO)) == capture.frames * capture.tracks
    assert len(publication.frames(MediaKind.AUDIO)) == capture.sounds * capture.tracks
    pictures = {at for at, unit in publication.units if unit.track.kind is MediaKind.VIDEO}
    assert max(pictures) == capture.last_video_ms
    assert publication.metadata
    assert listener.counters.bytes_in == len(capture.read())
