"""Real encoders, given the address in every shape that people give it: all find the stream."""

import pytest

from origin.auth.asking import offers
from origin.auth.keyring import KeyRing
from origin.auth.keys import StreamKey
from origin.rtmp.events import PublishRequested
from origin.rtmp.limits import Limits
from origin.rtmp.session import ServerSession
from origin.streams.door import PublishRequest, asked_by
from tests.support.captures import Capture, captures
from tests.support.doors import GatedDoor
from tests.support.gates import GateKeeper
from tests.support.listeners import listening
from tests.support.pushers import Ffmpeg, pushing

KEY = "main-7f3k-92qd-x4mv"
CAPTURED_KEYS = {"obs29": "obskey", "librtmp": "librtmpkey", "gst122": "gst2key"}


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize(
    ("path", "ffmpeg"),
    [
        (f"live/{KEY}", Ffmpeg.DEBIAN),
        (f"/live//{KEY}", Ffmpeg.NINE),
        (KEY, Ffmpeg.DEBIAN),
        (KEY, Ffmpeg.NINE),
        (f"live/{KEY}/", Ffmpeg.DEBIAN),
        (f"live/main?key={KEY}", Ffmpeg.NINE),
        (f"live/show/{KEY}", Ffmpeg.DEBIAN),
        (f"live/main/x?key={KEY}&b=%20", Ffmpeg.NINE),
        (f"live/{KEY}.flv", Ffmpeg.DEBIAN),
    ],
)
async def test_ffmpeg_finds_the_stream(path: str, ffmpeg: Ffmpeg) -> None:
    door = GatedDoor(GateKeeper([StreamKey("main", KEY)]).gate)
    async with listening(door) as listener:
        url = f"rtmp://127.0.0.1:{listener.port}/{path}"
        async with pushing(url, None, ffmpeg=ffmpeg, seconds=0.2, in_real_time=False) as pusher:
            assert await pusher.finished() == 0, pusher.log()
            await door.publication.over.wait()
    assert door.streams == ["main"]


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_a_recorded_encoder_finds_the_stream(capture: Capture) -> None:
    session = ServerSession(nonce=bytes(1528), limits=Limits(), now=0.0)
    session.receive(memoryview(bytearray(capture.read()[:8192])), 0.0)
    event = session.next_event()
    assert isinstance(event, PublishRequested)
    request = PublishRequest(
        event.app, event.name, event.query, "192.0.2.7:1", event.encoder, event.tc_url
    )
    key = CAPTURED_KEYS.get(capture.name.split("_")[0], event.name)
    ring = KeyRing([StreamKey("main", key), StreamKey("second", "other-2222")])
    assert [found.stream for found in ring.matches(offers(asked_by(request)))] == ["main"]
    assert len(offers(asked_by(request))) <= 8
