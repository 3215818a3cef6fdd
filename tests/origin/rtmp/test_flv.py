from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    CodedFrame,
    SequenceEnd,
    SequenceHeader,
)
from origin.media.timebase import Millis
from origin.rtmp.flv import read_audio, read_video


def frame(composition: int, *, is_keyframe: bool) -> CodedFrame:
    return CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(composition), is_keyframe, b"nalu")


def test_an_avc_sequence_header_holds_its_record() -> None:
    header = SequenceHeader(VIDEO_TRACK, Codec.AVC, b"record")
    assert read_video(b"\x17\x00\x00\x00\x00record") == (header,)


def test_keyframes_and_others_are_told_apart() -> None:
    assert read_video(b"\x17\x01\x00\x00\x00nalu") == (frame(0, is_keyframe=True),)
    assert read_video(b"\x27\x01\x00\x00\x00nalu") == (frame(0, is_keyframe=False),)


@pytest.mark.parametrize(
    ("field", "composition"),
    [(b"\x00\x00\x28", 40), (b"\xff\xff\xd8", -40), (b"\x80\x00\x00", -0x800000)],
)
def test_the_composition_time_is_signed(field: bytes, composition: int) -> None:
    body = memoryview(b"\x27\x01" + field + b"nalu")
    assert read_video(body) == (frame(composition, is_keyframe=False),)


def test_the_end_of_an_avc_sequence_is_said() -> None:
    assert read_video(b"\x17\x02\x00\x00\x00") == (SequenceEnd(VIDEO_TRACK),)


def test_hevc_in_the_old_tags_is_taken_as_cameras_send_it() -> None:
    header = SequenceHeader(VIDEO_TRACK, Codec.HEVC, b"record")
    assert read_video(b"\x1c\x00\x00\x00\x00record") == (header,)
    picture = CodedFrame(VIDEO_TRACK, Codec.HEVC, Millis(40), False, b"nalu")
    assert read_video(b"\x2c\x01\x00\x00\x28nalu") == (picture,)


def test_aac_headers_and_frames_are_read() -> None:
    header = SequenceHeader(AUDIO_TRACK, Codec.AAC, b"\x12\x10")
    assert read_audio(b"\xaf\x00\x12\x10") == (header,)
    sound = CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, b"raw")
    assert read_audio(memoryview(b"\xaf\x01raw")) == (sound,)


@pytest.mark.parametrize("first", [b"\x2f", b"\xef"])
def test_mp3_has_frames_and_no_header(first: bytes) -> None:
    sound = CodedFrame(AUDIO_TRACK, Codec.MP3, Millis(0), True, b"\xff\xfbmp3")
    assert read_audio(first + b"\xff\xfbmp3") == (sound,)


def test_payloads_are_copies_that_outlive_the_buffer_they_came_in() -> None:
    buffer = bytearray(b"\x27\x01\x00\x00\x00nalu")
    (unit,) = read_video(memoryview(buffer))
    buffer[5:] = b"gone"
    assert unit == frame(0, is_keyframe=False)


@pytest.mark.parametrize("body", [b"", b"\x57\x00", b"\x27\x01\x00\x00\x00"])
def test_messages_without_a_picture_yield_nothing(body: bytes) -> None:
    assert read_video(body) == ()


@pytest.mark.parametrize("body", [b"", b"\xaf\x01", b"\x2f"])
def test_messages_without_a_sound_yield_nothing(body: bytes) -> None:
    assert read_audio(body) == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x22\x00", "Sorenson H.263 cannot be played: set the encoder to H.264"),
        (b"\x14\x00", "VP6"),
        (b"\x1f", "codec 15"),
        (b"\x17\x01\x00", "3 bytes is too short"),
        (b"\x17\x03\x00\x00\x00", "packet type 3"),
    ],
)
def test_video_that_cannot_be_played_is_refused_with_a_remedy(body: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        read_video(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xb2speex", "Speex cannot be played: set the encoder to AAC"),
        (b"\x72", "G.711 A-law"),
        (b"\xc0", "format 12"),
        (b"\xaf", "1 byte is too short"),
        (b"\xaf\x02", "packet type 2"),
    ],
)
def test_audio_that_cannot_be_played_is_refused_with_a_remedy(body: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        read_audio(body)


@given(st.binary(max_size=40))
def test_garbage_raises_nothing_but_media_errors(body: bytes) -> None:
    for read in (read_video, read_audio):
        with suppress(MediaError):
            read(body)
