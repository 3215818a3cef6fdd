"""What is asked of a playlist, and what to do about it."""

from dataclasses import replace

import pytest

from origin.hls.blocking import (
    LiveEdge,
    MalformedDirective,
    Verdict,
    Wanted,
    advance_limit,
    judge,
    longest_hold_s,
    longest_part_hold_s,
    read_directives,
)

READY, WAIT, REFUSE = Verdict.READY, Verdict.WAIT, Verdict.REFUSE
EDGE = LiveEdge(msn=20, parts=2, last_parts=4, part_target_s=0.5)
"""Segment 19 is complete and has parts 0 to 3; of 20, parts 0 and 1 are there."""


@pytest.mark.parametrize(
    ("msn", "part", "verdict"),
    [
        pytest.param(None, None, READY, id="no directive"),
        pytest.param(19, None, READY, id="the last segment"),
        pytest.param(20, None, WAIT, id="the whole of the open segment"),
        pytest.param(21, None, WAIT, id="the whole of the next segment"),
        pytest.param(22, None, REFUSE, id="three segments ahead"),
        pytest.param(3, None, READY, id="a segment older than the window"),
        pytest.param(3, 99, READY, id="a part older than the window"),
        pytest.param(20, 0, READY, id="a part of the open segment"),
        pytest.param(20, 1, READY, id="the last part"),
        pytest.param(20, 2, WAIT, id="the next part"),
        pytest.param(20, 7, WAIT, id="as many parts ahead as may be"),
        pytest.param(20, 8, REFUSE, id="one part more than that"),
        pytest.param(21, 0, WAIT, id="the first part of the next segment"),
        pytest.param(21, 5, WAIT, id="as many parts into the next segment as may be"),
        pytest.param(21, 6, REFUSE, id="one more than that"),
        pytest.param(22, 0, REFUSE, id="a part of the segment three ahead"),
        pytest.param(19, 3, READY, id="the last part of the last segment"),
        pytest.param(19, 4, READY, id="beyond the last part is the next segment's first"),
        pytest.param(19, 99, READY, id="far beyond it, too"),
    ],
)
def test_each_place_in_the_stream(msn: int | None, part: int | None, verdict: Verdict) -> None:
    assert judge(Wanted(msn, part), EDGE).verdict is verdict


def test_beyond_the_last_part_waits_where_the_next_segment_has_none() -> None:
    between = replace(EDGE, parts=0)
    assert judge(Wanted(19, 4), between).verdict is WAIT
    assert judge(Wanted(20, 0), between).verdict is WAIT
    assert judge(Wanted(19, 3), between).verdict is READY


@pytest.mark.parametrize("wanted", [Wanted(20), Wanted(20, 2), Wanted(999), Wanted(20, 99)])
def test_everything_is_ready_once_the_stream_has_ended(wanted: Wanted) -> None:
    assert judge(wanted, replace(EDGE, has_ended=True)).verdict is READY


def test_a_refusal_says_why() -> None:
    assert judge(Wanted(40), EDGE).reason == "segment 40 is more than 2 after the last one"
    assert judge(Wanted(20, 50), EDGE).reason == "part 50 is more than 6 after the last one"


@pytest.mark.parametrize(
    ("part_target_s", "parts"), [(0.2, 15), (0.334, 9), (0.5, 6), (1.0, 3), (2.0, 3)]
)
def test_three_seconds_of_parts_may_be_asked_for_ahead(part_target_s: float, parts: int) -> None:
    assert advance_limit(part_target_s) == parts


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ([], Wanted()),
        ([("_HLS_msn", "7")], Wanted(7)),
        ([("_HLS_msn", "7"), ("_HLS_part", "0")], Wanted(7, 0)),
        ([("_HLS_part", "12"), ("x", "1"), ("_HLS_msn", "07"), ("x", "2")], Wanted(7, 12)),
        ([("_HLS_skip", "YES")], Wanted(skips=True)),
        ([("_HLS_skip", "v2"), ("_HLS_msn", "1")], Wanted(1, skips=True)),
        ([("_HLS_future", "YES"), ("_hls_msn", "-1")], Wanted()),
    ],
)
def test_directives_are_read_in_any_order_among_others(
    query: list[tuple[str, str]], wanted: Wanted
) -> None:
    assert read_directives(query) == wanted


@pytest.mark.parametrize(
    "query",
    [
        pytest.param([("_HLS_part", "1")], id="a part of no segment"),
        pytest.param([("_HLS_msn", "-1")], id="negative"),
        pytest.param([("_HLS_msn", "1.5")], id="a fraction"),
        pytest.param([("_HLS_msn", "")], id="empty"),
        pytest.param([("_HLS_msn", "²")], id="a digit of another kind"),
        pytest.param([("_HLS_msn", "1" * 21)], id="longer than any number"),
        pytest.param([("_HLS_msn", "1"), ("_HLS_part", "x")], id="no number"),
        pytest.param([("_HLS_msn", "1"), ("_HLS_part", " 1")], id="a blank"),
        pytest.param([("_HLS_msn", "1"), ("_HLS_msn", "1")], id="twice the same"),
        pytest.param([("_HLS_skip", "NO")], id="a skip that is none"),
        pytest.param([("_HLS_skip", "YES"), ("_HLS_skip", "v2")], id="two skips"),
    ],
)
def test_what_no_client_may_send_is_malformed(query: list[tuple[str, str]]) -> None:
    with pytest.raises(MalformedDirective):
        read_directives(query)


def test_nobody_is_held_for_longer_than_players_wait() -> None:
    assert longest_hold_s(Wanted(20, 2), 2, 0.5) == pytest.approx(1.28)
    assert longest_hold_s(Wanted(20, 2), 2, 1.0) == pytest.approx(2.4)
    assert longest_hold_s(Wanted(20), 2, 0.5) == 6
    assert longest_part_hold_s(2) == 6
