"""Enhanced RTMP, message by message; the bytes of real encoders are in test_captures.py."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError, ProtocolError
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    ChannelLayout,
    ChannelOrder,
    Codec,
    CodedFrame,
    ColourInfo,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
    TrackId,
)
from origin.media.colour import Colour, ColourTold, LightLevel, MasteringDisplay
from origin.media.timebase import Millis
from origin.rtmp.amf0 import AmfValue, encode
from origin.rtmp.flv import read_audio, read_video
from origin.rtmp.fourcc import AUDIO_CODECS, VIDEO_CODECS


def video(number: int) -> TrackId:
    return TrackId(MediaKind.VIDEO, number)


def audio(number: int) -> TrackId:
    return TrackId(MediaKind.AUDIO, number)


def picture(
    codec: Codec, *, at: int = 0, key: bool = False, payload: bytes = b"data", number: int = 0
) -> CodedFrame:
    return CodedFrame(video(number), codec, Millis(at), key, payload)


def sound(codec: Codec, payload: bytes = b"data", number: int = 0) -> CodedFrame:
    return CodedFrame(audio(number), codec, Millis(0), True, payload)


def tracks(*each: tuple[int, bytes], fourcc: bytes = b"") -> bytes:
    """Numbered, with their sizes, as they stand in a message of many tracks."""
    return b"".join(
        fourcc + bytes([number]) + len(data).to_bytes(3, "big") + data for number, data in each
    )


@pytest.mark.parametrize("codec", VIDEO_CODECS.values(), ids=lambda codec: codec.name)
def test_every_video_codec_begins_and_ends_a_sequence(codec: Codec) -> None:
    fourcc = codec.value.encode()
    assert read_video(b"\x90" + fourcc + b"record") == (
        SequenceHeader(VIDEO_TRACK, codec, b"record"),
    )
    assert read_video(b"\xa2" + fourcc) == (SequenceEnd(VIDEO_TRACK),)


@pytest.mark.parametrize("codec", AUDIO_CODECS.values(), ids=lambda codec: codec.name)
def test_every_audio_codec_has_frames_and_an_end(codec: Codec) -> None:
    fourcc = codec.value.encode()
    assert read_audio(memoryview(b"\x91" + fourcc + b"data")) == (sound(codec),)
    assert read_audio(b"\x92" + fourcc) == (SequenceEnd(AUDIO_TRACK),)


@pytest.mark.parametrize("codec", [Codec.AVC, Codec.HEVC], ids=lambda codec: codec.name)
@pytest.mark.parametrize(
    ("field", "at"), [(b"\x00\x00\x28", 40), (b"\xff\xff\xd8", -40)], ids=["late", "early"]
)
def test_frames_that_reorder_carry_their_composition_time(
    codec: Codec, field: bytes, at: int
) -> None:
    body = b"\xa1" + codec.value.encode() + field + b"data"
    assert read_video(memoryview(body)) == (picture(codec, at=at),)


@pytest.mark.parametrize("codec", VIDEO_CODECS.values(), ids=lambda codec: codec.name)
def test_frames_without_a_composition_time_are_shown_when_they_are_decoded(codec: Codec) -> None:
    body = b"\x93" + codec.value.encode() + b"data"
    assert read_video(body) == (picture(codec, key=True),)


@pytest.mark.parametrize("codec", [Codec.AV1, Codec.VP9], ids=lambda codec: codec.name)
def test_codecs_that_do_not_reorder_have_no_composition_time_in_any_frame(codec: Codec) -> None:
    body = b"\x91" + codec.value.encode() + b"data"
    assert read_video(body) == (picture(codec, key=True),)


def test_the_temporal_delimiter_of_av1_is_not_part_of_a_sample() -> None:
    assert read_video(b"\xa1av01\x12\x00data") == (picture(Codec.AV1),)
    assert read_video(b"\xa1av01\x12\x00") == ()


def test_a_command_to_a_player_is_no_picture() -> None:
    assert read_video(b"\xd1hvc1\x00") == ()
    assert read_video(b"\xd0\x00") == ()


def test_an_empty_frame_is_nothing() -> None:
    assert read_video(b"\xa1vp09") == ()
    assert read_video(b"\xa1hvc1\x00\x00\x00") == ()
    assert read_audio(b"\x91fLaC") == ()


@pytest.mark.parametrize("fourcc", [b"ac-3", b"ec-3", b".mp3"])
def test_codecs_that_announce_themselves_need_no_header(fourcc: bytes) -> None:
    assert read_audio(b"\x90" + fourcc) == ()


def test_an_empty_header_says_nothing_yet() -> None:
    assert read_video(b"\x90av01") == ()
    assert read_audio(b"\x90Opus") == ()


def test_the_comments_of_opus_are_no_header() -> None:
    assert read_audio(b"\x90OpusOpusTags\x00") == ()
    header = SequenceHeader(AUDIO_TRACK, Codec.OPUS, b"OpusHead\x01")
    assert read_audio(b"\x90OpusOpusHead\x01") == (header,)


@pytest.mark.parametrize(
    ("body", "layout"),
    [
        (b"\x00\x02", (ChannelOrder.UNSPECIFIED, 2, ())),
        (b"\x01\x06\x00\x00\x00\x3f", (ChannelOrder.NATIVE, 6, (0, 1, 2, 3, 4, 5))),
        (b"\x02\x02\x01\x00", (ChannelOrder.CUSTOM, 2, (1, 0))),
    ],
)
def test_a_channel_layout_is_told(
    body: bytes, layout: tuple[ChannelOrder, int, tuple[int, ...]]
) -> None:
    assert read_audio(b"\x94mp4a" + body) == (ChannelLayout(AUDIO_TRACK, *layout),)


# Several tracks in one publish.


def test_a_track_of_its_own_message_has_its_number() -> None:
    assert read_video(b"\x96\x00avc1\x01record") == (
        SequenceHeader(video(1), Codec.AVC, b"record"),
    )
    assert read_audio(b"\x95\x01Opus\x03data") == (sound(Codec.OPUS, number=3),)


def test_many_tracks_of_one_codec_share_a_message() -> None:
    body = b"\x96\x13hvc1" + tracks((0, b"high"), (1, b"low"), (9, b""))
    assert read_video(memoryview(body)) == (
        picture(Codec.HEVC, key=True, payload=b"high"),
        picture(Codec.HEVC, key=True, payload=b"low", number=1),
    )
    assert read_audio(b"\x95\x11Opus" + tracks((0, b"left"), (1, b"right"))) == (
        sound(Codec.OPUS, b"left"),
        sound(Codec.OPUS, b"right", 1),
    )


def test_many_tracks_of_many_codecs_share_a_message() -> None:
    body = b"\xa6\x21" + tracks((0, b"\x00\x00\x28high"), fourcc=b"hvc1")
    assert read_video(body + tracks((1, b"\x12\x00low"), fourcc=b"av01")) == (
        picture(Codec.HEVC, at=40, payload=b"high"),
        picture(Codec.AV1, payload=b"low", number=1),
    )


def test_metadata_of_a_track_is_told_apart_from_a_command() -> None:
    body = encode("colorInfo", {"colorConfig": {}})
    assert read_video(b"\xd6\x04hvc1\x02" + body) == (ColourInfo(video(2), ColourTold()),)
    assert read_video(b"\xd6\x01hvc1\x02") == ()


# Modifiers.


@pytest.mark.parametrize(
    "modifiers",
    [
        pytest.param(b"\x02\x00\x01\x02\x01", id="an offset in nanoseconds"),
        pytest.param(b"\x00\x07\x17\x00\x07\x11", id="two of unknown types"),
        pytest.param(b"\xff\x00\xff" + bytes(256) + b"\x01", id="256 bytes"),
        pytest.param(b"\xff\x01\x00" + bytes(257) + b"\x01", id="257 bytes"),
    ],
)
def test_modifiers_are_stepped_over_with_all_that_they_carry(modifiers: bytes) -> None:
    assert read_video(b"\x97" + modifiers + b"av01data") == (picture(Codec.AV1, key=True),)
    assert read_audio(b"\x97" + modifiers + b"Opusdata") == (sound(Codec.OPUS),)


def test_several_tracks_may_be_modified() -> None:
    assert read_video(b"\xa7\x02\x00\x00\x00\x06\x01av01\x05data") == (
        picture(Codec.AV1, number=5),
    )
    assert read_audio(b"\x97\x02\x00\x00\x00\x05\x01Opus\x05data") == (sound(Codec.OPUS, number=5),)


# Colour, told beside the pictures.

HDR: dict[str, AmfValue] = {
    "colorConfig": {
        "bitDepth": 10.0,
        "colorPrimaries": 9.0,
        "transferCharacteristics": 16.0,
        "matrixCoefficients": 9.0,
    },
    "hdrCll": {"maxFall": 400.0, "maxCLL": 1000.0},
    "hdrMdcv": {
        "redX": 0.68, "redY": 0.32, "greenX": 0.265, "greenY": 0.69, "blueX": 0.15,
        "blueY": 0.06, "whitePointX": 0.3127, "whitePointY": 0.329,
        "maxLuminance": 1000.0, "minLuminance": 0.005,
    },
}  # fmt: skip
TOLD = ColourTold(
    Colour(9, 16, 9),
    MasteringDisplay(
        (34_000, 16_000), (13_250, 34_500), (7500, 3000), (15_635, 16_450), 10_000_000, 50
    ),
    LightLevel(1000, 400),
)


def told(value: AmfValue) -> ColourTold:
    (unit,) = read_video(b"\xd4hvc1" + encode("colorInfo", value))
    assert isinstance(unit, ColourInfo)
    return unit.told


def test_what_obs_says_of_hdr_is_read_in_the_units_of_its_boxes() -> None:
    assert told(HDR) == TOLD


@pytest.mark.parametrize("nothing", [None, {}, {"colorConfig": {}}], ids=["null", "{}", "FFmpeg"])
def test_an_empty_colour_takes_back_what_was_told(nothing: AmfValue) -> None:
    assert told(nothing) == ColourTold()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 1e9, 0.0, "0.3", None])
def test_a_display_that_cannot_be_is_not_told_of(number: AmfValue) -> None:
    mdcv = HDR["hdrMdcv"]
    assert isinstance(mdcv, dict)
    assert told(HDR | {"hdrMdcv": mdcv | {"redX": number}}).display is None


def test_metadata_about_something_else_is_nothing() -> None:
    assert read_video(b"\x94hvc1" + encode("somethingElse", {})) == ()
    assert read_video(b"\x94hvc1") == ()


# What is refused, or broken.


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x90vp08record", "VP8 cannot be played: set the encoder to H.264.*-c:v libx264"),
        (b"\x90vvc1record", "VVC cannot be played"),
        (b"\x80????", r"the unknown codec '\?\?\?\?'"),
        (b"\x80\xff\x00\xff\x00", "an unknown codec"),
        (b"\x80", "an unknown codec"),
        (b"\x95av01descriptor", "AV1 as MPEG-TS carries it"),
        (b"\x98av01", "packet type 8"),
        (b"\xa1hvc1\x00", "within its composition time"),
        (b"\x96", "of 1 bytes ends within its header"),
        (b"\x96\x31av01\x00", "Multitrack type 3"),
        (b"\x96\x06av01\x00", "packet type 6"),
        (b"\x96\x01av01", "ends within its header"),
        (b"\x96\x11av01\x00\x00\x00\x09data", "Track 0 of a multitrack message is cut off"),
        (b"\x97\x05\x00", "ends within its header"),
        (b"\x97\xff\x00", "ends within its header"),
    ],
)
def test_video_that_cannot_be_played_is_refused_with_a_sentence(body: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        read_video(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x90sipr", "the unknown codec 'sipr'.*set the encoder to AAC or Opus"),
        (b"\x94Opus", "channel layout that cannot be read"),
        (b"\x94Opus\x03\x02", "channel layout that cannot be read"),
        (b"\x93Opus", "packet type 3"),
        (b"\x95\x21Op", "within its header"),
        (b"\x97\x00", "ends within its header"),
    ],
)
def test_audio_that_cannot_be_played_is_refused_with_a_sentence(body: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        read_audio(body)


def test_metadata_that_is_no_amf_is_a_breach_of_protocol() -> None:
    with pytest.raises(ProtocolError):
        read_video(b"\x94hvc1\x02\x00\xffcolour")


@given(st.integers(0x80, 0xFF), st.sampled_from([*VIDEO_CODECS, b""]), st.binary(max_size=40))
def test_garbage_raises_nothing_but_sentences_for_video(
    first: int, fourcc: bytes, rest: bytes
) -> None:
    with suppress(MediaError, ProtocolError):
        read_video(bytes([first]) + fourcc + rest)


@given(st.integers(0x90, 0x9F), st.sampled_from([*AUDIO_CODECS, b""]), st.binary(max_size=40))
def test_garbage_raises_nothing_but_sentences_for_audio(
    first: int, fourcc: bytes, rest: bytes
) -> None:
    with suppress(MediaError, ProtocolError):
        read_audio(bytes([first]) + fourcc + rest)
