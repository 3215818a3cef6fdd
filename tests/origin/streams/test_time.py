"""Whatever an encoder's clock does, and whatever pauses: what viewers are given stays in order.

Each play pushes a broadcast with something wrong into a packager, on a wall clock of its own, and
then looks at the whole session as it was listed: lengths, dates, and the media behind them.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from origin.errors import MediaError
from origin.hls.cuts import PartReady
from origin.hls.memory import Memory
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.hls.segment import Segment
from origin.media.coded import Coded, CodedFrame, MediaKind
from origin.media.timebase import MILLIS_WRAP
from origin.streams.calendar import Calendar
from origin.streams.packager import Packager
from tests.support.broadcasts import (
    AAC_HEADER,
    AVC_HEADER,
    FRAME_MS,
    KEYFRAME_EVERY,
    media,
    picture,
)
from tests.support.clocks import EPOCH, FakeClock
from tests.support.packaging import body

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
HOUR_MS = 3_600_000

Arrival = tuple[float, int, Coded]
"""When a unit comes, in seconds, and what it is stamped with."""


class Session:
    """A packager that is fed in real time, and its session."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.clock = FakeClock()
        self.rules = rules or Rules(window=10_000)
        self.presentation = Presentation(
            rules=self.rules,
            epoch="e",
            first_msn=1,
            first_discontinuity_sequence=0,
            begins_with_discontinuity=False,
        )
        calendar = Calendar(self.clock, self.presentation.redate)
        self.packager = Packager(self.rules, self.presentation, calendar.now)

    def feed(self, arrivals: Iterable[Arrival], *headers: Coded) -> "Session":
        for header in headers or (AVC_HEADER, AAC_HEADER):
            self.packager.push(0, header)
        for when_s, at, unit in arrivals:
            self.clock.advance(when_s - self.clock.now)
            self.packager.push(at % MILLIS_WRAP, unit)
        self.packager.flush()
        return self

    def off_s(self) -> list[float]:
        """How far each segment's date is after the moment at which its picture was sent."""
        numbers = [int.from_bytes(each.run(0)[0].payload[-4:], "big") for each in self.listed]
        return [
            (each.begins_at - EPOCH).total_seconds() - number * FRAME_MS / 1000
            for each, number in zip(self.listed, numbers, strict=True)
        ]

    def check_dates(self) -> None:
        """Media tells the time between discontinuities (within 1 ms), and it never goes back."""
        assert len(self.listed) > 1
        for one, other in pairwise(self.listed):
            step_s = (other.begins_at - one.begins_at).total_seconds()
            assert step_s > 0
            if not other.is_discontinuous:
                assert abs(step_s - one.duration_s) <= 0.00101

    @property
    def listed(self) -> tuple[Segment, ...]:
        return self.presentation.main.listed

    @property
    def breaks(self) -> list[int]:
        """Where the discontinuities are."""
        return [index for index, each in enumerate(self.listed) if each.is_discontinuous]

    def check(self) -> None:
        """What no clock may break (RFC 8216, 4.3.3.1; media without gap but at discontinuities)."""
        target = self.presentation.target_duration
        assert target is not None
        for segment in self.listed:
            assert round(segment.duration_s) <= target
            assert segment.duration_s == sum(p.duration for p in segment.parts) / segment.timescale
        for domain in self.domains():
            for index in range(len(domain[0].tracks)):
                run = [sample for segment in domain for sample in segment.run(index)]
                assert all(one.dts + one.duration == other.dts for one, other in pairwise(run))

    def domains(self) -> list[list[Segment]]:
        domains: list[list[Segment]] = []
        for segment in self.listed:
            if segment.is_discontinuous or not domains:
                domains.append([])
            domains[-1].append(segment)
        return domains


def in_time(
    frames: Iterable[tuple[int, CodedFrame]], stamp: Callable[[int, CodedFrame], int]
) -> list[Arrival]:
    """Frames that come when they should, with the time stamps of a clock of their own."""
    return [(at / 1000, stamp(at, frame), frame) for at, frame in frames]


def as_sent(at: int, frame: CodedFrame) -> int:
    return at


@pytest.mark.parametrize("jump", [HOUR_MS, -HOUR_MS, 30_000, -1500, 1500, MILLIS_WRAP // 2 - 5000])
def test_a_jump_of_all_tracks_is_one_discontinuity(jump: int) -> None:
    def stamp(at: int, frame: CodedFrame) -> int:
        return at + (jump if at >= 9000 else 0)

    session = Session().feed(in_time(media(20), stamp))
    session.check()
    assert len(session.breaks) == 1
    assert sum(segment.duration_s for segment in session.listed) == pytest.approx(19, abs=1.2)


def test_a_wrap_of_32_bits_is_seamless() -> None:
    session = Session().feed(in_time(media(20), lambda at, _: MILLIS_WRAP - 7000 + at))
    session.check()
    assert session.breaks == []
    assert sum(segment.duration_s for segment in session.listed) == 20


@pytest.mark.parametrize("back", [-40, -400, -900])
def test_a_small_step_back_is_straightened_out(back: int) -> None:
    def stamp(at: int, frame: CodedFrame) -> int:
        return at + (back if 9000 <= at < 9500 else 0)

    session = Session().feed(in_time(media(20), stamp))
    session.check()
    assert session.breaks == []


@pytest.mark.parametrize("per_mille", [-100, -10, 10, 100])
def test_a_track_that_drifts_is_put_back_next_to_the_picture(per_mille: int) -> None:
    def stamp(at: int, frame: CodedFrame) -> int:
        return at + (at * per_mille // 1000 if frame.track.kind is AUDIO else 0)

    session = Session().feed(in_time(media(100), stamp))
    session.check()
    assert session.breaks == []
    for segment in session.listed:
        starts_s = [
            segment.run(index)[0].dts / track.timescale
            for index, track in enumerate(segment.tracks)
        ]
        assert abs(starts_s[0] - starts_s[1]) <= 1.1


def test_time_stamps_that_stay_0_play_at_the_rate_of_the_frames() -> None:
    session = Session().feed(in_time(media(60), lambda at, frame: 0))
    session.check()
    assert session.breaks == []
    assert sum(segment.duration_s for segment in session.listed) == pytest.approx(60, abs=0.3)
    assert session.listed[-1].run(1)[-1].dts / 44_100 == pytest.approx(61, abs=0.5)


def test_time_stamps_that_stay_0_in_pictures_alone_play_too() -> None:
    session = Session().feed(in_time(media(60, with_audio=False), lambda at, _: 0), AVC_HEADER)
    session.check()
    assert sum(segment.duration_s for segment in session.listed) == pytest.approx(60, abs=0.3)


@pytest.mark.parametrize("of", [VIDEO, AUDIO])
def test_one_track_whose_time_stamps_stay_0_keeps_up_with_the_other(of: MediaKind) -> None:
    session = Session().feed(
        in_time(media(60), lambda at, frame: 0 if frame.track.kind is of else at)
    )
    session.check()
    last = session.listed[-1]
    ends_s = [last.run(n)[-1].dts / track.timescale for n, track in enumerate(last.tracks)]
    assert ends_s == pytest.approx([61, 61], abs=0.5)


@pytest.mark.parametrize("seconds", [1.2, 2.0, 6.0, 30.0])
def test_sound_that_pauses_and_comes_back_is_in_the_segment_of_its_time(seconds: float) -> None:
    end = 8000 + seconds * 1000
    frames = [
        each for each in media(50) if each[1].track.kind is VIDEO or not 8000 <= each[0] < end
    ]
    session = Session().feed(in_time(frames, as_sent))
    session.check()
    assert session.breaks == []
    for segment in session.listed[:-1]:
        begins_s = segment.start / segment.timescale
        sounds = [sample.dts / 44_100 for sample in segment.run(1)]
        assert sounds, "players would wait for it"
        assert all(begins_s - 1.6 <= at <= begins_s + segment.duration_s for at in sounds)


def test_no_keyframe_for_a_minute_keeps_the_target_duration_and_bounds_memory() -> None:
    session = Session(Rules(window=10_000, longest_part_bytes=256 * 1024))

    def frames() -> Iterable[tuple[int, CodedFrame]]:
        number = 0
        for at, frame in media(90):
            if frame.track.kind is AUDIO:
                yield at, frame
                continue
            made = picture(number if number < 2 * KEYFRAME_EVERY else 1)
            unit = made.payload[4:] + bytes(4_000)  # 6 MB in the minute
            payload = len(unit).to_bytes(4, "big") + unit
            yield at, made._replace(payload=payload)
            number += 1

    session.feed(in_time(frames(), as_sent))
    session.check()
    assert session.presentation.target_duration == 2
    late = session.listed[3:]
    assert not any(part.independent for segment in late for part in segment.parts)
    assert all(part.independent for part in [segment.parts[0] for segment in session.listed[:2]])
    text = body(session.presentation.main.playlist()).decode()
    assert "#EXT-X-INDEPENDENT-SEGMENTS" not in text


def sent_by_a_clock(seconds: float, per_mille: float, late_s: float = 0.0) -> list[Arrival]:
    """A broadcast stamped by a clock that is so much too fast."""
    return [
        (at / 1000 + late_s, round(at * (1 + per_mille / 1000)), frame)
        for at, frame in media(seconds)
    ]


@pytest.mark.parametrize("per_mille", [-10, 10])
def test_a_clock_that_is_1_percent_off_is_dated_anew_before_it_is_half_a_second_off(
    per_mille: int,
) -> None:
    session = Session().feed(sent_by_a_clock(150, per_mille))
    session.check()
    session.check_dates()
    assert max(map(abs, session.off_s())) < 0.5
    assert 2 <= len(session.breaks) <= 4
    seconds = sum(segment.duration_s for segment in session.listed)
    assert seconds == pytest.approx(150 * (1 + per_mille / 1000), abs=0.2), "media rules"


def test_what_is_late_keeps_its_dates() -> None:
    """An upload that stops for 15 s and then sends all at once; another is 0.6 s late at times."""

    def came_at(at_s: float) -> float:
        if 30 <= at_s < 45:
            return max(at_s, 45.0)
        return at_s + (0.6 if 60 <= at_s < 68 or int(at_s) % 13 == 5 else 0.0)

    sent = sent_by_a_clock(120, 0)
    arrivals = [(came_at(when_s), at, frame) for when_s, at, frame in sent]
    latest = 0.0
    for index, (when_s, at, frame) in enumerate(arrivals):
        latest = max(latest, when_s)
        arrivals[index] = latest, at, frame
    session = Session().feed(arrivals)
    session.check_dates()
    assert session.breaks == []
    assert max(map(abs, session.off_s())) <= 0.1


def test_a_publisher_who_begins_with_a_burst_is_dated_once() -> None:
    arrivals = [
        (max(when_s - 0.5, when_s / 10), at, frame) for when_s, at, frame in sent_by_a_clock(60, 0)
    ]
    session = Session().feed(arrivals)
    session.check_dates()
    assert session.breaks == []


def test_pictures_that_were_held_back_until_it_was_clear_that_they_are_alone_have_their_date() -> (
    None
):
    session = Session().feed(in_time(media(60, with_audio=False), as_sent), AVC_HEADER)
    session.check_dates()
    assert session.breaks == []
    assert max(map(abs, session.off_s())) <= 0.05


@pytest.mark.parametrize(
    ("hours", "breaks"), [pytest.param(1, 1, id="forward"), pytest.param(-1, 0, id="back")]
)
def test_a_wall_clock_that_is_set_moves_dates_forward_once_and_never_back(
    hours: int, breaks: int
) -> None:
    session = Session()
    arrivals = sent_by_a_clock(60, 0)
    for header in (AVC_HEADER, AAC_HEADER):
        session.packager.push(0, header)
    for when_s, at, frame in arrivals:
        if when_s >= 31 and not session.clock.wall_is_ahead:
            session.clock.wall_is_ahead = timedelta(hours=hours)
        session.clock.advance(when_s - session.clock.now)
        session.packager.push(at, frame)
    session.packager.flush()
    session.check()
    session.check_dates()
    assert len(session.breaks) == breaks
    assert session.off_s()[-1] == pytest.approx(3600 if hours > 0 else 0, abs=0.1)
    assert sum(segment.duration_s for segment in session.listed) == 60


def test_a_keyframe_that_browsers_would_refuse_ends_the_publish_with_a_reason() -> None:
    session = Session().feed(in_time(media(4), as_sent))
    broken = picture(0)._replace(payload=b"\x00\x00\x00\x01\x65" + bytes(50))
    session.packager.push(0, AVC_HEADER)
    with pytest.raises(MediaError, match="Annex B"):
        session.packager.push(4000, broken)
    session.packager.flush()
    session.check()
    assert sum(segment.duration_s for segment in session.listed) == 4


class Notes:
    """Fulfils ``hls.presentation.Observer``: what one who goes on from any segment would know."""

    def __init__(self) -> None:
        self.begun: list[Memory] = []
        self.parts: list[list[tuple[PartReady, datetime]]] = []

    def segment_begins(self, memory: Memory) -> None:
        self.begun.append(memory)
        self.parts.append([])

    def part_added(self, part: PartReady, at: datetime) -> None:
        self.parts[-1].append((part, at))

    def segment_ended(self) -> None: ...

    def ended(self) -> None: ...


def test_dates_that_were_moved_are_the_same_to_whoever_goes_on_from_any_segment() -> None:
    session, notes = Session(), Notes()
    session.presentation.observe(notes)
    session.feed(sent_by_a_clock(60, 10))
    assert len(session.breaks) == 1
    for index, segment in enumerate(session.listed):
        again = Session().presentation
        again.recall(notes.begun[index], session.presentation.tracks)
        for part, at in notes.parts[index]:
            again.add(part, at)
        assert again.main.growing.begins_at == segment.begins_at
        assert again.main.growing.is_discontinuous == segment.is_discontinuous
        assert notes.begun[index].is_discontinuous == segment.is_discontinuous
