"""Where a timeline breaks: discontinuities, their sequence numbers, their maps and their dates."""

from datetime import timedelta
from itertools import pairwise

import m3u8

from tests.support.frames import (
    OTHER_VIDEO,
    VIDEO,
)
from tests.support.live import Live, tags
from tests.support.packaging import (
    NOON,
    Packaging,
    numbered,
    text,
)


def test_a_publisher_who_comes_back_goes_on_after_one_discontinuity() -> None:
    live = Live()
    live.segments(2)
    live.come_back()
    live.segments(1)
    lines = text(live.rendition.playlist()).splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert len([line for line in lines if "EXT-X-MAP" in line]) == 1
    after = lines[lines.index("#EXT-X-DISCONTINUITY") :]
    assert next(line for line in after if not line.startswith("#")) == "e1-10.m4s"


def test_coming_back_before_anything_was_published_is_no_discontinuity() -> None:
    live = Live()
    live.come_back()
    live.come_back()
    live.segments(1)
    assert tags(live.rendition, "#EXT-X-DISCONTINUITY") == []


def test_coming_back_twice_without_media_is_one_discontinuity() -> None:
    live = Live()
    live.segments(1)
    live.come_back()
    live.come_back()
    live.segments(1)
    assert len(tags(live.rendition, "#EXT-X-DISCONTINUITY")) == 1


def test_another_configuration_has_a_discontinuity_and_then_its_map() -> None:
    live = Live()
    live.segments(1)
    live.begin(OTHER_VIDEO)
    live.segments(1)
    lines = text(live.rendition.playlist()).splitlines()
    maps = [number for number, line in enumerate(lines) if "EXT-X-MAP" in line]
    assert lines[maps[1] - 1] == "#EXT-X-DISCONTINUITY"
    assert lines[maps[0]] != lines[maps[1]]
    for number in maps:
        assert live.rendition.find(lines[number].split('"')[1]) is not None


def test_the_same_configuration_again_changes_nothing() -> None:
    live = Live()
    live.go_on(100)
    live.presentation.configure(numbered([VIDEO]))
    live.go_on(100)
    live.flush()
    assert tags(live.rendition, "#EXT-X-DISCONTINUITY") == []
    assert len(tags(live.rendition, "#EXT-X-MAP")) == 1


def test_a_configuration_that_is_used_no_more_is_forgotten_with_its_segments() -> None:
    live = Live()
    live.segments(1)
    first = live.rendition.listed[0].initialization
    live.begin(OTHER_VIDEO)
    live.segments(9)
    assert live.rendition.find(first) is not None
    live.segments(9)
    assert live.rendition.find(first) is None


def test_configurations_that_carry_no_media_are_not_kept() -> None:
    packaging = Packaging()
    for _ in range(10):
        packaging.configure(VIDEO)
        packaging.configure(OTHER_VIDEO)
    assert len(packaging.rendition._shelf) == 1


def test_the_discontinuity_sequence_counts_the_tags_that_left() -> None:
    live = Live()
    sequence_of: dict[str, int] = {}
    for _ in range(8):
        live.segments(2)
        live.come_back()
        if live.rendition.playlist() is None:
            continue
        number = int(tags(live.rendition, "#EXT-X-DISCONTINUITY-SEQUENCE")[0])
        for line in text(live.rendition.playlist()).splitlines():
            number += line == "#EXT-X-DISCONTINUITY"
            if not line.startswith("#"):
                assert sequence_of.setdefault(line, number) == number
    assert int(tags(live.rendition, "#EXT-X-DISCONTINUITY-SEQUENCE")[0]) > 3


def test_the_next_session_goes_on_where_this_one_ended() -> None:
    live = Live()
    live.segments(2)
    live.come_back()
    live.segments(1)
    live.end()
    assert live.presentation.next_msn == live.rendition.listed[-1].msn + 1
    assert live.presentation.next_discontinuity_sequence == 3 + 1
    following = Live(begins_with_discontinuity=True)
    following.segments(1)
    assert len(tags(following.rendition, "#EXT-X-DISCONTINUITY")) == 1


def test_dates_follow_from_the_first_and_the_durations() -> None:
    live = Live()
    for _ in range(6):
        live.wait(2.3)  # the clock runs away from the media: no date shows it
        live.segments(1)
    read = m3u8.loads(text(live.rendition.playlist()))
    for before, after in pairwise(read.segments):
        step = after.program_date_time - before.program_date_time
        assert abs(step.total_seconds() - before.duration) <= 0.001


def test_dates_begin_anew_after_a_discontinuity() -> None:
    live = Live()
    live.segments(1)
    live.come_back()
    live.wait(60)
    live.segments(1)
    assert live.rendition.listed[-1].begins_at == NOON + timedelta(seconds=60 - 0.5)


def test_dates_never_run_backwards() -> None:
    live = Live()
    live.segments(3)
    live.come_back()
    live.wait(-3600)
    live.segments(1)
    segments = live.rendition.listed
    between = segments[-1].begins_at - segments[-2].ends_at
    assert timedelta() <= between < timedelta(milliseconds=1), "dates are whole milliseconds"
