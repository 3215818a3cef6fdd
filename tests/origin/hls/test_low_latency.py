"""The low-latency playlist, tag by tag (draft-pantos-hls-rfc8216bis, 4.4.3 to 4.4.5)."""

import re
from collections.abc import Iterator

import pytest

from origin.hls.low_latency import LowLatency, Report, tail_lines
from origin.hls.rules import Rules
from tests.support.frames import AUDIO, OTHER_VIDEO, VIDEO, interleaved, pictures, sounds
from tests.support.hls_parser import check_playlists
from tests.support.live import CLASSIC, TWO_SECONDS, Live, tags, uris
from tests.support.packaging import Packaging, body, text

CONSTANT = (
    "#EXT-X-VERSION",
    "#EXT-X-TARGETDURATION",
    "#EXT-X-SERVER-CONTROL",
    "#EXT-X-PART-INF",
)
SKIP = "#EXT-X-SKIP:SKIPPED-SEGMENTS="


def full(live: Packaging) -> str:
    return text(live.rendition.playlist())


def delta(live: Packaging) -> str:
    return text(live.rendition.playlist(skips=True))


def listed_parts(playlist: str) -> list[str]:
    return re.findall(r'#EXT-X-PART:.*URI="(.*?)"', playlist)


def hints(playlist: str) -> list[str]:
    return re.findall(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(.*?)"$', playlist, re.MULTILINE)


def every_part(live: Live, frames: int) -> Iterator[str]:
    """The playlists of a while, one per frame."""
    for _ in range(frames):
        live.go_on(1)
        yield full(live)


def test_a_playlist_reads_as_the_draft_has_it() -> None:
    live = Live()
    live.segments(1)
    live.go_on(31)
    initialization = live.rendition.listed[0].initialization
    assert full(live).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:9",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6"
        ",PART-HOLD-BACK=1.500",
        "#EXT-X-PART-INF:PART-TARGET=0.500",
        "#EXT-X-MEDIA-SEQUENCE:7",
        "#EXT-X-DISCONTINUITY-SEQUENCE:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{initialization}"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T11:59:59.500Z",
        '#EXT-X-PART:DURATION=0.500000,URI="e1-7.0.m4s",INDEPENDENT=YES',
        '#EXT-X-PART:DURATION=0.500000,URI="e1-7.1.m4s"',
        '#EXT-X-PART:DURATION=0.500000,URI="e1-7.2.m4s"',
        '#EXT-X-PART:DURATION=0.500000,URI="e1-7.3.m4s"',
        "#EXTINF:2.000000,",
        "e1-7.m4s",
        "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T12:00:01.500Z",
        '#EXT-X-PART:DURATION=0.500000,URI="e1-8.0.m4s",INDEPENDENT=YES',
        '#EXT-X-PART:DURATION=0.500000,URI="e1-8.1.m4s"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-8.2.m4s"',
    ]


def test_without_low_latency_nothing_of_it_is_said() -> None:
    live = Live(CLASSIC)
    live.segments(8)
    live.go_on(40)
    assert not re.search("PART|PRELOAD|SERVER-CONTROL|SKIP", full(live))
    assert delta(live) == full(live)


def test_nothing_of_it_is_said_of_transport_streams() -> None:
    live = Live()
    live.segments(8)
    playlist = text(live.rendition.ts_playlist())
    assert not re.search("PART|PRELOAD|SERVER-CONTROL|SKIP", playlist)
    assert "#EXT-X-VERSION:3\n" in playlist


def test_what_is_said_once_never_changes() -> None:
    live = Live()
    live.segments(8)
    first = [tags(live.rendition, tag) for tag in CONSTANT]
    assert all(len(values) == 1 for values in first)
    live.come_back()
    live.segments(3)
    live.begin(OTHER_VIDEO, AUDIO)
    live.segments(8)
    assert [tags(live.rendition, tag) for tag in CONSTANT] == first
    for tag in CONSTANT:
        assert [line for line in delta(live).splitlines() if line.startswith(tag)] == [
            line for line in full(live).splitlines() if line.startswith(tag)
        ]
    live.end()
    assert [tags(live.rendition, tag) for tag in CONSTANT] == first


def test_parts_are_listed_of_two_complete_segments_and_the_open_one() -> None:
    live = Live()
    live.segments(6)
    for playlist in every_part(live, 3 * TWO_SECONDS):
        whole = re.findall(r"^e1-(\d+)\.m4s$", playlist, re.MULTILINE)
        newest = int(whole[-1])
        in_parts = {int(name.split("-")[1].split(".")[0]) for name in listed_parts(playlist)}
        assert in_parts <= {newest - 1, newest, newest + 1}
        assert {newest - 1, newest} <= in_parts


def test_all_parts_of_a_segment_are_listed_and_are_its_bytes() -> None:
    live = Live()
    live.segments(4)
    segment = live.rendition.listed[-1]
    names = [name for name in listed_parts(full(live)) if name.startswith(f"{segment.stem}.")]
    joined = b"".join(body(live.rendition.find(name)) for name in names)
    assert joined == body(live.rendition.find(segment.name))


def test_the_hint_names_what_comes_next_and_is_the_last_word() -> None:
    live = Live()
    live.segments(2)
    before = full(live)
    came: list[str] = []
    for playlist in every_part(live, 2 * TWO_SECONDS):
        assert playlist.splitlines()[-1].startswith("#EXT-X-PRELOAD-HINT:")
        if playlist != before:
            (hint,) = hints(before)
            assert listed_parts(playlist)[-1] == hint
            assert live.rendition.find(hint) is not None
            came.append(hint)
        (hint,) = hints(playlist)
        assert live.rendition.find(hint) is None
        before = playlist
    assert len(came) == 8


def test_there_is_a_hint_while_the_publisher_is_away() -> None:
    live = Live()
    live.segments(2)
    live.go_on(20)
    live.flush()
    live.presentation.discontinue()
    (hint,) = hints(full(live))
    live.begin(VIDEO)
    live.segments(1)
    assert hint in listed_parts(full(live))


def test_an_end_takes_hint_and_parts_away() -> None:
    live = Live()
    live.segments(3)
    live.go_on(20)
    live.end()
    playlist = full(live)
    assert hints(playlist) == listed_parts(playlist) == []
    assert playlist.endswith("#EXT-X-ENDLIST\n")
    assert live.rendition.hint is None


def test_a_discontinuity_stands_before_the_first_part() -> None:
    live = Live()
    live.segments(2)
    live.begin(OTHER_VIDEO)
    live.go_on(20)
    lines = full(live).splitlines()
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1].startswith("#EXT-X-MAP:")
    assert lines[at + 2].startswith("#EXT-X-PROGRAM-DATE-TIME:")
    assert lines[at + 3].startswith("#EXT-X-PART:")
    live.segments(1)
    assert full(live).count("#EXT-X-DISCONTINUITY\n") == 1


@pytest.mark.parametrize("gop", [20, 40, 60, 90])
def test_independent_are_the_parts_with_a_keyframe_and_no_others(gop: int) -> None:
    packaging = Packaging(Rules())
    packaging.configure(VIDEO)
    packaging.push_video(pictures(400, keyframe_every=gop))
    marked = re.findall(r'URI="(.*?)"(,INDEPENDENT=YES)?', full(packaging))
    parts = {part.name: part for segment in packaging.rendition.listed for part in segment.parts}
    checked = 0
    for name, mark in marked:
        if name in parts:
            has_keyframe = any(sample.is_sync for sample in parts[name].samples[0])
            assert has_keyframe == bool(mark)
            checked += 1
    assert checked > 4


def test_a_delta_update_leaves_out_what_is_older_than_the_skip_boundary() -> None:
    live = Live(Rules())
    live.segments(20)
    assert len(uris(live.rendition)) == 12
    assert f"{SKIP}6\n" in delta(live)
    live.go_on(50)
    assert f"{SKIP}6\n" in delta(live)
    assert len(delta(live)) < 0.75 * len(full(live))


def test_a_delta_update_of_a_short_playlist_is_the_playlist() -> None:
    live = Live(Rules())
    live.segments(6)
    assert delta(live) == full(live)
    live.segments(1)
    assert f"{SKIP}1\n" in delta(live)


def test_a_client_that_puts_delta_updates_together_has_the_whole_playlist() -> None:
    live = Live(Rules())
    live.segments(8)
    known = full(live)
    for turn in range(40 * 15):
        if turn == 200:
            live.come_back()
        if turn == 300:
            live.begin(OTHER_VIDEO)
        live.go_on(1)
        if turn % 15 == 0:
            known = reconstructed(known, delta(live))
            assert known == full(live)


def reconstructed(before: str, update: str) -> str:
    """What a client makes of a delta update and the playlist that it had (6.3.7)."""
    skip = re.search(rf"{SKIP}(\d+)\n", update)
    if skip is None:
        return update
    first = _media_sequence(update)
    segments = dict(enumerate(_segments(before), _media_sequence(before)))
    skipped = [segments[first + index] for index in range(int(skip[1]))]
    if first != _media_sequence(before) and "#EXT-X-MAP" not in skipped[0]:
        # The map of a segment that has gone still holds for those after it.
        gone = "".join(segments[msn] for msn in sorted(segments) if msn < first)
        last = re.findall(r"#EXT-X-MAP.*\n", gone)[-1]
        skipped[0] = skipped[0].replace("#EXT-X-PROGRAM", f"{last}#EXT-X-PROGRAM", 1)
    return update.replace(skip[0], "".join(skipped))


def _media_sequence(playlist: str) -> int:
    found = re.search(r"#EXT-X-MEDIA-SEQUENCE:(\d+)", playlist)
    assert found is not None
    return int(found[1])


def _segments(playlist: str) -> list[str]:
    """The lines of each complete segment, without those about parts."""
    lines = [line for line in playlist.splitlines() if not line.startswith("#EXT-X-PART:")]
    begin = next(index for index, line in enumerate(lines) if line.startswith("#EXT-X-MAP"))
    if lines[begin - 1] == "#EXT-X-DISCONTINUITY":
        begin -= 1
    segments, current = list[str](), ""
    for line in lines[begin:]:
        current += f"{line}\n"
        if not line.startswith("#"):
            segments.append(current)
            current = ""
    return segments


def test_other_renditions_are_reported_after_the_hint() -> None:
    reports = (Report("../a0/index.m3u8", 12, 3), Report("../v1/index.m3u8", 11, 0))
    assert list(tail_lines(LowLatency(0.5, None, "e1-9.0.m4s", reports))) == [
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="e1-9.0.m4s"',
        '#EXT-X-RENDITION-REPORT:URI="../a0/index.m3u8",LAST-MSN=12,LAST-PART=3',
        '#EXT-X-RENDITION-REPORT:URI="../v1/index.m3u8",LAST-MSN=11,LAST-PART=0',
    ]


def test_a_strict_reader_finds_nothing_wrong_with_any_of_it() -> None:
    live = Live(Rules())
    live.segments(1)
    seen: list[tuple[str, str]] = []
    for turn in range(50):
        live.go_on(15)
        if turn == 20:
            live.come_back()
        if turn == 36:
            live.begin(OTHER_VIDEO)
        seen += [(f"full {turn}", full(live)), (f"delta {turn}", delta(live))]
    live.end()
    seen += [("ended", full(live)), ("ended, delta", delta(live))]
    checked = check_playlists(seen)
    assert len(checked) == len(seen)
    assert [each for each in checked if each.findings or each.kind != "media"] == []


def test_parts_with_audio_are_listed_too() -> None:
    packaging = Packaging(Rules())
    packaging.configure(VIDEO, AUDIO)
    packaging.push(interleaved(pictures(200, keyframe_every=60), sounds(310)))
    assert len(listed_parts(full(packaging))) == 4 + 4 + 1
    assert [len(segment.parts) for segment in packaging.rendition.listed] == [4, 4, 4]
