"""A publish of several pictures and sounds, unit by unit: which domains and renditions result."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from origin.hls.listing import SoundName
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import Codec, CodedFrame, MediaKind, SequenceEnd, SequenceHeader, TrackId
from origin.media.timebase import Millis
from origin.streams.metadata import told_sounds, told_tracks
from origin.streams.packager import MOST_TRACKS, Packager
from tests.support.broadcasts import AAC_RECORD, AUDIO_FRAME_S, AVC_RECORD, OTHER_AVC_RECORD
from tests.support.clocks import FakeClock

FRAME_MS, GOP = 40, 50
HIGH, LOW = TrackId(MediaKind.VIDEO, 0), TrackId(MediaKind.VIDEO, 1)
ENGLISH, GERMAN = TrackId(MediaKind.AUDIO, 0), TrackId(MediaKind.AUDIO, 1)
LADDER = (HIGH, LOW, ENGLISH)
MP3_FRAME = bytes.fromhex("fffb9464")
"""Layer III at 48 kHz: 24 ms."""


class Encoder:
    """Sends any tracks in the order of their times, as OBS and FFmpeg do."""

    def __init__(self, packager: Packager) -> None:
        self.packager = packager
        self.at_ms = 0

    def announce(self, *tracks: TrackId, record: bytes | None = None) -> None:
        for track in tracks:
            self.packager.push(self.at_ms, header(track, record))

    def send(
        self,
        seconds: float,
        *tracks: TrackId,
        unless: Callable[[TrackId, int], bool] = lambda track, at: False,
        reorders: Mapping[TrackId, int] | None = None,
    ) -> None:
        """Send frames for so long; ``reorders`` says how long before it is shown one is decoded."""
        late = reorders or {}
        units = [
            (at - late.get(track, 0), order, unit(track, late.get(track, 0), number, at))
            for order, track in enumerate(tracks)
            for number, at in times(track, seconds)
        ]
        for at, _, frame in sorted(units, key=lambda each: each[:2]):
            if not unless(frame.track, at + self.at_ms):
                self.packager.push(at + self.at_ms, frame)
        self.at_ms += round(seconds * 1000)


def header(track: TrackId, record: bytes | None = None) -> SequenceHeader:
    if track.kind is MediaKind.AUDIO:
        return SequenceHeader(track, Codec.AAC, record or AAC_RECORD)
    own = OTHER_AVC_RECORD if track.number % 2 else AVC_RECORD
    return SequenceHeader(track, Codec.AVC, record or own)


def times(track: TrackId, seconds: float) -> Iterator[tuple[int, int]]:
    step_ms = FRAME_MS if track.kind is MediaKind.VIDEO else AUDIO_FRAME_S * 1000
    for number in range(round(seconds * 1000 / step_ms)):
        yield number, 200 + int(number * step_ms)


def unit(track: TrackId, late: int, number: int, at: int) -> CodedFrame:
    if track.kind is MediaKind.AUDIO:
        return CodedFrame(track, Codec.AAC, Millis(0), True, b"\x21" + at.to_bytes(4, "big"))
    payload = b"\x00\x00\x00\x05\x65" + at.to_bytes(4, "big")
    return CodedFrame(track, Codec.AVC, Millis(late), number % GOP == 0, payload)


@pytest.fixture
def encoder() -> Encoder:
    presentation = Presentation(
        rules=Rules(),
        epoch="e",
        first_msn=1,
        first_discontinuity_sequence=0,
        begins_with_discontinuity=False,
    )
    return Encoder(Packager(Rules(), presentation, FakeClock().wall))


def offered(encoder: Encoder) -> str:
    """The names in the multivariant playlist."""
    resource = encoder.packager.presentation.multivariant()
    lines = b"".join(resource.pieces).decode().splitlines() if resource else []
    return " ".join(sorted(line.split("/")[0] for line in lines if not line.startswith("#")))


def discontinuities(encoder: Encoder, name: str) -> int:
    listed = encoder.packager.presentation.renditions[name].listed
    return sum(segment.is_discontinuous for segment in listed)


def test_all_tracks_that_are_announced_before_the_first_frame_are_there_at_once(
    encoder: Encoder,
) -> None:
    encoder.announce(ENGLISH, GERMAN, HIGH, LOW)
    encoder.send(4.3, HIGH, LOW, ENGLISH, GERMAN)
    assert list(encoder.packager.presentation.renditions) == ["p0", "p1", "a0", "a1"]
    assert offered(encoder) == "p0 p1"
    for rendition in encoder.packager.presentation.renditions.values():
        assert [segment.duration_s for segment in rendition.listed] == [2, 2]
        assert not any(segment.is_discontinuous for segment in rendition.listed)
    for name in ("p0", "p1"):
        listed = encoder.packager.presentation.renditions[name].listed
        assert [len(segment.run(0)) for segment in listed] == [50, 50]


def test_tracks_that_metadata_tells_of_are_waited_for(encoder: Encoder) -> None:
    encoder.packager.expect({"videocodecid": 7.0, "videoTrackIdInfoMap": {"1": {"width": 320.0}}})
    encoder.announce(HIGH)
    encoder.send(0.4, HIGH)
    assert not encoder.packager.presentation.tracks
    encoder.announce(LOW)
    encoder.send(4.3, HIGH, LOW)
    encoder.packager.flush()
    assert offered(encoder) == "v0 v1"
    assert discontinuities(encoder, "v0") == 0


@pytest.mark.parametrize("reordering", [HIGH, LOW])
def test_an_encoder_that_reorders_takes_nothing_of_independence(
    encoder: Encoder, reordering: TrackId
) -> None:
    encoder.announce(*LADDER)
    encoder.send(9, *LADDER, reorders={reordering: 80})
    for name in ("v0", "v1"):
        rendition = encoder.packager.presentation.renditions[name]
        assert all(segment.run(0)[0].is_sync for segment in rendition.listed)
        assert {len(segment.run(0)) for segment in rendition.listed} == {50}


def test_a_track_that_comes_later_begins_a_domain_without_a_restart(encoder: Encoder) -> None:
    encoder.announce(HIGH, ENGLISH)
    encoder.send(4, HIGH, ENGLISH)
    encoder.announce(LOW)
    encoder.send(4.3, *LADDER)
    assert offered(encoder) == "v0 v1"
    assert discontinuities(encoder, "v0") == discontinuities(encoder, "v1") == 1


def test_an_identical_header_changes_nothing(encoder: Encoder) -> None:
    for _ in range(3):
        encoder.announce(*LADDER)
        encoder.send(2, *LADDER)
    encoder.packager.flush()
    assert discontinuities(encoder, "v0") == discontinuities(encoder, "v1") == 0


def test_another_configuration_of_one_track_is_one_discontinuity_in_all(encoder: Encoder) -> None:
    encoder.announce(*LADDER)
    encoder.send(4, *LADDER)
    encoder.announce(LOW, record=AVC_RECORD)
    encoder.send(4.3, *LADDER)
    assert discontinuities(encoder, "v0") == discontinuities(encoder, "v1") == 1


def test_a_picture_that_is_over_is_done_without_soon(encoder: Encoder) -> None:
    encoder.announce(*LADDER)
    encoder.send(4, *LADDER)
    encoder.packager.push(encoder.at_ms, SequenceEnd(LOW))
    encoder.send(12, HIGH, ENGLISH)
    assert offered(encoder) == "v0"
    assert discontinuities(encoder, "v0") == discontinuities(encoder, "v1") == 1
    both = encoder.packager.presentation.renditions
    assert both["v1"].listed[-1].run(0) == both["v0"].listed[-1].run(0)


@pytest.mark.parametrize("silent", [HIGH, LOW])
def test_a_picture_that_says_nothing_is_missing_and_then_done_without_and_may_come_back(
    encoder: Encoder, silent: TrackId
) -> None:
    encoder.announce(*LADDER)
    encoder.send(40, *LADDER, unless=lambda track, at: track == silent and 5000 < at < 26_000)
    other = f"v{1 - silent.number}"
    both = encoder.packager.presentation.renditions
    assert discontinuities(encoder, other) == 2
    assert offered(encoder) == "v0 v1"
    assert [each.msn for each in both["v0"].listed] == [each.msn for each in both["v1"].listed]
    assert not any(segment.is_gap for segment in both[other].listed)
    assert not both[f"v{silent.number}"].listed[-1].is_gap
    assert {len(segment.run(0)) for segment in both[other].listed} == {GOP}, "no frame is lost"


@pytest.mark.parametrize("silent", [HIGH, LOW])
@pytest.mark.parametrize("seconds", [0.9, 1.4, 1.7, 8])
def test_a_picture_that_stalls_for_a_while_costs_the_others_nothing(
    encoder: Encoder, silent: TrackId, seconds: float
) -> None:
    encoder.announce(*LADDER)
    until = 5000 + seconds * 1000
    encoder.send(24, *LADDER, unless=lambda track, at: track == silent and 5000 < at < until)
    both = encoder.packager.presentation.renditions
    stalled, other = both[f"v{silent.number}"], both[f"v{1 - silent.number}"]
    for rendition in (stalled, other):
        assert not any(segment.is_discontinuous for segment in rendition.listed)
    assert {len(segment.run(0)) for segment in other.listed} == {GOP}
    # It is back with the first keyframe after that: those are 200 ms past every second second.
    missing = round((until - 200) // 2000 - (5000 - 200) // 2000 + 1)
    gaps = [segment.is_gap for segment in stalled.listed]
    assert gaps == [False] * 2 + [True] * missing + [False] * (len(gaps) - 2 - missing)
    assert {len(each.run(0)) for each in stalled.listed if not each.is_gap} == {GOP}
    assert encoder.packager.presentation.is_independent


def test_who_says_that_a_track_is_over_and_goes_on_may_stall_like_others(encoder: Encoder) -> None:
    encoder.announce(*LADDER)
    encoder.send(2, *LADDER)
    encoder.packager.push(encoder.at_ms, SequenceEnd(LOW))
    encoder.send(20, *LADDER, unless=lambda track, at: track == LOW and 8000 < at < 14_000)
    assert discontinuities(encoder, "v0") == discontinuities(encoder, "v1") == 0


def test_a_picture_that_comes_back_just_before_the_one_that_leads_joins_with_that_keyframe(
    encoder: Encoder,
) -> None:
    encoder.announce(*LADDER)
    reorders = {LOW: 80}
    encoder.send(
        20, *LADDER, reorders=reorders, unless=lambda track, at: track == LOW and at > 3000
    )
    encoder.send(10, *LADDER, reorders=reorders)
    back = encoder.packager.presentation.renditions["v1"].listed
    (begin,) = [n for n, segment in enumerate(back) if n and segment.is_discontinuous][-1:]
    assert {len(segment.run(0)) for segment in back[begin:]} == {GOP}
    assert not any(segment.is_gap for segment in back[begin:])


def test_a_sound_that_cannot_go_on_comes_back_with_a_gop_and_costs_the_picture_nothing(
    encoder: Encoder,
) -> None:
    """Nobody knows what silence is in MP3, so its pause ends with a discontinuity."""
    encoder.announce(HIGH)
    frames = [(at, unit(HIGH, 0, number, at)) for number, at in times(HIGH, 24)]
    frames += [
        (at, CodedFrame(ENGLISH, Codec.MP3, Millis(0), True, MP3_FRAME))
        for at in range(200, 24_000, 24)
        if not 5000 < at < 9000
    ]
    for at, frame in sorted(frames, key=lambda each: each[0]):
        encoder.packager.push(at, frame)
    listed = encoder.packager.presentation.main.listed
    assert [segment.msn for segment in listed if segment.is_discontinuous] == [6]
    assert {len(segment.run(0)) for segment in listed} == {GOP}
    for segment in listed[5:]:
        sound = segment.run(1)
        assert sum(sample.duration for sample in sound) == pytest.approx(2 * 48_000, abs=2500)


def test_who_comes_back_with_less_has_less(encoder: Encoder) -> None:
    encoder.announce(*LADDER)
    encoder.send(4.3, *LADDER)
    encoder.packager.flush()
    encoder.announce(HIGH, ENGLISH)
    encoder.send(4.3, HIGH, ENGLISH)
    assert offered(encoder) == "v0"
    assert list(encoder.packager.presentation.renditions) == ["v0", "v1"]


def test_a_track_without_a_header_is_nothing(encoder: Encoder) -> None:
    encoder.announce(HIGH, ENGLISH)
    encoder.send(4.3, *LADDER)
    assert offered(encoder) == "v0"
    assert discontinuities(encoder, "v0") == 0


def test_of_very_many_tracks_the_first_are_taken(encoder: Encoder) -> None:
    many = [TrackId(MediaKind.VIDEO, number) for number in range(200)]
    encoder.announce(*many, ENGLISH)
    encoder.send(1.3, HIGH, ENGLISH)
    assert len(encoder.packager.presentation.tracks) == MOST_TRACKS + 1


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"audioTrackIdInfoMap": 7.0}, {}, id="no map"),
        pytest.param(
            {"audioTrackIdInfoMap": {"1": {"language": "de", "title": "Kommentar"}}},
            {1: SoundName("Kommentar", "de")},
            id="as Matroska says it",
        ),
        pytest.param(
            {"audioTrackIdInfoMap": {"0": {"lang": "en"}, "2": {"name": "Stadium", "title": 4.0}}},
            {0: SoundName(None, "en"), 2: SoundName("Stadium", None)},
            id="in other words",
        ),
        pytest.param(
            {"audioTrackIdInfoMap": {"x": {}, "999": {}, "-1": {}, "٣": {}, "3": "no", "4": {}}},
            {4: SoundName()},
            id="numbers that are none",
        ),
    ],
)
def test_what_metadata_tells_of_sounds(
    told: Mapping[str, object], expected: dict[int, SoundName]
) -> None:
    assert told_sounds(told) == expected
    assert told_tracks(told) == {TrackId(MediaKind.AUDIO, number) for number in expected}
