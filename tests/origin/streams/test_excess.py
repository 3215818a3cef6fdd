"""What is small to send and long to look at is refused before it is looked at to its end.

A message may have 8 MiB. Each of these would take a second or more of everybody's time, and
publishers are let in with a key that their owner may have lost.
"""

import pytest

from origin.errors import MediaError
from origin.media.ac3 import MOST_FRAMES, Eac3Configuration
from origin.media.av1_sequence import find_sequence_header
from origin.media.coded import Codec, MediaKind, SequenceHeader, TrackId
from origin.media.description import LONGEST_RECORD_BYTES, parse_configuration
from origin.media.nal import MOST_UNITS, check_units
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.multitrack import MOST_MODIFIERS, MOST_TRACKS_IN_MESSAGE

MANY = 8 * 1024 * 1024
VIDEO, AUDIO = TrackId(MediaKind.VIDEO, 0), TrackId(MediaKind.AUDIO, 0)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_keyframe_of_millions_of_empty_units(size: int) -> None:
    check_units(bytes(size * MOST_UNITS), size)
    with pytest.raises(MediaError, match="more than 4096 NAL units"):
        check_units(bytes(MANY), size)


def test_a_message_of_millions_of_tracks() -> None:
    track = bytes((0, 0, 0, 0))
    some, many = (b"\x96\x13hvc1" + track * count for count in (MOST_TRACKS_IN_MESSAGE, MANY // 4))
    assert read_video(some) == ()
    with pytest.raises(MediaError, match="more than 32 tracks"):
        read_video(many)
    with pytest.raises(MediaError, match="more than 32 tracks"):
        read_audio(b"\x95\x11Opus" + track * (MANY // 4))


def test_a_message_of_millions_of_modifiers() -> None:
    modifier = bytes((0, 0, 0x07))  # a byte of data, and the next packet is a modifier, too
    last = bytes((0, 0, 0x01))
    head = b"\x97"
    frame = b"hvc1" + bytes(3) + b"frame"
    (unit,) = read_video(head + modifier * (MOST_MODIFIERS - 2) + last + frame)
    assert unit.track == VIDEO
    with pytest.raises(MediaError, match="modifiers or more"):
        read_video(head + modifier * (MANY // 3))
    with pytest.raises(MediaError, match="modifiers or more"):
        read_audio(b"\x97" + modifier * (MANY // 3))


def test_a_sequence_header_of_millions_of_parameter_sets() -> None:
    for codec in Codec:
        track = VIDEO if codec in (Codec.AVC, Codec.HEVC, Codec.AV1, Codec.VP9) else AUDIO
        header = SequenceHeader(track, codec, bytes(LONGEST_RECORD_BYTES + 1))
        with pytest.raises(MediaError, match="a sequence header of 65537 bytes"):
            parse_configuration(header)


def test_a_keyframe_of_millions_of_empty_obus() -> None:
    padding = bytes((0x7A, 0))
    header = bytes((0x0A, 1, 0))
    assert find_sequence_header(padding + header) == (header, b"\0")
    assert find_sequence_header(padding * 1000 + header) == (b"", b"")


def test_a_sound_of_millions_of_frames() -> None:
    frame = b"\x0b\x77\x00\x01\x3f\x80"
    shortest = b"\x0b\x77\x00\x01"
    known = Eac3Configuration(
        record=b"", codecs="ec-3", sample_rate=48_000, channels=2, samples_per_frame=1536
    )
    assert known.samples_in(shortest * 6 + frame) > 0
    assert known.samples_in(shortest * (MANY // 4)) <= MOST_FRAMES * 1536
