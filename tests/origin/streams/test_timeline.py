"""The timeline: whatever the publisher's clock does, samples come out in order and without gaps."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import AUDIO_TRACK, VIDEO_TRACK, Codec, CodedFrame, MediaKind
from origin.media.sample import Sample
from origin.media.silence import silent_frame
from origin.media.timebase import MILLIS_WRAP, Millis
from origin.media.track import Track
from origin.streams.lanes import RESYNC
from origin.streams.timeline import PauseError, TimeJumpError, Timeline

AVC = AvcConfiguration(b"", "avc1.64001f", 320, 180, None, (1, 1), 4, (), ())
AAC = AacConfiguration(b"", "mp4a.40.2", 48_000, 2, 1024, 3)
VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
BOTH = {VIDEO_TRACK: Track(AVC), AUDIO_TRACK: Track(AAC)}
UNUSUAL_AAC = AacConfiguration(b"", "mp4a.40.2", 48_000, 2, 1024, None)
"""Its layout is written out: nobody knows what its silence is."""
WITHOUT_SILENCE = {VIDEO_TRACK: Track(AVC), AUDIO_TRACK: Track(UNUSUAL_AAC)}
START = Millis(1000)


def video(composition: int = 0, *, key: bool = False) -> CodedFrame:
    return CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(composition), key, b"v")


def audio() -> CodedFrame:
    return CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, b"a")


Timed = tuple[MediaKind, Sample]


def run(timeline: Timeline, arrivals: list[tuple[int, CodedFrame]]) -> list[Timed]:
    timed: list[Timed] = []
    for at, frame in arrivals:
        sample = timeline.push(at % MILLIS_WRAP, frame)
        timed += filled(timeline)
        if sample is not None:
            timed.append((frame.track.kind, sample))
    return timed + flushed(timeline)


def filled(timeline: Timeline) -> list[Timed]:
    return [(track.kind, sample) for track, sample in timeline.take_silence()]


def flushed(timeline: Timeline) -> list[Timed]:
    return [(track.kind, sample) for track, sample in timeline.flush()]


def samples(timed: list[Timed], kind: MediaKind) -> list[Sample]:
    return [sample for of, sample in timed if of is kind]


def gaps(track: list[Sample]) -> list[int]:
    return [b.dts - a.dts - a.duration for a, b in itertools.pairwise(track)]


def test_a_frame_lasts_until_the_next_one() -> None:
    timed = run(Timeline(BOTH, START), [(0, video()), (33, video()), (67, video()), (100, video())])
    assert [s.dts for s in samples(timed, VIDEO)] == [90_000, 92_970, 96_030, 99_000]
    assert [s.duration for s in samples(timed, VIDEO)] == [2970, 3060, 2970, 2970]


def test_audio_runs_on_its_sample_clock_whatever_the_milliseconds_say() -> None:
    timed = run(Timeline(BOTH, START), [(at, audio()) for at in (0, 21, 42, 64, 85, 106, 128)])
    track = samples(timed, AUDIO)
    assert [s.dts for s in track] == [48_000 + 1024 * n for n in range(7)]
    assert {s.duration for s in track} == {1024}


def test_audio_and_video_stay_as_far_apart_as_the_encoder_put_them() -> None:
    timed = run(Timeline(BOTH, START), [(46, video()), (12, audio()), (79, video()), (33, audio())])
    first_video, first_audio = samples(timed, VIDEO)[0], samples(timed, AUDIO)[0]
    apart = Fraction(first_video.dts, 90_000) - Fraction(first_audio.dts, 48_000)
    assert apart == Fraction(34, 1000)


def test_b_frames_keep_their_presentation_times() -> None:
    arrivals = [(0, video(67, key=True)), (33, video(133)), (67, video(33)), (100, video(-33))]
    track = samples(run(Timeline(BOTH, START), arrivals), VIDEO)
    shown = [(s.dts + s.composition_offset) // 90 - START for s in track]
    assert shown == [67, 166, 100, 67]


@pytest.mark.parametrize(
    "at",
    [
        pytest.param([0, 0, 0, 33], id="timestamps repeat"),
        pytest.param([0, 33, 20, 67], id="a small step back"),
        pytest.param([500, 100, 133, 540], id="stepping back for several frames"),
    ],
)
def test_dts_rises_even_where_timestamps_do_not(at: list[int]) -> None:
    track = samples(run(Timeline(BOTH, START), [(t, video()) for t in at]), VIDEO)
    assert len(track) == len(at)
    assert all(b.dts > a.dts for a, b in itertools.pairwise(track))
    assert not any(gaps(track))
    assert [s.dts + s.composition_offset for s in track] == [(START + t - at[0]) * 90 for t in at]


def test_the_wrap_of_32_bits_is_not_seen() -> None:
    begin = MILLIS_WRAP - 50
    timeline = Timeline(BOTH, START)
    arrivals = [(begin + 40 * n, video()) for n in range(5)]
    track = samples(run(timeline, arrivals), VIDEO)
    assert [s.dts // 90 - START for s in track] == [0, 40, 80, 120, 160]


@pytest.mark.parametrize("to", [1034, 3_600_000, MILLIS_WRAP - 2000])
def test_a_jump_of_the_leading_track_is_told(to: int) -> None:
    timeline = Timeline(BOTH, START)
    timeline.push(0, video())
    timeline.push(33, video())
    with pytest.raises(TimeJumpError):
        timeline.push(to, video())
    assert timeline.end == START + 66


@pytest.mark.parametrize("to", [33, 66, 1033, 0])
def test_a_pause_of_up_to_a_second_is_no_jump(to: int) -> None:
    timeline = Timeline(BOTH, START)
    timeline.push(0, video())
    timeline.push(33, video())
    assert timeline.push(to, video()) is not None


def test_a_picture_that_begins_an_hour_after_the_sound_is_a_jump() -> None:
    timeline = Timeline(BOTH, START)
    timeline.push(0, audio())
    with pytest.raises(TimeJumpError):
        timeline.push(3_600_000, video(key=True))
    assert filled(timeline) == []


def test_audio_that_jumps_alone_is_moved_next_to_the_picture() -> None:
    timeline = Timeline(BOTH, START)
    arrivals: list[tuple[int, CodedFrame]] = []
    for n in range(100):
        arrivals += [(40 * n, video()), (40 * n + (3_600_000 if n >= 50 else 0), audio())]
    timed = run(timeline, arrivals)
    end_of_video = samples(timed, VIDEO)[-1].dts / 90_000
    end_of_audio = samples(timed, AUDIO)[-1].dts / 48_000
    assert abs(end_of_video - end_of_audio) < 0.1
    assert not any(gaps(samples(timed, AUDIO)))


def test_sound_goes_on_while_the_picture_has_stalled() -> None:
    arrivals: list[tuple[int, CodedFrame]] = [(40 * n, video()) for n in range(25)]
    arrivals += [(n * 64 // 3, audio()) for n in range(470)]
    timed = run(Timeline(BOTH, START), sorted(arrivals, key=lambda arrival: arrival[0]))
    track = samples(timed, AUDIO)
    assert len(track) == 470
    assert not any(gaps(track))


@pytest.mark.parametrize(("silent", "other"), [(VIDEO, AUDIO), (AUDIO, VIDEO)])
def test_the_last_frame_of_a_track_that_fell_silent_is_not_dated_back(
    silent: MediaKind, other: MediaKind
) -> None:
    frames = {VIDEO: video(), AUDIO: audio()}
    arrivals = [(40 * n, frames[silent]) for n in range(25)]
    arrivals += [(n * 64 // 3, frames[other]) for n in range(470)]
    timeline = Timeline(WITHOUT_SILENCE, START)
    for at, frame in sorted(arrivals, key=lambda arrival: arrival[0]):
        timeline.push(at, frame)
    assert [kind for kind, _ in flushed(timeline)] == [other]


def in_order(arrivals: list[tuple[int, CodedFrame]]) -> list[tuple[int, CodedFrame]]:
    return sorted(arrivals, key=lambda arrival: arrival[0])


def sound_that_pauses(begin: int, end: int, until: int = 20_000) -> list[tuple[int, CodedFrame]]:
    """Picture all the time, and sound but from ``begin`` to ``end`` milliseconds."""
    arrivals = [(40 * n, video()) for n in range(until // 40)]
    heard = [n * 64 // 3 for n in range(until * 3 // 64)]
    return in_order(arrivals + [(at, audio()) for at in heard if not begin <= at < end])


def test_sound_that_pauses_is_silence_meanwhile() -> None:
    timeline, ended = Timeline(BOTH, START), 0
    track: list[Sample] = []
    for at, frame in sound_that_pauses(5000, 11_000):
        sample = timeline.push(at, frame)
        new = samples(filled(timeline), AUDIO)
        if sample is not None and frame.track.kind is AUDIO:
            new.append(sample)
        track += new
        if new:
            behind_ms = at + START - (new[-1].dts + new[-1].duration) * 1000 // 48_000
            assert behind_ms <= 300, "what comes is of now, not of long ago"
        ended = track[-1].dts if track else 0
    assert not any(gaps(track))
    assert ended * 1000 // 48_000 - START >= 19_900
    silent = [s for s in track if s.payload != b"a"]
    assert {s.payload for s in silent} == {silent_frame(AAC)}
    assert 5.8 <= sum(s.duration for s in silent) / 48_000 <= 6.3


def test_sound_that_never_comes_is_silence_from_the_beginning_on() -> None:
    timed = run(Timeline(BOTH, START), sound_that_pauses(0, 20_000))
    track = samples(timed, AUDIO)
    assert track[0].dts == 48_000
    assert not any(gaps(track))
    assert track[-1].dts / 48_000 >= 20.8


def test_sound_that_is_a_second_late_is_not_taken_for_missing() -> None:
    arrivals = [(40 * n, video()) for n in range(250)]
    late = [(n * 64 // 3 + 950, (n * 64 // 3, audio())) for n in range(470)]
    timeline = Timeline(BOTH, START)
    timed: list[Timed] = []
    for _, (at, frame) in sorted(
        [(at, (at, frame)) for at, frame in arrivals] + late, key=lambda entry: entry[0]
    ):
        sample = timeline.push(at, frame)
        assert not timeline.silence
        timed += [(frame.track.kind, sample)] if sample is not None else []
    assert len(samples(timed, AUDIO)) == 469


def test_a_pause_of_sound_whose_silence_is_unknown_is_over_in_another_domain() -> None:
    timeline = Timeline(WITHOUT_SILENCE, START)
    arrivals = sound_that_pauses(5000, 11_000)
    comes_back = next(at for at, frame in arrivals if at >= 11_000 and frame.track.kind is AUDIO)
    for at, frame in arrivals:
        if at == comes_back and frame.track.kind is AUDIO:
            with pytest.raises(PauseError):
                timeline.push(at, frame)
            return
        timeline.push(at, frame)
        assert not timeline.silence


@pytest.mark.parametrize("rate", [25.0, 30000 / 1001, 60.0])
def test_where_all_timestamps_are_the_same_frames_last_as_long_as_they_should(rate: float) -> None:
    avc = AvcConfiguration(b"", "avc1.64001f", 320, 180, rate, (1, 1), 4, (), ())
    tracks = {VIDEO_TRACK: Track(avc), AUDIO_TRACK: Track(AAC)}
    arrivals = [(n / rate, video(67)) for n in range(round(20 * rate))]
    arrivals += [(n * 1024 / 48_000, audio()) for n in range(20 * 47)]
    arrivals.sort(key=lambda arrival: arrival[0])
    timed = run(Timeline(tracks, START), [(0, frame) for _, frame in arrivals])
    for kind, timescale in ((VIDEO, 90_000), (AUDIO, 48_000)):
        track = samples(timed, kind)
        assert not any(gaps(track))
        end_s = (track[-1].dts + track[-1].duration) / timescale
        assert end_s == pytest.approx(21, abs=0.4), "all but what it took to find out"
    usual = round(90_000 / rate)
    durations = [s.duration for s in samples(timed, VIDEO)][10:]
    assert all(abs(duration - usual) <= 90 for duration in durations)
    assert {s.composition_offset for s in samples(timed, VIDEO)[10:]} == {67 * 90}


def test_a_clock_that_stands_still_for_a_while_and_goes_on_leaves_no_mark() -> None:
    at = [*range(0, 2000, 40), *[2000] * 50, *range(2040, 6000, 40)]
    timed = run(Timeline(BOTH, START), [(each, video()) for each in at])
    track = samples(timed, VIDEO)
    assert not any(gaps(track))
    assert len(track) == len(at)
    assert max(s.duration for s in track) <= 45 * 90
    assert sum(s.duration < 20 * 90 for s in track) <= 5


def test_a_hole_in_the_audio_stretches_the_frame_before_it() -> None:
    timeline = Timeline(BOTH, START)
    track = samples(run(timeline, [(0, audio()), (21, audio()), (521, audio())]), AUDIO)
    assert [s.dts - 48_000 for s in track] == [0, 1024, 25_008]
    assert not any(gaps(track))
    assert timeline.resyncs == 1


def test_audio_that_comes_too_fast_loses_frames_and_stays_in_step() -> None:
    timeline = Timeline(BOTH, START)
    timed = run(timeline, [(10 * n, audio()) for n in range(200)])
    track = samples(timed, AUDIO)
    last = track[-1]
    assert not any(gaps(track))
    assert abs((last.dts - 48_000) / 48 - 1990) <= RESYNC + 22
    assert len(track) < 200


@given(st.lists(st.tuples(st.booleans(), st.integers(-2000, 2000)), min_size=1, max_size=80))
def test_any_timestamps_give_tracks_without_gap_or_overlap(steps: list[tuple[bool, int]]) -> None:
    timeline, at, timed, pictures = Timeline(BOTH, START), 2**31, list[Timed](), 0
    for is_video, step in steps:
        at += step
        frame = video() if is_video else audio()
        try:
            sample = timeline.push(at, frame)
        except (TimeJumpError, PauseError):
            continue
        pictures += is_video
        timed += filled(timeline)
        timed += [(frame.track.kind, sample)] if sample is not None else []
    timed += flushed(timeline)
    for kind in MediaKind:
        own = samples(timed, kind)
        assert not any(gaps(own))
        assert all(s.duration > 0 and s.dts >= 0 for s in own)
    assert pictures - len(samples(timed, VIDEO)) <= 1  # the last one before it fell silent
