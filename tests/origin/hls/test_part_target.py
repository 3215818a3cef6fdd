"""PART-TARGET holds for any frame rate: no part is longer, and only the last is much shorter.

draft-pantos-hls-rfc8216bis, 4.4.3.7 and 4.4.4.9.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from origin.hls.cuts import PartReady, SegmentEnded, SegmenterEvent
from origin.hls.rules import SHORTEST_PART, Rules
from origin.hls.segmenter import Segmenter
from origin.media.aac import AacConfiguration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from tests.support.frames import AUDIO, VIDEO, interleaved, picture, sounds
from tests.support.packaging import Packaging, text

RATES: list[Fraction | float] = [
    Fraction(24000, 1001),
    24,
    25,
    Fraction(30000, 1001),
    30,
    48,
    50,
    60,
    120,
]
SLOW_RATES: list[Fraction | float] = [3, 5, 7, 8, 10, 12, 15]
ONE_MS = 90
AUDIO_8_KHZ = Track(AacConfiguration.parse(bytes.fromhex("1590")))
AUDIO_44_KHZ = Track(AacConfiguration.parse(bytes.fromhex("1210")))


def stamped(
    rate: Fraction | float, seconds: float, jitter: Sequence[int] = (0,), gop_s: float = 2.0
) -> list[Sample]:
    """Frames whose times are whole milliseconds, each of them off by as many as ``jitter`` says."""
    count = round(seconds * rate)
    every = max(1, round(gop_s * rate))
    times = [1000]
    for number in range(1, count + 1):
        at = 1000 + int(number * 1000 / rate) + jitter[number % len(jitter)]
        times.append(max(at, times[-1] + 1))
    return [
        picture(one * ONE_MS, key=index % every == 0, duration=(other - one) * ONE_MS)
        for index, (one, other) in enumerate(pairwise(times))
    ]


def cut(
    tracks: tuple[Track, ...], samples: list[tuple[int, Sample]], rules: Rules
) -> list[list[PartReady]]:
    """The parts of each segment."""
    segmenter = Segmenter(rules, tracks)
    events: list[SegmenterEvent] = []
    for index, sample in samples:
        events += segmenter.push(index, sample)
    events += segmenter.flush()
    segments: list[list[PartReady]] = [[]]
    for event in events:
        if isinstance(event, SegmentEnded):
            segments.append([])
        else:
            segments[-1].append(event)
    return segments[:-1]


def check(segments: list[list[PartReady]], target_s: float) -> None:
    for parts in segments:
        lengths = [part.duration / part.timescale for part in parts]
        assert max(lengths) <= target_s
        assert all(length >= SHORTEST_PART * target_s for length in lengths[:-1])
        assert all(any(part.samples) for part in parts)
    starts = [part for parts in segments for part in parts]
    assert all(one.start + one.duration == other.start for one, other in pairwise(starts))


@pytest.mark.parametrize("rate", RATES + SLOW_RATES, ids=lambda rate: f"{float(rate):.2f} fps")
@pytest.mark.parametrize("part_s", [0.2, 0.334, 0.5, 1.0])
@pytest.mark.parametrize("has_audio", [True, False], ids=["with audio", "pictures alone"])
def test_the_rule_holds_at_every_frame_rate(
    rate: Fraction | float, part_s: float, has_audio: bool
) -> None:
    video = stamped(rate, 12)
    rules = Rules(part_s=part_s)
    if not has_audio and max(each.duration for each in video) > part_s * 90_000:
        return  # the one case that it cannot hold in; see below
    tracks = (VIDEO, AUDIO) if has_audio else (VIDEO,)
    samples = interleaved(iter(video), sounds(12 * 47 if has_audio else 0))
    segments = cut(tracks, samples, rules)
    check(segments, part_s)
    delivered = [each for parts in segments for part in parts for each in part.samples[0]]
    assert delivered == video
    assert all(parts[0].starts_independent for parts in segments)


@pytest.mark.parametrize("track", [AUDIO, AUDIO_44_KHZ, AUDIO_8_KHZ], ids=["48", "44.1", "8"])
def test_the_rule_holds_for_audio_alone(track: Track) -> None:
    samples = [(0, each) for each in sounds(500)]
    segments = cut((track,), samples, Rules())
    check(segments, 0.5)
    assert all(part.independent for parts in segments for part in parts)


@settings(deadline=None, max_examples=50)
@given(
    rate=st.one_of(st.sampled_from(RATES), st.floats(2.1, 120)),
    jitter=st.lists(st.integers(-20, 20), min_size=1, max_size=40),
    gop_s=st.floats(0.1, 12),
    has_audio=st.booleans(),
    audio_late_s=st.floats(-0.4, 0.4),
)
@example(rate=2.1, jitter=[4, -20], gop_s=1.0, has_audio=True, audio_late_s=0.25)
def test_the_rule_holds_whatever_the_jitter(
    rate: Fraction | float, jitter: list[int], gop_s: float, has_audio: bool, audio_late_s: float
) -> None:
    video = stamped(rate, 7, jitter, gop_s)
    audio: Iterator[Sample] = sounds(9 * 47) if has_audio else iter(())
    tracks = (VIDEO, AUDIO) if has_audio else (VIDEO,)
    segments = cut(tracks, interleaved(iter(video), audio, audio_late_s=audio_late_s), Rules())
    longest_s = max(sample.duration for sample in video) / 90_000
    if not has_audio and longest_s > 0.5:
        return
    check(segments, 0.5)
    assert [each for parts in segments for part in parts for each in part.samples[0]] == video


@pytest.mark.parametrize(("first", "second"), [(30, 5), (25, 10), (60, 24), (5, 30)])
def test_a_publisher_who_comes_back_with_another_frame_rate_keeps_the_target(
    first: int, second: int
) -> None:
    packaging = Packaging(Rules(window=100))
    packaging.configure(VIDEO)
    packaging.push_video(stamped(first, 6))
    packaging.flush()
    packaging.presentation.discontinue()
    packaging.configure(VIDEO)
    packaging.push_video(stamped(second, 6))
    rendition = packaging.rendition
    assert rendition.part_target_s == 0.5
    for segment in rendition.listed:
        lengths = [part.duration / segment.timescale for part in segment.parts]
        assert max(lengths) <= 0.5
        assert all(length >= 0.425 for length in lengths[:-1])


def test_pictures_alone_that_are_further_apart_than_a_part_make_the_target_longer() -> None:
    packaging = Packaging(Rules())
    packaging.configure(VIDEO)
    packaging.push_video(stamped(1, 12, jitter=(0, 9, 3)))
    assert packaging.rendition.part_target_s == 1.1
    assert "#EXT-X-PART-INF:PART-TARGET=1.100" in text(packaging.rendition.playlist())
    for segment in packaging.rendition.listed:
        assert all(0.935 <= part.duration / 90_000 <= 1.1 for part in segment.parts)


def test_a_target_stays_when_pictures_come_further_apart_later() -> None:
    """The one case in which a part is longer than PART-TARGET: it is promised nowhere else."""
    packaging = Packaging(Rules())
    packaging.configure(VIDEO)
    fast, slow = stamped(30, 4), stamped(1, 6)
    packaging.push_video(fast)
    at = fast[-1].dts + fast[-1].duration - slow[0].dts
    packaging.push_video(
        picture(Ticks(each.dts + at), key=each.is_sync, duration=each.duration) for each in slow
    )
    assert packaging.rendition.part_target_s == 0.5
    assert packaging.rendition.listed[-1].parts[-1].duration == 90_000
