"""Real pushes: two FFmpegs, at every chunk size that matters, without a lost frame."""

import pytest

from origin.ingest.settings import IngestSettings
from origin.media.coded import Codec, MediaKind
from tests.support.doors import ClosedDoor, OpenDoor
from tests.support.listeners import listening
from tests.support.pushers import Codec as SoundCodec
from tests.support.pushers import Ffmpeg, Picture, Sound, pushing

pytestmark = pytest.mark.asyncio(loop_factories=["uvloop"])
every_ffmpeg = pytest.mark.parametrize("ffmpeg", Ffmpeg, ids=lambda ffmpeg: ffmpeg.value)


@every_ffmpeg
@pytest.mark.parametrize("chunk_size", [128, 4096, 60_000])
@pytest.mark.parametrize("b_frames", [0, 2])
async def test_no_frame_of_a_push_is_lost(ffmpeg: Ffmpeg, chunk_size: int, b_frames: int) -> None:
    door = OpenDoor()
    async with listening(door, IngestSettings(chunk_size=chunk_size)) as listener:
        url, picture = listener.url("key?token=abc&x=1"), Picture(b_frames=b_frames)
        async with pushing(url, picture, ffmpeg=ffmpeg, seconds=3, in_real_time=False) as pusher:
            assert await pusher.finished() == 0, pusher.log()
            await door.publication.over.wait()
    publication = door.publication
    assert publication.ends == [True]
    assert (publication.request.name, publication.request.query) == ("key", "token=abc&x=1")
    frames = publication.frames(MediaKind.VIDEO)
    assert len(frames) == 3 * 30
    assert [i for i, frame in enumerate(frames) if frame.is_keyframe] == [0, 60]
    assert any(frame.composition for frame in frames) is bool(b_frames)
    assert len(publication.frames(MediaKind.AUDIO)) in (141, 142, 143)  # of 1,024 samples
    assert publication.metadata[0]["width"] == 320.0


@every_ffmpeg
async def test_mp3_and_nothing_else_is_taken(ffmpeg: Ffmpeg) -> None:
    door, sound = OpenDoor(), Sound(codec=SoundCodec.MP3, sample_rate=44_100)
    async with (
        listening(door) as listener,
        pushing(
            listener.url("key"), None, sound, ffmpeg=ffmpeg, seconds=3, in_real_time=False
        ) as pusher,
    ):
        assert await pusher.finished() == 0, pusher.log()
        await door.publication.over.wait()
    frames = door.publication.frames(MediaKind.AUDIO)
    assert {frame.codec for frame in frames} == {Codec.MP3}
    assert len(frames) in (115, 116)  # of 1,152 samples


@every_ffmpeg
async def test_ffmpeg_shows_the_reason_of_a_refusal(ffmpeg: Ffmpeg) -> None:
    door = ClosedDoor("This key is not known here.")
    async with (
        listening(door) as listener,
        pushing(listener.url("wrong"), ffmpeg=ffmpeg) as pusher,
    ):
        assert await pusher.finished() != 0
        assert "This key is not known here." in pusher.log()


async def test_an_ffmpeg_that_is_killed_leaves_its_whole_frames_and_no_clean_end() -> None:
    door = OpenDoor()
    async with listening(door) as listener, pushing(listener.url("key")) as pusher:
        await door.entered.wait()
        await door.publication.pushed.wait()
        await pusher.vanish()
        await door.publication.over.wait()
    assert door.publication.ends == [False]
