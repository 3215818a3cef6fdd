from collections.abc import Iterable, Iterator
from itertools import pairwise, repeat

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.hls.cuts import PartReady, SegmentEnded, SegmenterEvent
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter
from origin.media.sample import Sample
from tests.support.frames import (
    AUDIO,
    START,
    VIDEO,
    interleaved,
    picture,
    pictures,
    sound,
    sounds,
)

RULES = Rules()


def run(
    segmenter: Segmenter, samples: Iterable[tuple[int, Sample]], *, flush: bool = True
) -> list[SegmenterEvent]:
    events = [event for index, sample in samples for event in segmenter.push(index, sample)]
    return events + (list(segmenter.flush()) if flush else [])


def video_only(samples: Iterable[Sample]) -> Iterator[tuple[int, Sample]]:
    return ((0, sample) for sample in samples)


def parts_of(events: Iterable[SegmenterEvent]) -> list[PartReady]:
    return [event for event in events if isinstance(event, PartReady)]


def segments_of(events: Iterable[SegmenterEvent]) -> list[list[PartReady]]:
    """The parts of each segment; the last one must have ended, too."""
    segments: list[list[PartReady]] = [[]]
    for event in events:
        if isinstance(event, PartReady):
            segments[-1].append(event)
        else:
            segments.append([])
    assert segments.pop() == []
    return segments


def length_s(parts: Iterable[PartReady]) -> float:
    return sum(part.duration / part.timescale for part in parts)


def test_parts_are_as_long_as_allowed_and_no_longer() -> None:
    parts = parts_of(run(Segmenter(RULES, (VIDEO,)), video_only(pictures(60))))
    assert [len(part.samples[0]) for part in parts] == [15, 15, 15, 15]
    assert [part.duration for part in parts] == [45_000] * 4
    assert [part.start for part in parts] == [START + 45_000 * number for number in range(4)]


def test_a_part_ends_before_the_frame_that_would_make_it_too_long() -> None:
    ntsc = pictures(60, step=3003)
    parts = parts_of(run(Segmenter(RULES, (VIDEO,), target=2), video_only(ntsc)))
    assert [len(part.samples[0]) for part in parts] == [14, 14, 14, 14, 4]


def test_a_frame_longer_than_a_part_is_a_part() -> None:
    slow = pictures(6, step=90_000, keyframe_every=2)
    segments = segments_of(run(Segmenter(RULES, (VIDEO,)), video_only(slow)))
    assert [[part.duration for part in parts] for parts in segments] == [[90_000] * 2] * 3


def test_a_segment_ends_at_the_first_keyframe_past_its_length() -> None:
    events = run(Segmenter(RULES, (VIDEO,), target=3), video_only(pictures(150, keyframe_every=25)))
    segments = segments_of(events)
    assert [length_s(parts) for parts in segments] == [pytest.approx(2.5), pytest.approx(2.5)]
    assert all(parts[0].samples[0][0].is_sync for parts in segments)
    assert all(parts[0].starts_independent for parts in segments)
    assert not any(event.by_force for event in events if isinstance(event, SegmentEnded))


def test_the_first_segment_of_a_session_is_the_first_gop() -> None:
    events = run(Segmenter(RULES, (VIDEO,)), video_only(pictures(210, keyframe_every=30)))
    assert [length_s(parts) for parts in segments_of(events)] == [1.0, 2.0, 2.0, 2.0]
    intra = run(Segmenter(RULES, (VIDEO,)), video_only(pictures(135, keyframe_every=1)))
    assert [length_s(parts) for parts in segments_of(intra)] == [0.5, 2.0, 2.0]


def test_a_keyframe_that_is_met_ends_the_first_segment_before_its_length_is_known() -> None:
    segmenter = Segmenter(RULES, (VIDEO,))
    assert segmenter.meet_keyframe() == ()
    frames = list(pictures(90))
    events = run(segmenter, video_only(frames[:30]), flush=False)
    events += segmenter.meet_keyframe()
    assert [length_s(parts) for parts in segments_of(events)] == [1.0]
    assert segmenter.meet_keyframe() == ()
    later = run(segmenter, video_only(frames[30:]))
    assert [length_s(parts) for parts in segments_of(later)] == [2.0]
    assert parts_of(later)[0].starts_independent


def test_a_keyframe_that_is_met_too_early_ends_nothing() -> None:
    segmenter = Segmenter(RULES, (VIDEO,))
    run(segmenter, video_only(pictures(10)), flush=False)
    assert segmenter.meet_keyframe() == ()


def test_a_keyframe_that_comes_a_millisecond_early_ends_the_segment() -> None:
    early = [picture(START, key=True, duration=179_910), picture(START + 179_910, key=True)]
    segments = segments_of(run(Segmenter(RULES, (VIDEO,)), video_only(early)))
    assert len(segments) == 2


def test_only_parts_with_a_keyframe_are_independent() -> None:
    events = run(Segmenter(RULES, (VIDEO,), target=3), video_only(pictures(90, keyframe_every=40)))
    parts = parts_of(events)
    assert [part.independent for part in parts] == [True, False, True, False, False, False, True]
    assert [part.starts_independent for part in parts] == [True] + [False] * 5 + [True]


def test_without_keyframes_segments_end_where_the_target_duration_would_be_exceeded() -> None:
    events = run(Segmenter(RULES, (VIDEO,)), video_only(pictures(1200, keyframe_every=9999)))
    lengths = [length_s(parts) for parts in segments_of(events)]
    assert lengths[0] == pytest.approx(10.466, abs=0.001)
    assert all(length < 10.5 for length in lengths)
    assert [event.by_force for event in events if isinstance(event, SegmentEnded)] == [
        True,
        True,
        True,
        False,
    ]


def test_the_first_segment_sets_the_length_of_all_that_follow() -> None:
    first = list(pictures(90, keyframe_every=9999))
    rest = pictures(300, keyframe_every=9999, begin=START + 90 * 3000)
    segments = segments_of(run(Segmenter(RULES, (VIDEO,)), video_only([*first, *rest])))
    lengths = [length_s(parts) for parts in segments]
    assert lengths[0] == 3
    assert max(lengths) == pytest.approx(3.466, abs=0.001)


def test_a_target_duration_that_is_fixed_already_holds_from_the_first_segment_on() -> None:
    segmenter = Segmenter(RULES, (VIDEO,), target=2)
    segments = segments_of(run(segmenter, video_only(pictures(300, keyframe_every=9999))))
    assert max(length_s(parts) for parts in segments) <= 2.49


def test_two_seconds_of_ntsc_are_a_target_duration_of_two() -> None:
    ntsc = pictures(60, step=3003, keyframe_every=60)
    slower = pictures(300, step=3003, keyframe_every=9999, begin=START + 60 * 3003)
    segments = segments_of(run(Segmenter(RULES, (VIDEO,)), video_only([*ntsc, *slower])))
    assert length_s(segments[0]) == pytest.approx(2.002)
    assert max(length_s(parts) for parts in segments) <= 2.49


def test_what_comes_before_the_first_keyframe_is_dropped_in_all_tracks() -> None:
    video = [*pictures(30, keyframe_every=9999, begin=START)][1:]
    video += pictures(30, begin=START + 30 * 3000)
    samples = interleaved(iter(video), sounds(90))
    parts = parts_of(run(Segmenter(RULES, (VIDEO, AUDIO)), samples))
    assert parts[0].samples[0][0] == picture(START + 90_000, key=True)
    assert parts[0].samples[1][0].dts == 48_000 + 47 * 1024
    assert sum(len(part.samples[1]) for part in parts) == 90 - 47


def test_audio_that_waits_for_a_keyframe_does_not_pile_up() -> None:
    rules = Rules(longest_part_bytes=200_000)
    segmenter = Segmenter(rules, (VIDEO, AUDIO))
    for sample in sounds(5000):
        assert segmenter.push(1, sample) == ()
    assert segmenter.flush() == ()


def test_pictures_that_nobody_can_decode_do_not_pile_up() -> None:
    segmenter = Segmenter(Rules(longest_part_bytes=2000), (VIDEO,))
    for number in range(100):
        assert segmenter.push(0, picture(START + number * 3000)) == ()


def test_audio_is_dealt_out_by_its_time() -> None:
    samples = interleaved(pictures(60), sounds(94))
    parts = parts_of(run(Segmenter(RULES, (VIDEO, AUDIO)), samples))
    for part in parts[:-1]:
        end_s = (part.start + part.duration) / 90_000
        assert all(part.start / 90_000 <= each.dts / 48_000 < end_s for each in part.samples[1])


def test_audio_that_comes_too_late_goes_into_the_next_part() -> None:
    samples = interleaved(pictures(61), sounds(94), audio_late_s=0.3)
    parts = parts_of(run(Segmenter(RULES, (VIDEO, AUDIO)), samples))
    assert parts[1].samples[1][0].dts < parts[1].start * 48 // 90
    delivered = [sample for part in parts for sample in part.samples[1]]
    assert delivered == list(sounds(94))


def test_audio_alone_is_cut_into_whole_frames_and_segments_of_whole_parts() -> None:
    events = run(Segmenter(RULES, (AUDIO,)), ((0, each) for each in sounds(400)))
    segments = segments_of(events)
    assert [len(part.samples[0]) for part in segments[0]] == [23, 23, 23, 23]
    assert all(part.independent and part.starts_independent for part in parts_of(events))
    assert not any(event.by_force for event in events if isinstance(event, SegmentEnded))


def test_video_goes_on_while_audio_is_silent() -> None:
    samples = interleaved(pictures(120), sounds(20))
    segments = segments_of(run(Segmenter(RULES, (VIDEO, AUDIO), target=2), samples))
    assert [len(parts) for parts in segments] == [4, 4]
    assert segments[1][0].samples[1] == ()


def test_audio_goes_on_while_video_is_silent() -> None:
    video = [*pictures(30, keyframe_every=9999)]
    samples = interleaved(iter(video), sounds(700))
    segments = segments_of(run(Segmenter(RULES, (VIDEO, AUDIO), target=2), samples))
    assert len(segments) == 8
    assert all(length_s(parts) <= 2.49 for parts in segments)
    assert all(part.duration <= 45_000 for parts in segments for part in parts)
    delivered = [each for parts in segments for part in parts for each in part.samples[1]]
    assert delivered == list(sounds(700))


def test_video_that_comes_back_late_is_not_lost() -> None:
    segmenter = Segmenter(RULES, (VIDEO, AUDIO))
    events = run(segmenter, video_only(pictures(30, keyframe_every=9999)), flush=False)
    events += run(segmenter, ((1, each) for each in sounds(400)), flush=False)
    late = list(pictures(90, begin=START + 90_000))
    events += run(segmenter, video_only(late))
    parts = parts_of(events)
    assert [each for part in parts for each in part.samples[0]][30:] == late
    assert all(one.start + one.duration == other.start for one, other in pairwise(parts))


def test_a_short_wait_for_video_cuts_nothing() -> None:
    segmenter = Segmenter(RULES, (VIDEO, AUDIO))
    events = run(segmenter, video_only(pictures(3)), flush=False)
    events += run(segmenter, ((1, each) for each in sounds(140)), flush=False)
    assert events == []


def test_flush_publishes_every_whole_frame() -> None:
    samples = interleaved(pictures(40), sounds(70))
    events = run(Segmenter(RULES, (VIDEO, AUDIO)), samples)
    parts = parts_of(events)
    assert [each for part in parts for each in part.samples[0]] == list(pictures(40))
    assert [each for part in parts for each in part.samples[1]] == list(sounds(70))
    assert isinstance(events[-1], SegmentEnded)
    assert parts[-1].start + parts[-1].duration == START + 40 * 3000


def test_flush_before_anything_is_nothing() -> None:
    assert Segmenter(RULES, (VIDEO, AUDIO)).flush() == ()


def test_flush_twice_ends_nothing_twice() -> None:
    segmenter = Segmenter(RULES, (VIDEO,))
    run(segmenter, video_only(pictures(10)))
    assert segmenter.flush() == ()


def test_audio_that_outlasts_the_video_is_cut_into_parts_at_the_end() -> None:
    samples = interleaved(pictures(30), sounds(140))
    parts = parts_of(run(Segmenter(RULES, (VIDEO, AUDIO)), samples))
    assert all(part.duration <= 45_000 for part in parts)
    assert sum(len(part.samples[1]) for part in parts) == 140


def test_audio_beside_a_long_last_frame_is_not_taken_for_silence() -> None:
    slow = pictures(6, step=90_000, keyframe_every=2)
    samples = interleaved(slow, sounds(6 * 47))
    segments = segments_of(run(Segmenter(RULES, (VIDEO, AUDIO)), samples))
    assert [length_s(parts) for parts in segments] == pytest.approx([2.0] * 3)
    assert all(parts[0].starts_independent for parts in segments)


@pytest.mark.parametrize("payload", [b"x" * 5000, b""], ids=["large frames", "empty frames"])
def test_time_stamps_that_stand_still_end_the_publish(payload: bytes) -> None:
    segmenter = Segmenter(Rules(longest_part_bytes=100_000), (VIDEO,))
    segmenter.push(0, picture(START, key=True))
    still = picture(START, duration=0, payload=payload)
    with pytest.raises(MediaError, match="time stamps stand still"):
        run(segmenter, video_only(repeat(still, 100_000)))


def test_any_length_of_a_healthy_stream_stays_in_bounds() -> None:
    segmenter = Segmenter(Rules(longest_part_bytes=20_000), (VIDEO, AUDIO))
    run(segmenter, interleaved(pictures(3000), sounds(4680)))


steps = st.lists(st.integers(1, 9_000), min_size=1, max_size=120)


@settings(deadline=None)
@given(
    video_steps=steps,
    keys=st.sets(st.integers(0, 119)),
    audio_count=st.integers(0, 400),
    audio_begin=st.integers(0, 60_000),
    audio_late_s=st.floats(-0.5, 0.5),
)
def test_whatever_comes_nothing_is_lost_and_nothing_is_too_long(
    video_steps: list[int],
    keys: set[int],
    audio_count: int,
    audio_begin: int,
    audio_late_s: float,
) -> None:
    video, at = [], START
    for number, step in enumerate(video_steps):
        video.append(picture(at, key=number == 0 or number in keys, duration=step))
        at += step
    audio = list(sounds(audio_count, begin=audio_begin))
    samples = interleaved(iter(video), iter(audio), audio_late_s=audio_late_s)
    events = run(Segmenter(RULES, (VIDEO, AUDIO)), samples)
    parts = parts_of(events)
    assert [each for part in parts for each in part.samples[0]] == video
    delivered = [each for part in parts for each in part.samples[1]]
    assert delivered == [each for each in audio if each.dts >= 48_000]
    assert parts[0].start == START
    assert all(one.start + one.duration == other.start for one, other in pairwise(parts))
    assert all(0 < part.duration <= 45_000 for part in parts)
    assert all(any(part.samples) for part in parts)
    assert all(length_s(segment) <= 10.49 for segment in segments_of(events))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0, 0, 0, 20_000, 200_000])), max_size=60)
)
@example([(0, 0), (0, 0), (0, 20_000), (1, 20_000), (1, 20_000), (0, 20_000)])
def test_silence_of_any_track_loses_nothing_and_makes_no_empty_part(
    steps: list[tuple[int, int]],
) -> None:
    samples: list[tuple[int, Sample]] = [(0, picture(START, key=True))]
    ends = [START + 3000, 48_000]
    for index, gap in steps:
        ends[index] += gap
        made = picture(ends[0], key=ends[0] % 2 == 0) if index == 0 else sound(ends[1])
        samples.append((index, made))
        ends[index] += made.duration
    events = run(Segmenter(RULES, (VIDEO, AUDIO)), samples)
    parts = parts_of(events)
    for index in (0, 1):
        delivered = [each for part in parts for each in part.samples[index]]
        assert delivered == [each for track, each in samples if track == index]
    assert all(part.duration > 0 and any(part.samples) for part in parts)
    assert all(one.start + one.duration == other.start for one, other in pairwise(parts))
