"""Which origin is asked: in order or by stream, when one is down, when all are."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.fetch.origins import (
    FOUND_ELSEWHERE_S,
    MOST_FOUND_ELSEWHERE,
    Choice,
    Origins,
    Turn,
    stream_of,
)

NAMES = st.lists(st.from_regex(r"http://[a-z]{1,12}", fullmatch=True), min_size=2, unique=True)
STREAMS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def origins(*names: str, choice: Choice = Choice.IN_ORDER) -> Origins:
    return Origins(names, choice, down_after=2, up_after=3)


def take_down(some: Origins, origin: int) -> None:
    some.failed(origin)
    some.failed(origin)


def test_in_order_the_first_that_is_well_is_asked() -> None:
    three = origins("a", "b", "c")
    assert three.ranking("main", 0.0) == [0, 1, 2]
    take_down(three, 0)
    assert three.ranking("main", 0.0) == [1, 2, 0]
    take_down(three, 1)
    assert three.ranking("main", 0.0) == [2, 0, 1]


@pytest.mark.parametrize("choice", list(Choice))
def test_when_all_are_down_the_ranking_is_as_when_all_are_well(choice: Choice) -> None:
    three = origins("a", "b", "c", choice=choice)
    before = three.ranking("main", 0.0)
    for origin in range(3):
        take_down(three, origin)
    assert three.ranking("main", 0.0) == before


def test_it_takes_failures_in_a_row_to_go_down_and_good_answers_in_a_row_to_come_back() -> None:
    one = origins("a")
    reports = [one.failed, one.answered, one.failed, one.failed, one.failed]
    assert [report(0) for report in reports] == [
        *[Turn.NOTHING] * 3,
        Turn.WENT_DOWN,
        Turn.NOTHING,
    ]
    reports = [one.answered, one.answered, one.failed, one.answered, one.answered, one.answered]
    assert [report(0) for report in reports] == [*[Turn.NOTHING] * 5, Turn.CAME_BACK]
    assert one.is_well(0)


@given(names=NAMES, stream=STREAMS)
def test_by_stream_the_order_of_the_list_makes_no_difference(names: list[str], stream: str) -> None:
    ahead = origins(*names, choice=Choice.BY_STREAM).ranking(stream, 0.0)
    behind = origins(*names[::-1], choice=Choice.BY_STREAM).ranking(stream, 0.0)
    assert [names[origin] for origin in ahead] == [names[::-1][origin] for origin in behind]


@given(names=NAMES, stream=STREAMS, data=st.data())
def test_by_stream_only_the_streams_of_the_origin_that_goes_are_moved(
    names: list[str], stream: str, data: st.DataObject
) -> None:
    some = origins(*names, choice=Choice.BY_STREAM)
    before = some.ranking(stream, 0.0)
    gone = data.draw(st.sampled_from(range(len(names))))
    take_down(some, gone)
    expected = before[0] if before[0] != gone else before[1]
    assert some.ranking(stream, 0.0)[0] == expected


def test_by_stream_streams_are_spread_evenly_before_and_after_one_goes() -> None:
    some = origins("http://a", "http://b", "http://c", "http://d", choice=Choice.BY_STREAM)
    streams = [f"stream-{number}" for number in range(4000)]
    share = Counter(some.ranking(stream, 0.0)[0] for stream in streams)
    assert all(800 < share[origin] < 1200 for origin in range(4))
    take_down(some, 0)
    share = Counter(some.ranking(stream, 0.0)[0] for stream in streams)
    assert all(1130 < share[origin] < 1540 for origin in (1, 2, 3))


def test_the_ranking_of_a_stream_is_the_same_in_every_process_and_release() -> None:
    some = origins("http://a", "http://b", "http://c", choice=Choice.BY_STREAM)
    assert [some.ranking(stream, 0.0) for stream in ("main", "side", "cam-2")] == [
        [0, 2, 1],
        [1, 2, 0],
        [1, 2, 0],
    ]


def test_where_a_stream_was_found_is_remembered_for_a_while() -> None:
    two = origins("a", "b")
    two.found("main", 1, now=100.0)
    assert two.ranking("main", 100.0 + FOUND_ELSEWHERE_S - 0.1) == [1, 0]
    assert two.ranking("other", 100.0) == [0, 1]
    assert two.ranking("main", 100.0 + FOUND_ELSEWHERE_S) == [0, 1]


def test_where_a_stream_was_found_does_not_matter_once_that_one_is_down() -> None:
    two = origins("a", "b")
    two.found("main", 1, now=0.0)
    take_down(two, 1)
    assert two.ranking("main", 0.0) == [0, 1]


def test_names_that_viewers_make_up_do_not_fill_the_memory() -> None:
    two = origins("a", "b")
    for number in range(MOST_FOUND_ELSEWHERE + 1):
        two.found(f"stream-{number}", 1, now=0.0)
    assert two.ranking("stream-0", 0.0) == [0, 1]
    assert two.ranking("stream-1", 0.0) == [1, 0]


@pytest.mark.parametrize(
    ("target", "stream"),
    [("/main/v0/index.m3u8?_HLS_msn=3", "main"), ("/main", "main"), ("/", ""), ("/a?b", "a")],
)
def test_a_stream_is_the_first_segment_of_the_path(target: str, stream: str) -> None:
    assert stream_of(target) == stream
