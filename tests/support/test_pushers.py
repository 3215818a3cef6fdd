"""Encoders as actors: each is what it is said to be, and can vanish, freeze and thaw."""

import asyncio

import pytest

from tests.support.pushers import Codec, Ffmpeg, Picture, Pusher, Sound, command, pushing

RTMP_VERSION = b"\x03"


@pytest.mark.parametrize("ffmpeg", list(Ffmpeg))
def test_each_ffmpeg_is_the_version_that_it_is_said_to_be(ffmpeg: Ffmpeg) -> None:
    assert ffmpeg.executable.exists()
    if ffmpeg is Ffmpeg.NINE:
        assert "-v9" in ffmpeg.executable.name


def test_a_picture_without_sound_asks_for_no_audio() -> None:
    line = command("rtmp://x", Picture(b_frames=2), None, seconds=3)
    assert "-c:a" not in line
    assert line[line.index("-bf") + 1] == "2"
    assert line[line.index("-t") + 1] == "3"


def test_sound_alone_asks_for_no_picture() -> None:
    line = command("rtmp://x", None, Sound(Codec.MP3))
    assert "-c:v" not in line
    assert line[line.index("-c:a") + 1] == "libmp3lame"


def test_there_is_nothing_to_push_without_both() -> None:
    with pytest.raises(ValueError, match="neither"):
        command("rtmp://x", None, None)


@pytest.mark.parametrize("ffmpeg", list(Ffmpeg))
async def test_a_pusher_shakes_hands_and_vanishes(ffmpeg: Ffmpeg) -> None:
    first_byte: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    gone = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first_byte.set_result(await reader.readexactly(1))
        await reader.read(-1)
        writer.close()
        gone.set()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with pushing(f"rtmp://127.0.0.1:{port}/live/x", ffmpeg=ffmpeg) as pusher:
            assert await first_byte == RTMP_VERSION
            assert pusher.exit_code is None
            await pusher.vanish()
            assert pusher.exit_code == -9
            await gone.wait()


async def test_a_frozen_pusher_sends_nothing_until_it_thaws() -> None:
    hello: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.set_result(await reader.readexactly(1))
        writer.close()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        async with pushing(f"rtmp://127.0.0.1:{port}/live/x", seconds=1) as pusher:
            pusher.freeze()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(hello), 0.2)
            pusher.thaw()
            assert await hello == RTMP_VERSION
            assert await pusher.finished() != 0


async def test_a_pusher_that_nobody_listens_to_says_why() -> None:
    async with pushing("rtmp://127.0.0.1:9/live/x", seconds=1) as pusher:
        assert await pusher.finished() != 0
        assert "refused" in pusher.log()
    assert isinstance(pusher, Pusher)
