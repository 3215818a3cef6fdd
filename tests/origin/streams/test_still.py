"""A picture that stops while its sound goes on is its last keyframe, until it comes back.

Real recordings, over and over, with some seconds of their pictures left out.
"""

import subprocess
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from origin.hls.playlist import Container
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
)
from origin.media.sample import Sample
from origin.rtmp.flv import read_audio, read_video
from origin.streams.timeline import Timeline
from tests.origin.streams.test_time import Session, as_sent, in_time
from tests.origin.streams.test_timeline import (
    BOTH,
    START,
    audio,
    flushed,
    in_order,
    samples,
    video,
)
from tests.support.broadcasts import OTHER_AVC_RECORD, media
from tests.support.flv_files import flv_file
from tests.support.packaging import initialization_of, segment_bodies
from tests.support.replays import recorded

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
STOPS, RETURNS, ENDS = 4_300, 9_000, 14_000
FRAME = 90 * 40
STILL = 45_000
"""Ticks for which a keyframe is shown each time."""

IDR = b"\x00\x00\x00\x02\x65\x00"
IDR_FRAME = video(key=True)._replace(payload=IDR)

Units = list[tuple[int, Coded]]


def h264() -> Units:
    """FFmpeg 5.1's, with a keyframe every other second."""
    return [
        (message.at, unit)
        for message in recorded("ffmpeg5_h264_aac")
        for unit in (read_video if message.kind is VIDEO else read_audio)(message.body)
    ]


def over_and_over(units: Units) -> list[tuple[int, CodedFrame]]:
    """The frames in the order of their times, until the end."""
    frames = [(at, unit) for at, unit in units if isinstance(unit, CodedFrame)]
    frames.sort(key=lambda each: each[0])
    length = frames[-1][0] + 40
    turns = range(ENDS // length + 1)
    repeated = [(at + turn * length, frame) for turn in turns for at, frame in frames]
    return [(at, frame) for at, frame in repeated if at < ENDS]


def play(units: Units, *news: tuple[int, Coded], stops: int = STOPS) -> Session:
    """Send a recording without some of its pictures, and something else amid it."""
    headers = [unit for _, unit in units if not isinstance(unit, CodedFrame | SequenceEnd)]
    sent: Units = [
        (at, frame)
        for at, frame in over_and_over(units)
        if frame.track.kind is AUDIO or not stops <= at < RETURNS
    ]
    ordered = sorted([*sent, *news], key=lambda each: each[0])
    return Session().feed([(at / 1000, at, unit) for at, unit in ordered], *headers)


def run_of(session: Session, track: int) -> list[Sample]:
    return [sample for segment in session.listed for sample in segment.run(track)]


def body_of(session: Session, container: Container) -> bytes:
    whole = b"".join(segment_bodies(session.presentation.main, container))
    if container is Container.TS:
        return whole
    return initialization_of(session.presentation.main) + whole


def check(session: Session) -> None:
    """No break, no gap, no step of a date, one picture at a time; and one that fills every part."""
    session.check()
    session.check_dates()
    assert session.breaks == []
    shown = sorted(sample.dts + sample.composition_offset for sample in run_of(session, 0))
    assert min(after - before for before, after in pairwise(shown)) >= FRAME // 2
    parts = [part for segment in session.listed for part in segment.parts]
    for part in parts:
        assert sum(sample.duration for sample in part.samples[0]) == part.duration


def tracks(session: Session) -> list[int]:
    """How many there are in each domain."""
    return [len(domain[0].tracks) for domain in session.domains()]


@pytest.mark.parametrize(
    ("units", "container"),
    [
        pytest.param(h264, Container.FMP4, id="h264"),
        pytest.param(h264, Container.TS, id="h264 in ts"),
        pytest.param(flv_file("av1_opus").units, Container.FMP4, id="av1"),
        pytest.param(flv_file("vp9_opus").units, Container.FMP4, id="vp9"),
    ],
)
def test_what_is_shown_meanwhile_is_decoded_without_a_complaint(
    units: Callable[[], Units], container: Container, tmp_path: Path
) -> None:
    session = play(units())
    check(session)
    stills = [sample for sample in run_of(session, 0) if sample.duration == STILL]
    assert len({still.payload for still in stills}) == 1
    # From where it stopped to its next keyframe, of which there is one every other second.
    assert RETURNS - STOPS - 500 <= len(stills) * 500 <= RETURNS - STOPS + 2000
    target = tmp_path / f"session.{container.value}"
    target.write_bytes(body_of(session, container))
    assert decoded(target) == (len(run_of(session, 0)), "")


def decoded(target: Path) -> tuple[int, str]:
    """How many pictures FFmpeg finds in a file, and what it complains of."""
    strict = ["ffmpeg", "-v", "warning", "-xerror", "-err_detect", "explode"]
    arguments = [*strict, "-i", str(target), "-map", "0:v", "-f", "framecrc", "-"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return sum(line.startswith("0,") for line in done.stdout.splitlines()), done.stderr


@pytest.mark.parametrize("stops", range(4_000, 6_000, 120))
def test_wherever_it_stops_each_part_has_as_much_picture_as_it_is_long(stops: int) -> None:
    check(play(h264(), stops=stops))


def test_the_picture_comes_back_with_a_keyframe_at_its_own_time() -> None:
    session = play(h264())
    sent = [(at, frame) for at, frame in over_and_over(h264()) if frame.track.kind is VIDEO]
    back = next(at for at, frame in sent if at >= RETURNS and frame.is_keyframe)
    dts = (back - sent[0][0]) * 90 + run_of(session, 0)[0].dts
    came = [sample for sample in run_of(session, 0) if sample.dts >= dts]
    assert [sample.payload for sample in came] == [f.payload for at, f in sent if at >= back]
    assert came[0].dts == dts


def test_sound_that_changes_meanwhile_does_not_wait_for_the_picture() -> None:
    other = SequenceHeader(AUDIO_TRACK, Codec.AAC, bytes.fromhex("119056e500"))  # 48 kHz
    assert tracks(play(h264(), (STOPS + 3000, other))) == [2, 1, 2]


def test_a_camera_that_is_another_when_it_comes_back_costs_one_discontinuity() -> None:
    other = SequenceHeader(VIDEO_TRACK, Codec.AVC, OTHER_AVC_RECORD)
    assert tracks(play(h264(), (STOPS + 3000, other))) == [2, 2]


def of_open_gops(frames: Iterable[tuple[int, CodedFrame]]) -> Iterable[tuple[int, CodedFrame]]:
    """The same without an IDR picture."""
    for at, frame in frames:
        payload = frame.payload.replace(b"\x05\x65", b"\x05\x41")
        yield at, frame._replace(payload=payload)


def test_a_picture_that_stops_for_good_leaves_the_sound_playing() -> None:
    frames = [each for each in media(60) if each[1].track.kind is AUDIO or each[0] < 10_000]
    session = Session().feed(in_time(frames, as_sent))
    session.check()
    session.check_dates()
    assert session.breaks == []
    parts = [part for segment in session.listed for part in segment.parts]
    assert all(run for part in parts for run in part.samples)
    assert sum(segment.duration_s for segment in session.listed) == pytest.approx(60, abs=1)


def test_without_a_keyframe_that_can_be_shown_again_the_sound_goes_on_alone() -> None:
    frames = [each for each in media(60) if each[1].track.kind is AUDIO or each[0] < 10_000]
    session = Session().feed(in_time(of_open_gops(frames), as_sent))
    session.check()
    assert [len(segment.tracks) for segment in (session.listed[0], session.listed[-1])] == [2, 1]
    assert len(session.breaks) == 1
    alone_s = sum(segment.duration_s for segment in session.domains()[1])
    assert 36 <= alone_s <= 41, "some 10 s after its last picture it is sound alone"


def test_a_picture_that_comes_back_is_shown_from_its_keyframe_on() -> None:
    frames = [
        each for each in media(60) if each[1].track.kind is AUDIO or not 10_000 <= each[0] < 31_000
    ]
    session = Session().feed(in_time(of_open_gops(frames), as_sent))
    session.check()
    assert [len(domain[0].tracks) for domain in session.domains()] == [2, 1, 2]
    assert session.domains()[2][0].run(0)[0].is_sync
    assert sum(segment.duration_s for segment in session.listed) == pytest.approx(60, abs=3)


def pictures_then_sound(*, gop: int = 50, step: int = 40) -> list[tuple[int, CodedFrame]]:
    """Sound for 18 s, and for the first 12 also pictures: every ``step`` ms one."""
    shown = [(step * n, IDR_FRAME if n % gop == 0 else video()) for n in range(12_000 // step)]
    return in_order(shown + [(n * 64 // 3, audio()) for n in range(18_000 * 3 // 64)])


def stills(timeline: Timeline) -> list[Sample]:
    found: list[Sample] = []
    while still := timeline.next_still(lambda at: STILL):
        found.append(still[1])
    return found


@pytest.mark.parametrize("behind", [0, 900])
def test_a_picture_that_stops_is_its_last_keyframe_as_far_behind_the_sound_as_ever(
    behind: int,
) -> None:
    timeline = Timeline(BOTH, START)
    lags: list[int] = []
    arrivals = pictures_then_sound()
    arrivals.sort(key=lambda each: each[0] + behind * (each[1].track.kind is VIDEO))
    for at, frame in arrivals:
        timeline.push(at, frame)
        if new := stills(timeline):
            lags.append(at + START - (new[-1].dts + new[-1].duration) // 90)
    assert len(lags) >= 6, "every half a second, from the second second on"
    assert behind - 100 <= min(lags) <= max(lags) <= behind + 1000
    (still,) = {sample.payload for sample in samples(flushed(timeline), VIDEO)}
    assert still == IDR


@pytest.mark.parametrize(
    ("gop", "step"),
    [pytest.param(1000, 20, id="no keyframe for long"), pytest.param(2, 600, id="slow pictures")],
)
def test_a_picture_that_has_better_be_waited_for_is_not_replaced(gop: int, step: int) -> None:
    timeline = Timeline(BOTH, START)
    for at, frame in pictures_then_sound(gop=gop, step=step):
        timeline.push(at, frame)
        assert not stills(timeline)
