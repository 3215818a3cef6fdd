"""Several renditions of one session: the same cuts, numbers and dates, and what is said of them."""

import io
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import av
import m3u8
import pytest

from origin.hls.listing import SoundName
from origin.hls.playlist import Container
from origin.hls.rendition import Rendition
from origin.hls.rules import Rules
from origin.media.coded import MediaKind, TrackId
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from tests.support.frames import AUDIO, OTHER_VIDEO, START, VIDEO, picture, sounds
from tests.support.hls_parser import check_playlists
from tests.support.packaging import Packaging, body, text

PART = re.compile(r'#EXT-X-PART:DURATION=([\d.]+),URI="(.*?)"')
REPORT = re.compile(
    r'#EXT-X-RENDITION-REPORT:URI="../(.*?)/index.m3u8",LAST-MSN=(\d+),LAST-PART=(\d+)'
)
SECOND = 90_000


def film(
    seconds: float,
    *,
    begin: float = 0,
    step: int = 3000,
    delay: int = 0,
    size: int = 10,
    every_s: float = 2,
) -> list[Sample]:
    """Pictures from ``begin`` on, decoded ``delay`` ticks before they are shown."""
    made = []
    every = round(every_s * SECOND / step)
    for number in range(round(seconds * SECOND / step)):
        at = START + round(begin * SECOND) + number * step
        frame = picture(at, key=number % every == 0, duration=step, payload=bytes(size))
        made.append(frame._replace(dts=Ticks(at - delay), composition_offset=Ticks(delay)))
    return made


def speech(seconds: float, *, begin: float = 0) -> list[Sample]:
    return list(sounds(round(seconds * 46.875), begin=48_000 + round(begin * 48_000)))


def push(packaging: Packaging, *runs: Sequence[Sample]) -> None:
    """Send tracks in the order of their times."""
    scales = [track.timescale for track in packaging.presentation.tracks.values()]
    timed = [
        (sample.dts / scale, index, sample)
        for index, (run, scale) in enumerate(zip(runs, scales, strict=True))
        for sample in run
    ]
    ordered = sorted(timed, key=lambda entry: entry[:2])
    packaging.push((index, sample) for _, index, sample in ordered)


def packaged(tracks: Iterable[Track], *runs: Sequence[Sample]) -> Packaging:
    packaging = Packaging(Rules())
    packaging.configure(*tracks)
    push(packaging, *runs)
    return packaging


def renditions(packaging: Packaging) -> dict[str, Rendition]:
    return dict(packaging.presentation.renditions)


def playlists(packaging: Packaging) -> dict[str, str]:
    return {name: text(each.playlist()) for name, each in renditions(packaging).items()}


def offered(packaging: Packaging) -> list[str]:
    listed = m3u8.loads(text(packaging.presentation.multivariant()))
    found = [*listed.playlists, *(media for media in listed.media if media.uri)]
    return [each.uri.removesuffix("/index.m3u8") for each in found]


def without_own(playlist: str) -> str:
    """What has to be the same in all renditions: all but the maps, marks and reports."""
    lines = [
        line.replace(",INDEPENDENT=YES", "")
        for line in playlist.splitlines()
        if not line.startswith(("#EXT-X-MAP", "#EXT-X-RENDITION-REPORT"))
    ]
    return "\n".join(lines)


LADDER = (VIDEO, OTHER_VIDEO, AUDIO)
BABEL = (VIDEO, OTHER_VIDEO, AUDIO, AUDIO)


def test_two_pictures_with_one_sound_are_two_renditions_cut_alike() -> None:
    packaging = packaged(LADDER, film(9), film(9, size=20), speech(9))
    found = playlists(packaging)
    assert list(found) == ["v0", "v1"]
    assert without_own(found["v0"]) == without_own(found["v1"])
    for rendition in renditions(packaging).values():
        assert [segment.duration_s for segment in rendition.listed] == [2, 2, 2, 2]
        for segment in rendition.listed:
            assert segment.run(0)[0].is_sync
            assert len(segment.run(0)) == 60
            assert [part.independent for part in segment.parts] == [True, False, False, False]
    bodies = {name: body(each.listed[0].resource) for name, each in renditions(packaging).items()}
    assert bodies["v0"] != bodies["v1"]


def test_several_sounds_are_a_group_and_leave_the_pictures_files() -> None:
    packaging = packaged(BABEL, film(9), film(9), speech(9), speech(9))
    found = playlists(packaging)
    assert list(found) == ["p0", "p1", "a0", "a1"]
    assert len({without_own(playlist) for playlist in found.values()}) == 1
    assert all(len(each.tracks) == 1 for each in renditions(packaging).values())
    sounds = renditions(packaging)["a0"].listed
    assert all(part.independent for segment in sounds for part in segment.parts)
    listed = m3u8.loads(text(packaging.presentation.multivariant()))
    assert {each.stream_info.audio for each in listed.playlists} == {"sound"}
    assert {each.stream_info.codecs for each in listed.playlists} == {"avc1.64000d,mp4a.40.2"}
    told = [(each.name, each.default, each.autoselect, each.channels) for each in listed.media]
    assert told == [("Audio 1", "YES", "YES", "2"), ("Audio 2", "NO", "NO", "2")]


def test_sounds_are_called_what_the_publisher_calls_them() -> None:
    packaging = packaged((VIDEO, *[AUDIO] * 4), film(3), *[speech(3)] * 4)
    packaging.presentation.sound_names = {
        0: SoundName("Stadium", "en"),
        1: SoundName('A "quoted"\nname', "de-AT"),
        2: SoundName("Stadium", "en"),
        3: SoundName(None, "no language at all"),
    }
    listed = m3u8.loads(text(packaging.presentation.multivariant()))
    assert [(each.name, each.language, each.autoselect) for each in listed.media] == [
        ("Stadium", "en", "YES"),
        ("A quotedname", "de-AT", "YES"),
        ("Stadium (3)", "en", "NO"),
        ("no language at all", None, "YES"),
    ]


def test_every_version_reports_how_far_the_others_are() -> None:
    packaging = packaged(LADDER, film(4.3), film(4.3), speech(4.3))
    seen: list[tuple[str, str]] = []
    for begin in range(12):
        at = 4.3 + begin / 2
        later = [film(0.5, begin=at, every_s=1e6), film(0.5, begin=at, every_s=1e6)]
        push(packaging, *later, speech(0.5, begin=at))
        for name, playlist in playlists(packaging).items():
            (report,) = REPORT.findall(playlist)
            other = renditions(packaging)[report[0]]
            assert (report[0], other.last_part) == (
                {"v0": "v1", "v1": "v0"}[name],
                (int(report[1]), int(report[2])),
            )
            newest = PART.findall(playlist)[-1][1]
            assert newest == f"e1-{report[1]}.{report[2]}.m4s"
            seen.append((f"{name} {begin}", playlist))
    assert len({playlist for _, playlist in seen}) >= 20
    assert [each for each in check_playlists(seen) if each.findings] == []


def test_an_encoder_that_reorders_is_cut_where_the_one_that_does_not_shows_the_same() -> None:
    late = 6000
    packaging = packaged(LADDER, film(9), film(9, delay=late), speech(9))
    for segment in renditions(packaging)["v1"].listed:
        run = segment.run(0)
        assert run[0].is_sync
        assert run[0].dts + run[0].composition_offset == segment.start
        assert [len(part.samples[0]) for part in segment.parts] == [15, 15, 15, 15]
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in playlists(packaging)["v1"]


def test_half_the_frame_rate_is_cut_at_the_same_places() -> None:
    packaging = packaged(LADDER, film(9), film(9, step=6000), speech(9))
    found = playlists(packaging)
    assert without_own(found["v0"]) == without_own(found["v1"])
    assert "#EXT-X-INDEPENDENT-SEGMENTS" in found["v1"]


def test_keyframes_elsewhere_end_the_claim_to_independence_everywhere() -> None:
    aside = [film(1), film(8, begin=1)]
    packaging = packaged(LADDER, film(9), [*aside[0], *aside[1]], speech(9))
    presentation = packaging.presentation
    for playlist in (*playlists(packaging).values(), text(presentation.multivariant())):
        assert "#EXT-X-INDEPENDENT-SEGMENTS" not in playlist
    parts = [part for segment in renditions(packaging)["v1"].listed for part in segment.parts]
    has_key = [any(sample.is_sync for sample in part.samples[0]) for part in parts]
    assert [part.independent for part in parts] == has_key


@pytest.mark.parametrize("silent", [0, 1], ids=["the first", "the second"])
def test_a_picture_that_stalls_is_a_gap_until_it_comes_back(silent: int) -> None:
    runs = [film(24), film(24)]
    runs[silent] = [each for each in runs[silent] if not 5 < (each.dts - START) / SECOND < 16]
    packaging = packaged(LADDER, *runs, speech(24))
    packaging.flush()
    found, both = playlists(packaging), renditions(packaging)
    stalled, other = both[f"v{silent}"], both[f"v{1 - silent}"]
    assert [each.msn for each in stalled.listed] == [each.msn for each in other.listed]
    assert [each.duration for each in stalled.listed] == [each.duration for each in other.listed]
    gaps = [segment for segment in stalled.listed if segment.is_gap]
    assert 4 <= len(gaps) <= 6
    assert not any(segment.is_gap for segment in other.listed)
    assert found[f"v{silent}"].count("#EXT-X-GAP\n") == len(gaps)
    for segment in gaps:
        assert stalled.find(segment.name) is None
        assert stalled.find_ts(f"{segment.stem}.ts") is not None, "there is sound to hear"
        missing = [part for part in segment.parts if part.is_gap]
        assert all(stalled.find(part.name) is None for part in missing)
        assert not any(part.independent for part in missing)
    assert not stalled.listed[-1].is_gap
    transport = ("transport stream", text(stalled.ts_playlist()))
    assert "GAP" not in transport[1]
    checked = check_playlists([*found.items(), transport])
    assert [each for each in checked if each.findings] == []


def test_what_has_nothing_for_a_transport_stream_is_a_gap_there_too() -> None:
    silent = [each for each in film(16) if not 5 < (each.dts - START) / SECOND < 13]
    packaging = packaged((VIDEO, OTHER_VIDEO), film(16), silent)
    packaging.flush()
    whole, stalled = renditions(packaging).values()
    playlist = text(stalled.ts_playlist())
    gaps = set(re.findall(r"#EXT-X-GAP\n#EXTINF:.*\n(.*)", playlist))
    listed = re.findall(r"^[^#].*", playlist, re.MULTILINE)
    assert 2 <= len(gaps) < len(listed)
    assert gaps == {name for name in listed if stalled.find_ts(name) is None}
    assert "#EXT-X-VERSION:8\n" in playlist
    assert "#EXT-X-VERSION:3\n" in text(whole.ts_playlist())


def test_parts_that_are_missing_say_so() -> None:
    packaging = packaged(LADDER, film(5), film(3), speech(5))
    marked = re.findall(
        r'URI="(e1-\d+\.\d+\.m4s)"(?:,INDEPENDENT=YES)?,GAP=YES', playlists(packaging)["v1"]
    )
    assert marked
    for name in marked:
        assert renditions(packaging)["v1"].find(name) is None
        assert renditions(packaging)["v0"].find(name) is not None


def test_pictures_further_apart_than_parts_are_no_gap() -> None:
    slow = film(20, step=SECOND, every_s=2)
    packaging = packaged(LADDER, film(20), slow, speech(20))
    assert not any(segment.is_gap for segment in renditions(packaging)["v1"].listed)


def test_another_configuration_of_one_track_is_a_discontinuity_in_all() -> None:
    packaging = packaged(LADDER, film(5), film(5), speech(5))
    packaging.configure(VIDEO, VIDEO, AUDIO)
    push(packaging, film(5, begin=5), film(5, begin=5), speech(5, begin=5))
    found = playlists(packaging)
    assert without_own(found["v0"]) == without_own(found["v1"])
    assert found["v0"].count("#EXT-X-DISCONTINUITY\n") == 1
    assert found["v0"].count("#EXT-X-MAP") == 1, "its own is the one that it was"
    assert found["v1"].count("#EXT-X-MAP") == 2


def test_a_track_that_comes_later_has_a_playlist_that_begins_there() -> None:
    packaging = packaged((VIDEO, AUDIO), film(7), speech(7))
    assert offered(packaging) == ["v0"]
    packaging.configure(*LADDER)
    assert offered(packaging) == ["v0"], "there is nothing to lead to yet"
    push(packaging, film(7, begin=7), film(7, begin=7), speech(7, begin=7))
    assert set(offered(packaging)) == {"v0", "v1"}
    old, new = renditions(packaging)["v0"], renditions(packaging)["v1"]
    assert [each.msn for each in new.listed] == [each.msn for each in old.listed][-3:]
    numbers = []
    for playlist in playlists(packaging).values():
        number = int(re.findall(r"DISCONTINUITY-SEQUENCE:(\d+)", playlist)[0])
        numbers.append(number + playlist.count("#EXT-X-DISCONTINUITY\n"))
    assert numbers[0] == numbers[1], "a segment is in the same domain wherever it is listed"
    dates = [{each.msn: each.begins_at for each in rendition.listed} for rendition in (old, new)]
    assert dates[1].items() <= dates[0].items()


def test_a_track_that_ends_leaves_the_list_and_its_viewers_go_on() -> None:
    packaging = packaged(LADDER, film(5), film(5), speech(5))
    packaging.configure(VIDEO, AUDIO)
    push(packaging, film(9, begin=5), speech(9, begin=5))
    assert offered(packaging) == ["v0"]
    found, both = playlists(packaging), renditions(packaging)
    assert without_own(found["v0"]) == without_own(found["v1"])
    assert both["v1"].listed[-1].run(0) == both["v0"].listed[-1].run(0)
    assert found["v1"].count("#EXT-X-MAP") == 2
    assert [name for name, *_ in REPORT.findall(found["v0"])] == ["v1"]


def test_what_nobody_can_take_the_place_of_is_gaps() -> None:
    packaging = packaged((VIDEO, AUDIO, AUDIO), film(5), speech(5), speech(5))
    packaging.configure(AUDIO, AUDIO)
    push(packaging, speech(9, begin=5), speech(9, begin=5))
    assert offered(packaging) == ["a0", "a0", "a1"]
    gone = renditions(packaging)["p0"]
    assert [segment.is_gap for segment in gone.listed[-4:]] == [True] * 4
    assert without_own(playlists(packaging)["a0"]) == without_own(
        playlists(packaging)["p0"].replace("#EXT-X-GAP\n", "").replace(",GAP=YES", "")
    )


def test_in_a_transport_stream_each_picture_has_the_first_sound_with_it() -> None:
    packaging = packaged(BABEL, film(5), film(5), speech(5), speech(5))
    listed = m3u8.loads(text(packaging.presentation.ts_multivariant()))
    assert [each.uri for each in listed.playlists] == ["p0/index.m3u8", "p1/index.m3u8"]
    assert listed.media == []
    made = renditions(packaging)["p0"].find_ts("e1-7.ts")
    with av.open(io.BytesIO(body(made))) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
    assert renditions(packaging)["p0"].can_be_listed(Container.TS)


def test_the_first_variant_is_one_that_most_connections_carry() -> None:
    big, middle, small = (film(9, size=size) for size in (30_000, 6_000, 900))
    packaging = packaged((VIDEO, OTHER_VIDEO, VIDEO, AUDIO), big, middle, small, speech(9))
    assert offered(packaging) == ["v1", "v0", "v2"]


def test_a_rate_is_that_of_all_that_is_loaded() -> None:
    alone = packaged((VIDEO, AUDIO, AUDIO), film(9), speech(9), speech(9)).presentation
    muxed = packaged((VIDEO, AUDIO), film(9), speech(9)).presentation
    rates = [
        m3u8.loads(text(each.multivariant())).playlists[0].stream_info.average_bandwidth
        for each in (alone, muxed)
    ]
    assert rates[0] == pytest.approx(rates[1], rel=0.1)


def test_tracks_may_be_given_in_any_order() -> None:
    packaging = Packaging(Rules())
    ids = [TrackId(MediaKind.AUDIO, 0), TrackId(MediaKind.VIDEO, 4), TrackId(MediaKind.VIDEO, 1)]
    packaging.presentation.configure(dict(zip(ids, (AUDIO, VIDEO, OTHER_VIDEO), strict=True)))
    assert list(packaging.presentation.renditions) == ["v1", "v4"]
    assert packaging.presentation.main.tracks == (OTHER_VIDEO, AUDIO)


def test_segments_follow_one_another_in_every_rendition() -> None:
    packaging = packaged(BABEL, film(30), film(30, delay=3000), speech(30), speech(30))
    for rendition in renditions(packaging).values():
        for before, after in pairwise(rendition.listed):
            (one,), (other,) = before.run(0)[-1:], after.run(0)[:1]
            assert one.dts + one.duration == other.dts
            assert after.msn == before.msn + 1
