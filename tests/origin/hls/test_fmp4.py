from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.hls.fmp4 import (
    NON_SYNC_SAMPLE,
    SYNC_SAMPLE,
    fragment,
    producer_reference_time,
)
from origin.hls.fmp4_init import fingerprint, initialization
from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from tests.support.frames import (
    AUDIO,
    OTHER_VIDEO,
    VIDEO,
    interleaved,
    picture,
    pictures,
    sound,
    sounds,
)
from tests.support.packaging import body, package
from tests.support.x264 import avc_record
from tests.validator.mp4 import Fragment, read_fragments, read_init


def read(tracks: tuple[Track, ...], *pieces: bytes) -> list[Fragment]:
    return list(read_fragments(b"".join(pieces), read_init(initialization(tracks))).fragments)


def aac(record: str) -> Track:
    return Track(AacConfiguration.parse(bytes.fromhex(record)))


def test_an_initialization_segment_has_the_brands_of_cmaf_and_no_samples() -> None:
    init = read_init(initialization((VIDEO, AUDIO)))
    assert init.top_level == ("ftyp", "moov")
    assert init.brands >= {"iso6", "cmfc", "mp41"}
    assert init.duration == 0
    for track in init.tracks.values():
        assert track.sample_rows == 0
        assert track.durations == (0, 0)
        assert not track.has_edit_list
    assert init.defaults.keys() == init.tracks.keys() == {1, 2}


def test_tracks_keep_their_order_and_their_timescale() -> None:
    tracks = read_init(initialization((VIDEO, AUDIO))).tracks
    assert [(each.entry_kind, each.timescale) for each in tracks.values()] == [
        ("avc1", 90_000),
        ("mp4a", 48_000),
    ]


def test_decoder_configurations_are_copied_unchanged() -> None:
    he_aac = aac("139056e5a0")
    content = initialization((VIDEO, he_aac))
    assert b"avcC" + VIDEO.configuration.record in content
    assert b"\x05\x05" + he_aac.configuration.record in content


def test_equal_tracks_have_equal_initialization_segments_and_others_have_others() -> None:
    contents = {initialization(tracks) for tracks in [(VIDEO,), (OTHER_VIDEO,), (VIDEO, AUDIO)]}
    assert len({fingerprint(content) for content in contents}) == 3
    again = Track(AvcConfiguration.parse(VIDEO.configuration.record))
    assert initialization((again,)) == initialization((VIDEO,))


def test_pixels_that_are_not_square_are_said_to_be_so() -> None:
    wide = Track(AvcConfiguration.parse(avc_record((720, 576), params="sar=64/45")))
    content = initialization((wide,))
    assert b"pasp" + (64).to_bytes(4, "big") + (45).to_bytes(4, "big") in content
    assert b"pasp" not in initialization((VIDEO,))


def test_a_rate_beyond_the_sample_entry_is_left_to_the_codec() -> None:
    track = read_init(initialization((aac("1010"),))).tracks[1]
    assert track.timescale == 96_000


@pytest.mark.parametrize(
    ("header", "object_type"),
    [
        pytest.param("fffb9064", 0x6B, id="MPEG-1"),
        pytest.param("fff38064", 0x69, id="MPEG-2"),
    ],
)
def test_mp3_has_an_object_type_of_its_own(header: str, object_type: int) -> None:
    track = Track(Mp3Configuration.parse(bytes.fromhex(header)))
    content = initialization((track,))
    descriptors = content[content.index(b"esds") + 8 :]
    assert descriptors[:8] == bytes([3, 21, 0, 0, 0, 4, 13, object_type])


def test_a_part_is_one_moof_and_one_mdat() -> None:
    samples = (tuple(pictures(15)), tuple(sounds(23)))
    (written,) = read((VIDEO, AUDIO), *fragment(9, (VIDEO, AUDIO), samples))
    assert written.sequence == 9
    assert [traf.track for traf in written.trafs] == [1, 2]
    assert all(traf.flags & 0x020000 and traf.decode_version == 1 for traf in written.trafs)
    assert all(traf.trun_versions == (1,) for traf in written.trafs)


def test_a_track_without_samples_has_no_traf() -> None:
    (written,) = read((VIDEO, AUDIO), *fragment(1, (VIDEO, AUDIO), ((), tuple(sounds(3)))))
    assert [traf.track for traf in written.trafs] == [2]


def test_payloads_are_handed_on_and_not_copied() -> None:
    samples = (tuple(pictures(2)), tuple(sounds(1)))
    _, *payloads = fragment(1, (VIDEO, AUDIO), samples)
    assert payloads[0] is samples[0][0].payload
    assert payloads[2] is samples[1][0].payload


def test_decode_times_need_not_fit_into_32_bits() -> None:
    late = picture(2**39, key=True)
    (written,) = read((VIDEO,), *fragment(1, (VIDEO,), ((late,),)))
    assert written.trafs[0].samples[0].dts == 2**39


def test_keyframes_are_flagged_as_sync_and_others_as_dependent() -> None:
    samples = (picture(0, key=True), picture(3000))
    (written,) = read((VIDEO, AUDIO), *fragment(1, (VIDEO, AUDIO), (samples, (sound(0),))))
    assert [sample.flags for sample in written.trafs[0].samples] == [SYNC_SAMPLE, NON_SYNC_SAMPLE]
    assert written.trafs[1].samples[0].flags == SYNC_SAMPLE


video_samples = st.lists(
    st.builds(
        lambda offset, duration, key, payload: (offset, duration, key, payload),
        st.integers(-90_000, 900_000),
        st.integers(0, 900_000),
        st.booleans(),
        st.binary(max_size=20),
    ),
    max_size=40,
)


@given(begin=st.integers(0, 2**50), rows=video_samples, audio=st.integers(0, 50))
def test_whatever_is_written_can_be_read_back(
    begin: int, rows: list[tuple[int, int, bool, bytes]], audio: int
) -> None:
    video, at = [], begin
    for offset, duration, key, payload in rows:
        video.append(Sample(Ticks(at), Ticks(offset), Ticks(duration), key, payload))
        at += duration
    samples = (tuple(video), tuple(sounds(audio)))
    data = b"".join(fragment(1, (VIDEO, AUDIO), samples))
    (written,) = read((VIDEO, AUDIO), data)
    by_track = {traf.track: traf.samples for traf in written.trafs}
    for track, run in zip((1, 2), samples, strict=True):
        rows_read = by_track.get(track, ())
        assert len(rows_read) == len(run)
        for row, sample in zip(rows_read, run, strict=True):
            assert (row.dts, row.duration) == (sample.dts, sample.duration)
            assert row.composition == sample.composition_offset
            assert data[row.start : row.start + row.size] == sample.payload


def test_a_reference_time_ties_a_frame_to_the_wall_clock() -> None:
    half_past = datetime(1970, 1, 1, 0, 30, 0, 500_000, tzinfo=UTC)
    reference = producer_reference_time(0, half_past, 123_456)
    (written,) = read((VIDEO,), reference, *fragment(1, (VIDEO,), (tuple(pictures(3)),)))
    (made,) = written.made
    assert (made.track, made.media_time, made.flags) == (1, 123_456, 24)
    assert made.ntp == (2_208_988_800 + 1800 << 32) + 2**31  # RFC 5905: 1970 in NTP's seconds


def test_each_segment_begins_with_a_reference_time_and_no_other_part_has_one() -> None:
    rendition = package((VIDEO, AUDIO), interleaved(pictures(300), sounds(460)))
    init = read_init(initialization((VIDEO, AUDIO)))
    fragments: list[Fragment] = []
    for segment in rendition.listed:
        first, *others = read_fragments(body(segment.resource), init).fragments
        (made,) = first.made
        seconds = made.ntp / 2**32 - 2_208_988_800
        date = datetime.fromtimestamp(seconds, UTC)
        assert abs(date - segment.begins_at) < timedelta(microseconds=2)
        assert made.media_time == segment.run(0)[0].dts
        assert [other.made for other in others] == [()] * len(others)
        fragments += [first, *others]
    assert [each.sequence for each in fragments] == list(range(1, len(fragments) + 1))
