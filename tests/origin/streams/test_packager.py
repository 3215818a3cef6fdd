"""The packager: which tracks there are, and where a discontinuity domain ends."""

import pytest

from origin.errors import MediaError
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    CodedFrame,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
)
from origin.media.timebase import Millis
from origin.streams.packager import Packager
from tests.support.broadcasts import (
    AAC_HEADER,
    AVC_HEADER,
    OTHER_AVC_HEADER,
    broadcast,
    media,
    picture,
    sound,
)
from tests.support.clocks import FakeClock


@pytest.fixture
def packager() -> Packager:
    rules = Rules()
    presentation = Presentation(
        rules=rules,
        epoch="e",
        first_msn=1,
        first_discontinuity_sequence=0,
        begins_with_discontinuity=False,
    )
    return Packager(rules, presentation, FakeClock().wall)


def kinds(packager: Packager) -> list[MediaKind]:
    return [track.kind for track in packager.presentation.main.tracks]


def discontinuities(packager: Packager) -> list[bool]:
    return [segment.is_discontinuous for segment in packager.presentation.main.listed]


def test_audio_and_video_make_segments_of_two_seconds(packager: Packager) -> None:
    broadcast(packager, 8.2)
    assert kinds(packager) == [MediaKind.VIDEO, MediaKind.AUDIO]
    assert [segment.duration_s for segment in packager.presentation.main.listed] == [2, 2, 2, 2]
    assert discontinuities(packager) == [False] * 4


def test_video_whose_audio_never_comes_starts_after_a_second(packager: Packager) -> None:
    packager.push(0, AVC_HEADER)
    for at, frame in media(3.0, with_audio=False):
        packager.push(at, frame)
        assert bool(packager.presentation.main.tracks) == (at > 1000)
    assert kinds(packager) == [MediaKind.VIDEO]
    assert packager.presentation.main.listed[0].duration_s == 2


def test_sound_does_not_wait_for_ever_for_a_picture_that_was_announced(packager: Packager) -> None:
    packager.push(0, AVC_HEADER)
    packager.push(0, AAC_HEADER)
    for at, frame in media(16.0):
        if frame.track == AUDIO_TRACK:
            packager.push(at, frame)
    assert kinds(packager) == [MediaKind.AUDIO]
    assert packager.presentation.main.listed
    assert not any(discontinuities(packager))
    broadcast(packager, 4.2, begin=16_000, with_headers=False)
    assert kinds(packager) == [MediaKind.VIDEO, MediaKind.AUDIO]
    assert discontinuities(packager).count(True) == 1


def test_a_picture_without_a_keyframe_is_waited_for(packager: Packager) -> None:
    packager.push(0, AVC_HEADER)
    packager.push(0, AAC_HEADER)
    for at, frame in media(16.0):
        packager.push(at, frame._replace(is_keyframe=frame.track == AUDIO_TRACK))
    assert not packager.presentation.main.listed
    broadcast(packager, 4.2, begin=16_000, with_headers=False)
    assert discontinuities(packager) == [False, False]


def test_metadata_that_names_no_audio_saves_the_wait(packager: Packager) -> None:
    packager.expect({"videocodecid": 7.0, "width": 320.0})
    packager.push(0, AVC_HEADER)
    packager.push(0, picture(0))
    assert kinds(packager) == [MediaKind.VIDEO]


def test_audio_alone_is_a_stream(packager: Packager) -> None:
    packager.expect({"audiocodecid": 10.0})
    packager.push(0, AAC_HEADER)
    for number in range(200):
        packager.push(number * 1024 * 1000 // 44_100, sound(number))
    assert kinds(packager) == [MediaKind.AUDIO]
    assert packager.presentation.main.listed


def test_a_track_that_comes_late_begins_a_new_domain(packager: Packager) -> None:
    packager.push(0, AVC_HEADER)
    for at, frame in media(4.0, with_audio=False):
        packager.push(at, frame)
    broadcast(packager, 4.2, begin=4000)
    assert kinds(packager) == [MediaKind.VIDEO, MediaKind.AUDIO]
    assert discontinuities(packager).count(True) == 1


def test_a_repeated_header_changes_nothing(packager: Packager) -> None:
    broadcast(packager, 2.0)
    broadcast(packager, 4.2, begin=2000)
    assert discontinuities(packager) == [False] * 3


def test_another_configuration_is_one_discontinuity(packager: Packager) -> None:
    broadcast(packager, 4.0)
    before = packager.presentation.main.listed[0].initialization
    packager.push(4000, OTHER_AVC_HEADER)
    broadcast(packager, 4.2, begin=4000, with_headers=False)
    assert discontinuities(packager) == [False, False, True, False]
    assert packager.presentation.main.listed[-1].initialization != before


@pytest.mark.parametrize("begin", [3_600_000, 100])
def test_a_jump_in_time_is_one_discontinuity_and_no_gap(packager: Packager, begin: int) -> None:
    broadcast(packager, 6.0)
    broadcast(packager, 6.2, begin=begin, with_headers=False)
    assert discontinuities(packager).count(True) == 1
    assert max(segment.duration_s for segment in packager.presentation.main.listed) <= 2.1


def test_flush_publishes_every_frame_that_came(packager: Packager) -> None:
    broadcast(packager, 2.6)
    packager.flush()
    assert sum(
        segment.duration_s for segment in packager.presentation.main.listed
    ) == pytest.approx(2.6)


def test_after_a_flush_the_next_publisher_goes_on_in_the_same_playlist(packager: Packager) -> None:
    broadcast(packager, 2.6)
    packager.flush()
    broadcast(packager, 4.2, begin=77)
    assert discontinuities(packager) == [False, False, True, False]


def test_a_flush_before_anything_came_does_nothing(packager: Packager) -> None:
    packager.flush()
    assert packager.presentation.main.playlist() is None


def test_frames_without_a_header_are_dropped(packager: Packager) -> None:
    packager.push(0, picture(0))
    packager.push(0, sound(0))
    packager.flush()
    assert not packager.presentation.main.tracks


def test_mp3_needs_no_header(packager: Packager) -> None:
    packager.expect({"audiocodecid": 2.0})
    frame = bytes.fromhex("fffb9064") + bytes(413)
    for number in range(300):
        unit = CodedFrame(AUDIO_TRACK, Codec.MP3, Millis(0), True, frame)
        packager.push(number * 1152 * 1000 // 44_100, unit)
    assert kinds(packager) == [MediaKind.AUDIO]
    assert packager.presentation.main.listed


def test_a_broken_header_is_told_to_the_streamer(packager: Packager) -> None:
    with pytest.raises(MediaError, match="AVC"):
        packager.push(0, SequenceHeader(VIDEO_TRACK, Codec.AVC, b"\x00"))


def test_the_end_of_a_track_is_nothing_to_act_on(packager: Packager) -> None:
    broadcast(packager, 2.0)
    packager.push(2000, SequenceEnd(VIDEO_TRACK))
    broadcast(packager, 2.2, begin=2000)
    assert discontinuities(packager) == [False, False]
