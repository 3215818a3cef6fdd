"""A login by user and password: FFmpeg is asked for it, and comes back until it has answered."""

import pytest

from origin.auth.adobe import NEED_LOGIN, AdobeLogin
from origin.auth.hashing import fast_hash
from origin.auth.keys import StreamKey
from origin.rtmp.amf0 import Amf0Reader
from origin.rtmp.limits import Limits
from tests.support.doors import GatedDoor
from tests.support.encoders import read_replies
from tests.support.gates import GateKeeper
from tests.support.listeners import Listening, listening
from tests.support.pushers import Ffmpeg, pushing
from tests.support.rtmp_client import rtmp_client

KEY = "main-7f3k-92qd-x4mv"
HASHED = StreamKey("second", hashed=fast_hash("second-2222-3333"))


@pytest.fixture
async def door() -> GatedDoor:
    login = AdobeLogin("login", bytes(32))
    return GatedDoor(GateKeeper([StreamKey("main", KEY), HASHED], login=login).gate)


def url(listener: Listening, user: str, password: str, app: str = "login") -> str:
    return f"rtmp://{user}:{password}@127.0.0.1:{listener.port}/{app}/anything"


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("ffmpeg", Ffmpeg, ids=lambda ffmpeg: ffmpeg.value)
async def test_ffmpeg_logs_in_and_publishes(ffmpeg: Ffmpeg, door: GatedDoor) -> None:
    async with listening(door, objection=door.gate.objection) as listener:
        address = url(listener, "main", KEY)
        async with pushing(address, None, ffmpeg=ffmpeg, seconds=1, in_real_time=False) as pusher:
            assert await pusher.finished() == 0, pusher.log()
            await door.publication.over.wait()
        assert listener.counters.accepted == 3
    assert door.streams == ["main"]
    assert door.publication.units


@pytest.mark.asyncio(loop_factories=["uvloop"])
@pytest.mark.parametrize("user", ["main", "second", "nobody"])
async def test_ffmpeg_is_told_that_the_password_is_wrong(user: str, door: GatedDoor) -> None:
    async with (
        listening(door, objection=door.gate.objection) as listener,
        pushing(url(listener, user, "wrong"), None, seconds=1) as pusher,
    ):
        assert await pusher.finished() != 0
        assert "user name or password are wrong" in pusher.log()
    assert door.publications == []


async def test_who_comes_without_a_password_is_told_to_bring_one(door: GatedDoor) -> None:
    async with (
        listening(door, objection=door.gate.objection) as listener,
        rtmp_client(listener.port) as client,
    ):
        await client.shake_hands()
        client.writer.write(client.encoder.connect("login"))
        await client.closed()
    (answer,) = read_replies(client.heard)
    name, _, _, info = Amf0Reader(answer.payload, Limits().metadata).read_rest()
    assert name == "_error"
    assert isinstance(info, dict)
    assert info["code"] == "NetConnection.Connect.Rejected"
    assert info["description"] == NEED_LOGIN


async def test_nobody_is_asked_at_any_other_app(door: GatedDoor) -> None:
    async with (
        listening(door, objection=door.gate.objection) as listener,
        rtmp_client(listener.port) as client,
    ):
        await client.begin(KEY)
        await client.hear("NetStream.Publish.Start")
    assert door.streams == ["main"]
