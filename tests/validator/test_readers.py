"""The readers against bytes whose meaning is known from elsewhere."""

from collections.abc import Mapping
from io import BytesIO

import av
import pytest

from tests.validator.content import Broadcast, Domain
from tests.validator.elementary import (
    Bits,
    Picture,
    is_recovery_point,
    nal_units,
    nal_units_by_start_code,
    read_adts,
    read_audio_specific_config,
    read_mp3,
    read_sps,
)
from tests.validator.errors import UnreadableError
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.media import Kind
from tests.validator.mp4 import boxes
from tests.validator.playlist import read_media, read_multivariant
from tests.validator.reading import Rendition, read
from tests.validator.ts import Pes, crc32, describe_access_unit, read_transport

# libx264 in FFmpeg 9, High 4.0: 1920x1080, of which 8 rows are cropped; 29.97 per second.
SPS_1080 = bytes.fromhex("67640028acd940780227e5c04400000fa40003a9803c60c658")


@pytest.fixture(scope="module")
def rendition(broadcasts: Mapping[str, Broadcast]) -> Rendition:
    return read(record(FakeOrigin(broadcasts["fmp4"]))).renditions[0]


def test_a_cropped_picture_has_its_true_size() -> None:
    picture = read_sps(SPS_1080)
    assert (picture.codec, picture.width, picture.height) == ("avc1.640028", 1920, 1080)
    assert picture.frame_rate == pytest.approx(30000 / 1001)


def test_frames_are_read_at_the_times_that_pyav_reads(
    rendition: Rendition, broadcasts: Mapping[str, Broadcast]
) -> None:
    for segment in rendition.segments:
        assert segment.map is not None
        assert segment.body is not None
        with av.open(BytesIO(segment.map.body + segment.body), mode="r") as media:
            packets = [packet for packet in media.demux(video=0) if packet.dts is not None]
        run = segment.run(Kind.VIDEO)
        assert run is not None
        assert [(frame.dts, frame.pts) for frame in run.frames] == [
            (packet.dts, packet.pts) for packet in packets
        ]
        assert [frame.is_sync for frame in run.frames] == [each.is_keyframe for each in packets]


def test_ts_is_read_at_the_times_that_pyav_reads(domains: Mapping[str, Domain]) -> None:
    for body in domains["first"].ts_segments:
        with av.open(BytesIO(body), mode="r", format="mpegts") as media:
            packets = [packet for packet in media.demux(video=0) if packet.dts is not None]
        video = next(run for run in read_transport(body).runs if run.kind is Kind.VIDEO)
        assert [(frame.dts, frame.pts) for frame in video.frames] == [
            (packet.dts, packet.pts) for packet in packets
        ]


@pytest.mark.parametrize(
    ("record", "codec", "rate", "channels", "samples"),
    [
        pytest.param("1190", "mp4a.40.2", 48000, 2, 1024, id="LC"),
        pytest.param("119056e500", "mp4a.40.2", 48000, 2, 1024, id="LC that denies SBR"),
        pytest.param("131056e598", "mp4a.40.5", 24000, 2, 1024, id="SBR, told behind"),
        pytest.param("130856e59d4880", "mp4a.40.29", 24000, 1, 1024, id="PS, told behind"),
        pytest.param("2b118800", "mp4a.40.5", 24000, 2, 1024, id="SBR, told at first"),
        pytest.param("eb098800", "mp4a.40.29", 24000, 1, 1024, id="PS, told at first"),
        pytest.param("1194", "mp4a.40.2", 48000, 2, 960, id="short frames"),
    ],
)
def test_an_audio_configuration_says_what_it_is(
    record: str, codec: str, rate: int, channels: int, samples: int
) -> None:
    form = read_audio_specific_config(bytes.fromhex(record))
    assert form == ((codec,), rate, channels, samples)


def test_an_mp3_header_says_how_long_its_frame_is() -> None:
    frame = read_mp3(bytes.fromhex("fffb9064") + bytes(500), 0)
    assert (frame.format.sample_rate, frame.format.frame_samples, frame.size) == (44100, 1152, 417)


@pytest.mark.parametrize("reader", [read_adts, read_mp3])
def test_audio_without_a_sync_word_is_refused(reader: type) -> None:
    with pytest.raises(UnreadableError, match="syncword"):
        reader(bytes(16), 0)


def test_a_recovery_point_is_found_behind_other_messages() -> None:
    user_data, recovery = bytes([5, 3, 1, 2, 3]), bytes([6, 1, 0xC4])
    assert is_recovery_point(bytes([6]) + user_data + recovery + b"\x80")
    assert not is_recovery_point(bytes([6]) + user_data + b"\x80")


def test_bits_end_where_the_bytes_do() -> None:
    bits = Bits(b"\xa5")
    assert [bits.take(4), bits.take(4)] == [0xA, 5]
    with pytest.raises(UnreadableError):
        bits.take(1)


@pytest.mark.parametrize("sample", [b"\0\0\0\x05abc", b"\0\0\0\0", b"\0\0\0\x01"])
def test_a_nal_unit_that_is_not_there_is_refused(sample: bytes) -> None:
    with pytest.raises(UnreadableError):
        list(nal_units(sample, 4))


def test_start_codes_of_both_lengths_part_nal_units() -> None:
    assert nal_units_by_start_code(b"\0\0\0\1\x09\xf0\0\0\1\x65x\0\0\0\1\x41y") == [
        b"\x09\xf0",
        b"\x65x",
        b"\x41y",
    ]


@pytest.mark.parametrize("size", [7, 99])
def test_a_box_of_a_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(UnreadableError, match="free"):
        list(boxes(size.to_bytes(4, "big") + b"free"))


def test_a_checksum_is_that_of_the_standard() -> None:
    assert crc32(b"123456789") == 0x0376E6E7  # CRC-32/MPEG-2's check value


def test_a_media_playlist_is_read_with_every_line_in_its_place() -> None:
    playlist = read_media(
        "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n"
        '#EXT-X-MAP:URI="a,b.mp4"\n#EXTINF:2.00000,title\n1.m4s\n'
        "#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:1.5,\n2.m4s\n"
        '#EXT-X-PART:DURATION=0.5,URI="3.0.m4s"\n'
    )
    first, second = playlist.segments
    assert (first.msn, first.discontinuity, first.map_uri) == (5, 2, "a,b.mp4")
    assert (second.msn, second.discontinuity, second.map_uri) == (6, 3, "a,b.mp4")
    assert (str(first.duration), first.line, second.has("EXT-X-GAP")) == ("2.00000", 6, True)
    assert [tag.attributes["URI"] for tag in playlist.tail] == ["3.0.m4s"]


@pytest.mark.parametrize("duration", ["", "two", "inf", "nan"])
def test_a_segment_without_a_duration_is_refused(duration: str) -> None:
    with pytest.raises(UnreadableError, match="line 3"):
        read_media(f"#EXTM3U\n#EXTINF:{duration},\n1.ts\n")


def test_a_multivariant_playlist_names_the_media_playlists_of_groups_as_well() -> None:
    playlist = read_multivariant(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",URI="a0/index.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.42c01e,mp4a.40.2",AUDIO="a"\nv0/index.m3u8\n'
    )
    assert playlist.media_uris == ["v0/index.m3u8", "a0/index.m3u8"]
    assert playlist.variants[0].attributes["CODECS"] == "avc1.42c01e,mp4a.40.2"


AUD, SPS, PPS, IDR, SLICE = b"\x09\xf0", SPS_1080, b"\x68\xee", b"\x65\x88", b"\x41\x9a"


@pytest.mark.parametrize(
    ("nals", "fault"),
    [
        pytest.param([AUD, SPS, PPS, IDR], None, id="a good IDR"),
        pytest.param([AUD, SLICE], None, id="a good picture"),
        pytest.param([SLICE], "delimiter", id="no delimiter"),
        pytest.param([AUD, IDR, SPS, PPS], "parameter sets", id="parameters behind the IDR"),
        pytest.param([AUD, SPS, IDR], "parameter sets", id="half of the parameters"),
        pytest.param([AUD, SLICE, AUD, SLICE], "more than one", id="two access units"),
    ],
)
def test_the_order_of_nal_units_is_judged(nals: list[bytes], fault: str | None) -> None:
    payload = b"".join(b"\0\0\0\1" + nal for nal in nals)
    said = describe_access_unit(Pes(0x100, 0, 0, 0, True, payload))
    assert said is None if fault is None else fault in (said or "")


def test_a_picture_that_changes_inside_a_segment_is_refused(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    pieces = broadcasts["ts joined"].pieces
    with pytest.raises(UnreadableError, match="2 different pictures"):
        read_transport(pieces[3].body + pieces[4].body)


def test_only_what_cannot_be_decoded_alone_may_rely_on_the_picture_before(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    """Parameter sets may be missing where no keyframe is, and nowhere else."""
    body = broadcasts["ts"].pieces[0].body
    video = next(run for run in read_transport(body).runs if run.kind is Kind.VIDEO)
    assert isinstance(video.format, Picture)
    without_sets = body.replace(b"\x00\x00\x01\x67", b"\x00\x00\x01\x6c")
    without_keyframes = without_sets.replace(b"\x00\x00\x01\x65", b"\x00\x00\x01\x61")

    with pytest.raises(UnreadableError, match="0 different pictures"):
        read_transport(without_sets, video.format)
    runs = read_transport(without_keyframes, video.format).runs
    assert video.format in [run.format for run in runs]
