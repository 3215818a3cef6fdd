"""What is said of a track, in any order, and when that makes another configuration."""

import pytest

from origin.errors import MediaError
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    ChannelLayout,
    ChannelOrder,
    Codec,
    CodedFrame,
    ColourInfo,
    MediaKind,
    SequenceHeader,
)
from origin.media.colour import Colour, ColourTold, LightLevel
from origin.media.configuration import VideoConfiguration
from origin.media.description import Description
from origin.media.timebase import Millis
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER, OTHER_AVC_HEADER
from tests.support.flv_files import flv_file

PQ = ColourInfo(VIDEO_TRACK, ColourTold(Colour(9, 16, 9), light=LightLevel(1000, 400)))
NOTHING = ColourInfo(VIDEO_TRACK, ColourTold())
MP3_FRAME = CodedFrame(AUDIO_TRACK, Codec.MP3, Millis(0), True, bytes.fromhex("fffb9064"))


def shown(description: Description) -> Colour | None:
    assert isinstance(description.configuration, VideoConfiguration)
    return description.configuration.shown_colour


def test_a_repeated_header_changes_nothing_and_another_one_does() -> None:
    description = Description()
    assert description.take(AVC_HEADER)
    assert not description.take(AVC_HEADER)
    assert description.take(OTHER_AVC_HEADER)
    assert description.take(AVC_HEADER)


def test_records_that_say_the_same_in_other_bytes_change_nothing() -> None:
    description = Description()
    header = next(unit for _, unit in flv_file("hevc_aac").units() if unit.track == VIDEO_TRACK)
    assert isinstance(header, SequenceHeader)
    assert description.take(header)
    assert not description.take(header._replace(record=header.record + b"trailing"))


def test_colour_counts_whether_it_is_told_before_the_header_or_after_it() -> None:
    before, after = Description(), Description()
    assert not before.take(PQ)
    assert before.take(AVC_HEADER)
    assert after.take(AVC_HEADER)
    assert after.take(PQ)
    assert before.configuration == after.configuration
    assert shown(before) == Colour(9, 16, 9)


def test_colour_that_is_told_again_changes_nothing_and_is_taken_back_by_nothing() -> None:
    description = Description()
    description.take(AVC_HEADER)
    assert not description.take(NOTHING)
    assert description.take(PQ)
    assert not description.take(PQ)
    assert description.take(NOTHING)
    assert shown(description) is None


def test_the_range_is_the_stream_s_where_metadata_names_the_rest() -> None:
    description = Description()
    for _, unit in flv_file("hevc_pq").units():
        if isinstance(unit, SequenceHeader):
            description.take(unit)
    description.take(ColourInfo(VIDEO_TRACK, ColourTold(Colour(9, 18, 9))))
    assert shown(description) == Colour(9, 18, 9, full_range=False)


@pytest.mark.parametrize("name", ["ac3", "eac3"])
def test_a_codec_without_a_header_is_described_by_its_first_frame(name: str) -> None:
    first, second, *_ = flv_file(name).frames(MediaKind.AUDIO)
    description = Description()
    assert not description.describes(first)
    assert description.learn(first)
    assert description.describes(second)
    assert not description.learn(second)


def test_a_channel_layout_changes_nothing() -> None:
    description = Description()
    description.take(AAC_HEADER)
    assert not description.take(ChannelLayout(AUDIO_TRACK, ChannelOrder.UNSPECIFIED, 2, ()))


@pytest.mark.parametrize("name", ["vp9_opus", "vp9_bt709"])
def test_vp9_is_described_by_its_header_and_a_keyframe(name: str) -> None:
    description = Description()
    header = next(unit for _, unit in flv_file(name).units() if isinstance(unit, SequenceHeader))
    keyframe, other, *_ = flv_file(name).frames(MediaKind.VIDEO)
    assert not description.learn(keyframe), "no header yet"
    assert description.take(header)
    assert description.configuration is None
    assert not description.learn(other)
    assert description.learn(keyframe)
    assert description.describes(other)
    assert not description.take(header)
    assert description.describes(other)


def test_frames_of_another_codec_than_was_announced_are_not_described() -> None:
    description = Description()
    assert description.take(AAC_HEADER)
    assert not description.describes(MP3_FRAME)
    assert description.learn(MP3_FRAME), "MP3 announces itself"
    assert description.describes(MP3_FRAME)
    assert description.take(AAC_HEADER), "and AAC is another configuration then"


def test_a_header_that_is_too_long_to_be_kept_is_refused() -> None:
    header = AVC_HEADER._replace(record=AVC_HEADER.record + bytes(64 * 1024))
    with pytest.raises(MediaError, match="AVC sequence header of 65"):
        Description().take(header)


def test_a_header_that_cannot_be_read_leaves_what_was_known() -> None:
    description = Description()
    description.take(AVC_HEADER)
    known = description.configuration
    with pytest.raises(MediaError):
        description.take(SequenceHeader(VIDEO_TRACK, Codec.HEVC, b"no record"))
    assert description.configuration == known
