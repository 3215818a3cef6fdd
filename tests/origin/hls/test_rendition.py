"""What a rendition serves: its playlists, its names, and how long each can be had."""

import gzip

import m3u8
import pytest

from origin.hls.names import RENDITION
from origin.hls.playlist import Container
from origin.hls.presentation import Presentation
from origin.hls.resource import AUDIO_TYPE, PLAYLIST_TYPE, TS_TYPE, VIDEO_TYPE
from origin.hls.rules import Rules
from tests.support.frames import (
    AUDIO,
    OTHER_VIDEO,
    UNFIT_AUDIO,
    VIDEO,
    interleaved,
    pictures,
    sounds,
)
from tests.support.live import CLASSIC, SIX, TWO_SECONDS, Live, tags, uris
from tests.support.packaging import (
    FIRST_MSN,
    body,
    package,
    present,
    segment_bodies,
    text,
)


def test_there_is_no_playlist_before_a_segment_is_complete() -> None:
    live = Live()
    live.go_on(TWO_SECONDS)
    rendition = live.rendition
    assert rendition.playlist() is live.presentation.multivariant() is None
    assert rendition.ts_playlist() is live.presentation.ts_multivariant() is None
    live.go_on(1)
    assert uris(rendition) == ["e1-7.m4s"]


def test_parts_are_there_as_soon_as_they_are_complete() -> None:
    live = Live()
    live.go_on(16)
    part = live.rendition.find("e1-7.0.m4s")
    assert part is not None
    assert part.content_type == VIDEO_TYPE
    assert live.rendition.find("e1-7.1.m4s") is None
    assert live.rendition.find("e1-7.m4s") is None


def test_a_playlist_reads_as_the_standard_has_it() -> None:
    live = Live(CLASSIC)
    live.segments(2)
    initialization = live.rendition.listed[0].initialization
    assert text(live.rendition.playlist()).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:7",
        "#EXT-X-DISCONTINUITY-SEQUENCE:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{initialization}"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T11:59:59.500Z",
        "#EXTINF:2.000000,",
        "e1-7.m4s",
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:01.500Z",
        "#EXTINF:2.000000,",
        "e1-8.m4s",
    ]


def test_the_transport_stream_playlist_differs_in_version_map_and_names_only() -> None:
    live = Live(CLASSIC)
    live.segments(2)
    fmp4 = text(live.rendition.playlist())
    without_map = "\n".join(line for line in fmp4.splitlines() if "EXT-X-MAP" not in line) + "\n"
    as_ts = without_map.replace(".m4s", ".ts").replace("VERSION:7", "VERSION:3")
    assert text(live.rendition.ts_playlist()) == as_ts


def test_m3u8_reads_the_same() -> None:
    live = Live()
    live.segments(2)
    live.come_back()
    live.segments(2)
    live.end()
    read = m3u8.loads(text(live.rendition.playlist()))
    assert read.target_duration == 2
    assert read.media_sequence == FIRST_MSN
    assert read.discontinuity_sequence == 3
    assert read.is_endlist
    assert read.is_independent_segments
    assert [each.uri for each in read.segments] == [f"e1-{msn}.m4s" for msn in range(7, 13)]
    assert [each.discontinuity for each in read.segments] == [False] * 3 + [True] + [False] * 2
    assert [each.duration for each in read.segments] == pytest.approx(
        [2, 2, 0.033333, 2, 2, 0.033333]
    )
    dates = [each.program_date_time for each in read.segments]
    assert dates == sorted(dates)
    assert read.segments[0].init_section.uri == live.rendition.listed[0].initialization


def test_everything_that_is_listed_can_be_fetched() -> None:
    live = Live()
    live.segments(12)
    for container in Container:
        assert len(segment_bodies(live.rendition, container)) == 6


def test_types_and_tags_are_those_of_what_is_served() -> None:
    rendition = package((VIDEO, AUDIO), interleaved(pictures(90), sounds(150)))
    (segment, *_) = rendition.listed
    found = {
        segment.initialization: VIDEO_TYPE,
        segment.name: VIDEO_TYPE,
        segment.parts[0].name: VIDEO_TYPE,
    }
    for name, content_type in found.items():
        resource = rendition.find(name)
        assert resource is not None
        assert resource.content_type == content_type
        assert resource.etag == f'"{name}"'
        assert resource.gzip is None
    stream = rendition.find_ts(f"{segment.stem}.ts")
    assert stream is not None
    assert stream.content_type == TS_TYPE
    assert rendition.find_ts(f"{segment.stem}.ts") is stream


def test_audio_alone_is_served_as_audio() -> None:
    rendition = package((AUDIO,), ((0, each) for each in sounds(300)))
    segment = rendition.find(rendition.listed[0].name)
    assert segment is not None
    assert segment.content_type == AUDIO_TYPE


def test_names_that_never_were_are_not_found() -> None:
    live = Live()
    live.segments(1)
    for name in ("", "e1-8.m4s", "e1-7.9.m4s", "e2-7.m4s", "index.m3u8", "e1-7.ts"):
        assert live.rendition.find(name) is None
    for name in ("", "e1-7.m4s", "e1-8.ts"):
        assert live.rendition.find_ts(name) is None


@pytest.mark.parametrize(("rules", "frames"), [(CLASSIC, 45), (SIX, 10)], ids=["classic", "low"])
def test_a_playlist_is_rendered_once_per_version(rules: Rules, frames: int) -> None:
    live = Live(rules)
    live.segments(2)
    first = live.rendition.playlist()
    live.go_on(frames)
    assert live.rendition.playlist() is first
    live.segments(1)
    second = live.rendition.playlist()
    assert first is not None
    assert second is not None
    assert second.etag != first.etag
    assert gzip.decompress(second.gzip or b"") == body(second)
    assert second.content_type == PLAYLIST_TYPE


def test_the_media_sequence_counts_what_leaves_and_names_stay() -> None:
    live = Live()
    names: dict[int, str] = {}
    for _ in range(20):
        live.segments(1)
        first = int(tags(live.rendition, "#EXT-X-MEDIA-SEQUENCE")[0])
        for msn, name in enumerate(uris(live.rendition), start=first):
            assert names.setdefault(msn, name) == name
    assert len(set(names.values())) == len(names)
    assert sorted(names) == list(range(FIRST_MSN, FIRST_MSN + 20))


def test_a_removed_segment_stays_for_its_duration_and_the_longest_playlist() -> None:
    live = Live()
    live.segments(6)
    (oldest, *_) = live.rendition.listed
    names = (oldest.name, oldest.parts[0].name, oldest.parts[3].name)
    assert live.rendition.find_ts(f"{oldest.stem}.ts") is not None
    live.segments(1)
    assert oldest.name not in uris(live.rendition)
    # For two seconds of its own, and for twelve of the playlist.
    live.segments(6)
    assert all(live.rendition.find(name) is not None for name in names)
    assert live.rendition.find_ts(f"{oldest.stem}.ts") is not None
    live.segments(1)
    assert all(live.rendition.find(name) is None for name in names)
    assert live.rendition.find_ts(f"{oldest.stem}.ts") is None


def test_what_is_forgotten_leaves_nothing_behind() -> None:
    live = Live()
    live.segments(40)
    held = len(live.rendition._shelf)
    live.segments(40)
    assert len(live.rendition._shelf) == held


def test_a_playlist_is_never_shorter_than_three_target_durations() -> None:
    live = Live()
    live.go_on(30 * 9, keyframes=False)
    live.frames = 0
    live.segments(30)
    assert live.rendition.target_duration == 9
    listed_s = sum(segment.duration_s for segment in live.rendition.listed)
    assert 27 <= listed_s < 27 + 9
    assert len(live.rendition.listed) > 6


def test_independence_is_claimed_until_it_is_broken_and_then_never_again() -> None:
    live = Live()
    live.segments(1)
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in text(live.rendition.playlist())
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in text(live.presentation.multivariant())
    live.go_on(100, keyframes=False)
    live.segments(10)
    assert len(live.rendition.listed) == 6
    for playlist in (
        live.rendition.playlist(),
        live.rendition.ts_playlist(),
        live.presentation.multivariant(),
        live.presentation.ts_multivariant(),
    ):
        assert "#EXT-X-INDEPENDENT-SEGMENTS" not in text(playlist)


def test_independence_is_not_claimed_once_it_is_known_to_break() -> None:
    live = Live()
    live.go_on(30 * 11, keyframes=False)
    assert len(uris(live.rendition)) == 1
    assert "#EXT-X-INDEPENDENT-SEGMENTS" not in text(live.rendition.playlist())


def test_the_target_duration_is_that_of_the_first_gop_and_stays() -> None:
    live = Live()
    live.go_on(90, keyframes=False)
    live.frames = 0
    live.go_on(1)
    assert live.rendition.target_duration == 3
    live.go_on(3000, keyframes=False)
    assert tags(live.rendition, "#EXT-X-TARGETDURATION") == ["3"]
    assert all(float(value[:-1]) < 3.5 for value in tags(live.rendition, "#EXTINF"))


def test_an_end_is_said_once_and_what_is_listed_stays() -> None:
    live = Live()
    live.segments(3)
    before = live.rendition.playlist()
    live.end()
    lines = text(live.rendition.playlist()).splitlines()
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert lines.count("#EXT-X-ENDLIST") == 1
    assert live.rendition.has_ended
    assert before is not None
    assert len(segment_bodies(live.rendition, Container.FMP4)) == 4
    assert len(segment_bodies(live.rendition, Container.TS)) == 4


def test_an_end_closes_a_segment_that_is_under_way() -> None:
    live = Live()
    live.go_on(40)
    live.presentation.end()
    assert [len(segment.parts) for segment in live.rendition.listed] == [2]


def test_an_end_before_anything_has_no_playlist() -> None:
    live = Live()
    live.end()
    assert live.rendition.playlist() is None
    assert live.presentation.multivariant() is None


def test_what_cannot_be_a_transport_stream_is_fmp4_alone() -> None:
    samples = interleaved(pictures(90), sounds(150))
    presentation = present((VIDEO, UNFIT_AUDIO), samples)
    rendition = presentation.main
    assert rendition.playlist() is not None
    assert "ADTS" in (rendition.ts_refusal or "")
    assert rendition.ts_playlist() is presentation.ts_multivariant() is None
    assert rendition.find_ts(f"{rendition.listed[0].stem}.ts") is None


def test_the_multivariant_playlist_leads_to_the_media_playlist() -> None:
    whole = present((VIDEO, AUDIO), interleaved(pictures(90), sounds(150)))
    for playlist, version in ((whole.multivariant(), 7), (whole.ts_multivariant(), 3)):
        read = m3u8.loads(text(playlist))
        (variant,) = read.playlists
        assert variant.uri == f"{RENDITION}/index.m3u8"
        assert variant.stream_info.codecs == "avc1.64000d,mp4a.40.2"
        assert variant.stream_info.resolution == (320, 180)
        assert variant.stream_info.frame_rate == 30
        assert read.version == version


def test_the_multivariant_playlist_is_rendered_again_only_if_it_changes() -> None:
    live = Live()
    live.segments(3)
    first = live.presentation.multivariant()
    live.segments(3)
    assert live.presentation.multivariant() is first
    live.begin(OTHER_VIDEO, AUDIO)
    assert live.presentation.multivariant() is first
    live.segments(1)
    assert live.presentation.multivariant() is not first


def test_status_tells_what_is_announced() -> None:
    live = Live()
    rendition = live.rendition
    announced = (rendition.codecs, rendition.frame_rate, rendition.average_bandwidth)
    assert announced == (None, None, None)
    live.segments(2)
    assert rendition.codecs == "avc1.64000d"
    assert rendition.frame_rate == 30
    assert rendition.average_bandwidth is not None
    assert live.presentation.segment_count == 2


def test_a_session_may_begin_at_any_number() -> None:
    presentation = Presentation(
        rules=Rules(),
        epoch="cafe",
        first_msn=1_700_000_000,
        first_discontinuity_sequence=0,
        begins_with_discontinuity=False,
    )
    assert presentation.next_msn == 1_700_000_000
    assert presentation.next_discontinuity_sequence == 0
