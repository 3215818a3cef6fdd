"""Several pictures of which some stay away: who waits for whom, and what nobody loses."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.hls.cuts import PartReady, SegmentEnded, SegmenterEvent
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from tests.support.frames import AUDIO, START, VIDEO, picture, sounds

RULES = Rules()
SECOND, FRAME, GOP = 90_000, 3000, 60
TRACKS = (VIDEO, VIDEO, AUDIO)
LONGEST_WAIT = SECOND * 3 // 4 + 2 * FRAME
"""A part, and half of one: what one picture may be ahead of what is published."""

Arrival = tuple[int, Sample]


def film(
    seconds: int, *, away: Sequence[tuple[int, int]] = (), early: int = 0, aside: int = 0
) -> Iterator[Sample]:
    """Pictures that are away between some frames, and decoded ``early`` ticks sooner than others.

    Keyframes come ``aside`` frames later than those of others.
    """
    for number in range(seconds * 30):
        if not any(begin <= number < end for begin, end in away):
            made = picture(START + number * FRAME - early, key=number % GOP == aside)
            yield made._replace(composition_offset=Ticks(early))


def arrivals(*films: Iterator[Sample], seconds: int = 9, lag: int = 0) -> list[Arrival]:
    """Everything in the order of its time; the second picture comes ``lag`` ticks after it."""
    timed = [
        (sample.dts + lag * index, index, sample)
        for index, film in enumerate(films)
        for sample in film
    ]
    timed += [(sample.dts * 90 // 48, 2, sample) for sample in sounds(seconds * 47)]
    return [(index, sample) for _, index, sample in sorted(timed, key=lambda each: each[:2])]


def cut(samples: Sequence[Arrival]) -> list[SegmenterEvent]:
    segmenter = Segmenter(RULES, TRACKS, target=2)
    events = [event for index, sample in samples for event in segmenter.push(index, sample)]
    return events + list(segmenter.flush())


def parts_of(events: Sequence[SegmenterEvent]) -> list[PartReady]:
    return [event for event in events if isinstance(event, PartReady)]


def track(parts: Sequence[PartReady], index: int) -> list[Sample]:
    return [sample for part in parts for sample in part.samples[index]]


def waits(samples: Sequence[Arrival]) -> list[int]:
    """At each frame of a picture: how far it is ahead of the end of all parts."""
    segmenter, until, ahead = Segmenter(RULES, TRACKS, target=2), START, list[int]()
    for index, sample in samples:
        for event in segmenter.push(index, sample):
            if isinstance(event, PartReady):
                until = event.start + event.duration
        if index < 2:
            ahead.append(sample.dts + sample.composition_offset - until)
    return ahead


absences = st.lists(
    st.tuples(st.integers(20, 200), st.integers(1, 150)).map(lambda at: (at[0], at[0] + at[1])),
    max_size=3,
)


def both_away(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> set[int]:
    """The frames at which no picture is decodable: each waits for its keyframe, if away."""
    return {number for number in range(270) if _is_away(one, number) and _is_away(other, number)}


def _is_away(away: Sequence[tuple[int, int]], number: int) -> bool:
    return any(begin - 2 <= number < end + GOP for begin, end in away)


@settings(deadline=None, max_examples=25)
@given(absences, absences, st.sampled_from([0, FRAME, 2 * FRAME]))
def test_no_part_waits_for_a_picture_that_stays_away(
    one: list[tuple[int, int]], other: list[tuple[int, int]], early: int
) -> None:
    samples = arrivals(film(9, away=one), film(9, away=other, early=early))
    parts = parts_of(cut(samples))
    assert all(before.start + before.duration == after.start for before, after in pairwise(parts))
    assert all(0 < part.duration <= SECOND // 2 for part in parts)
    if not both_away(one, other):
        assert max(waits(samples)) <= LONGEST_WAIT


@settings(deadline=None, max_examples=25)
@given(absences, st.sampled_from([0, 1]), st.integers(0, GOP - 1), st.integers(0, 2))
def test_nobody_loses_a_frame_for_another_and_who_comes_back_begins_with_a_keyframe(
    away: list[tuple[int, int]], who: int, aside: int, early: int
) -> None:
    films = [list(film(9)), list(film(9))]
    films[who] = list(film(9, away=away, aside=aside, early=early * FRAME))
    events = cut(arrivals(*map(iter, films)))
    parts = parts_of(events)
    there = track(parts, 1 - who)
    assert there == films[1 - who][-len(there) :], "nothing is missing from where it begins"
    assert there[0].dts <= START + GOP * FRAME
    assert track(parts, 2)[-1] == list(sounds(9 * 47))[-1]
    known = {sample.dts: number for number, sample in enumerate(films[who])}
    for before, after in pairwise(part.samples[who] for part in parts):
        if after and not before:
            at = known[after[0].dts]
            follows = at and films[who][at - 1] in track(parts, who)
            assert after[0].is_sync or follows, "it can be decoded"


@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("early", [0, 2 * FRAME])
def test_segments_go_on_to_begin_with_keyframes_whoever_stays_away(who: int, early: int) -> None:
    films = [film(9), film(9, early=early)]
    films[who] = film(9, away=[(100, 190)], early=early if who else 0)
    events = cut(arrivals(*films))
    assert not any(event.by_force for event in events if isinstance(event, SegmentEnded))
    first = [
        after
        for before, after in pairwise(events)
        if isinstance(before, SegmentEnded) and isinstance(after, PartReady)
    ]
    assert len(first) == 4
    assert all(part.starts_independent for part in first)
    assert all(part.samples[1 - who][0].is_sync for part in first)
    assert [part.samples[who] == () for part in first] == [False, True, True, False]


@pytest.mark.parametrize("lag", [FRAME, SECOND // 3, SECOND - FRAME])
def test_a_picture_that_always_comes_late_is_not_away_for_good(lag: int) -> None:
    parts = parts_of(cut(arrivals(film(9), film(9), lag=lag)))
    missing = [number for number, part in enumerate(parts) if not part.samples[1]]
    assert all(number < 2 for number in missing), "but for the first ones"
    assert track(parts, 1)[-1] == list(film(9))[-1]


def test_a_picture_that_never_begins_is_not_waited_for() -> None:
    parts = parts_of(cut(arrivals(iter(()), film(9))))
    assert track(parts, 1) == list(film(9))
    assert max(waits(arrivals(iter(()), film(9)))) <= LONGEST_WAIT


@pytest.mark.parametrize("early", [0, 3 * FRAME])
def test_whoever_leads_cuts_exactly_and_the_sound_by_as_much_sooner(early: int) -> None:
    films = film(9, away=[(100, 190)]), film(9, early=early)
    parts = parts_of(cut(arrivals(*films)))
    for part in parts[:-1]:
        begin_s, end_s = (part.start - early) / SECOND, (part.start + part.duration) / SECOND
        assert all(begin_s <= each.dts / 48_000 < end_s for each in part.samples[2])
        assert len(part.samples[1]) == part.duration // FRAME
    assert track(parts, 2) == list(sounds(9 * 47))
