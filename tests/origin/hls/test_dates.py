"""Dates of segments: counted in media, near the clock, and moved when nothing else helps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.hls.dates import DELAY_S, Dating, first_date, next_date
from origin.media.timebase import Ticks

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMESCALE = 90_000
HOUR_S = 3600.0


@dataclass(frozen=True)
class Dated:
    """A segment: when it was made, and its date."""

    real_s: float
    start: Ticks
    date: datetime
    is_break: bool

    @property
    def off_s(self) -> float:
        return (self.date - NOON).total_seconds() - self.real_s


def date_all(
    seconds: float,
    *,
    segment_s: float = 2.0,
    speed: float = 1.0,
    late_s: Callable[[float], float] = lambda real_s: 0.0,
) -> list[Dated]:
    """The segments of an encoder whose clock runs so fast, and which come so late."""
    return list(_dated(seconds, segment_s, speed, late_s))


def _dated(
    seconds: float, segment_s: float, speed: float, late_s: Callable[[float], float]
) -> Iterator[Dated]:
    dating: Dating | None = None
    start, is_break = Ticks(0), False
    while start / TIMESCALE / speed < seconds:
        real_s = start / TIMESCALE / speed
        seen = NOON + timedelta(seconds=real_s + late_s(real_s))
        if dating is None:
            dating = first_date(start, seen, None)
        else:
            dating, is_break = next_date(dating, start, TIMESCALE, seen)
        yield Dated(real_s, start, dating.at, is_break)
        start = Ticks(start + round(segment_s * TIMESCALE))


def check(segments: list[Dated]) -> None:
    for one, other in pairwise(segments):
        assert other.date > one.date
        assert other.date.microsecond % 1000 == 0
        step_s = (other.date - one.date).total_seconds()
        if not other.is_break:
            assert abs(step_s - (other.start - one.start) / TIMESCALE) <= 0.0010001


def breaks(segments: list[Dated]) -> int:
    return sum(segment.is_break for segment in segments)


@pytest.mark.parametrize("segment_s", [2.0, 2.002, 1.92, 10.0])
def test_a_clock_that_is_right_gives_dates_that_are_right(segment_s: float) -> None:
    segments = date_all(HOUR_S, segment_s=segment_s)
    check(segments)
    assert breaks(segments) == 0
    assert max(abs(segment.off_s) for segment in segments) <= 0.06


@pytest.mark.parametrize("ppm", [-200, -100, 100, 200])
def test_an_honest_clock_is_followed_without_a_break(ppm: int) -> None:
    segments = date_all(4 * HOUR_S, speed=1 + ppm / 1_000_000)
    check(segments)
    assert breaks(segments) == 0
    assert max(abs(segment.off_s) for segment in segments) <= 0.06


@pytest.mark.parametrize("speed", [0.99, 1.01, 0.995, 1.005, 0.999, 1.001])
@pytest.mark.parametrize("segment_s", [1.0, 2.0, 4.0, 10.0])
def test_a_broken_clock_is_never_half_a_second_off(speed: float, segment_s: float) -> None:
    segments = date_all(HOUR_S / 2, speed=speed, segment_s=segment_s)
    check(segments)
    assert max(abs(segment.off_s) for segment in segments) < 0.5
    apart_s = [other.real_s - one.real_s for one, other in pairwise(segments) if other.is_break]
    assert len(apart_s) <= HOUR_S / 2 * abs(speed - 1) / 0.25 + 1


def test_what_is_late_on_its_way_keeps_its_date() -> None:
    def late_s(real_s: float) -> float:
        if 100 <= real_s < 130:
            return 130 - real_s  # an outage; then all at once
        if 200 <= real_s < 900:
            return 2.5  # an upload with a full buffer
        return 0.7 if int(real_s) % 14 == 2 else 0.0  # and hiccups

    segments = date_all(1000, late_s=late_s)
    check(segments)
    assert breaks(segments) == 0
    assert max(abs(segment.off_s) for segment in segments) <= 0.05


@pytest.mark.parametrize("burst_s", [0.3, 0.5, 0.9, 3.0])
def test_a_burst_at_the_beginning_is_no_reason_to_date_anew(burst_s: float) -> None:
    segments = date_all(600, late_s=lambda real_s: -min(real_s * 0.9, burst_s))
    check(segments)
    assert breaks(segments) == 0


def test_an_encoder_that_sends_faster_than_time_passes_is_dated_by_its_media() -> None:
    segments = date_all(60, late_s=lambda real_s: -0.9 * real_s)
    check(segments)
    assert breaks(segments) == 0


def test_a_domain_does_not_begin_before_the_last_one_has_ended() -> None:
    assert first_date(Ticks(5), NOON, NOON + timedelta(seconds=3)).at == NOON + timedelta(seconds=3)
    assert first_date(Ticks(5), NOON, NOON - timedelta(seconds=3)).at == NOON


@given(
    st.lists(st.tuples(st.integers(1, 10 * TIMESCALE), st.floats(-5, 5)), min_size=1, max_size=60)
)
def test_whatever_comes_when_dates_rise_and_only_breaks_part_them_from_the_media(
    steps: list[tuple[int, float]],
) -> None:
    dating, start = first_date(Ticks(0), NOON, None), Ticks(0)
    segments = [Dated(0.0, start, dating.at, False)]
    for length, late_s in steps:
        length = max(length, 200)
        start = Ticks(start + length)
        seen = NOON + timedelta(seconds=start / TIMESCALE + late_s)
        exact = dating.at + timedelta(seconds=length / TIMESCALE)
        dating, is_break = next_date(dating, start, TIMESCALE, seen)
        segments.append(Dated(0.0, start, dating.at, is_break))
        assert abs((dating.at - exact).total_seconds()) <= DELAY_S + 0.001
    check(segments)
