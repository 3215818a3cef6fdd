"""Healthy streams raise nothing: recorded encoders, and everything unusual that is no fault."""

import random
from collections.abc import Callable, Iterator

import pytest

from origin.media.coded import Coded, CodedFrame
from origin.media.timebase import MILLIS_WRAP
from origin.observe.health.codes import Code, Colour
from origin.observe.health.monitor import Monitor
from tests.support.captures import Capture, captures
from tests.support.made_publishers import MadePublisher
from tests.support.recordings import Recording, recording_of

SECONDS = 40
BEATS_PER_S = 20


def looped(recording: Recording, period_ms: int) -> Iterator[tuple[int, Coded]]:
    """The recording over and over; it begins with a keyframe and is cut before another."""
    for begin in range(0, SECONDS * 1000, period_ms):
        for at, unit in recording.units:
            if at < period_ms and (begin == 0 or isinstance(unit, CodedFrame)):
                yield begin + at, unit


EXPECTED: dict[str, set[Code]] = {
    # OBS had nothing to play, and was left at keyframe interval 0: it made one every 8.3 s.
    "obs29_h264_aac": {Code.KEYFRAME_INTERVAL_LONG, Code.AUDIO_SILENT},
    "ffmpeg9_hevc_aac_fourcclist": {Code.CODEC_NOT_EVERYWHERE},
    "ffmpeg9_av1_opus": {Code.CODEC_NOT_EVERYWHERE},
}
GOP_MS = {"obs29_h264_aac": 8333}


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_of_recorded_encoders_only_what_is_true_is_said(capture: Capture) -> None:
    recording = recording_of(capture)
    now = 500.0
    raised: set[Code] = set()
    monitor = Monitor(lambda: now, on_change=lambda finding, is_raised: raised.add(finding.code))
    for metadata in recording.metadata:
        monitor.describe(metadata)
    for at, unit in looped(recording, GOP_MS.get(capture.name, 6000)):
        now = max(now, 500.0 + (at * BEATS_PER_S // 1000 + 1) / BEATS_PER_S)
        monitor.take(at, unit)
    report = monitor.report()
    assert raised == EXPECTED.get(capture.name, set())
    assert report.age_s > SECONDS - 1
    assert report.width == 320
    assert report.frame_rate == pytest.approx(30 if "obs" in capture.name else 25, rel=0.01)
    assert report.sample_rate in (44_100, 48_000)
    assert abs(report.skew_ms or 0) < 150


def as_a_phone(publisher: MadePublisher) -> None:
    """30 pictures per second by day, 15 when it gets dark."""
    publisher.declared_fps = publisher.declared_kbits = None
    publisher.next_step_s = lambda number: 1 / 30 if number % 900 < 450 else 1 / 15


def of_any_frame_rate(publisher: MadePublisher) -> None:
    scatter = random.Random(7)
    publisher.declared_fps = None
    publisher.next_step_s = lambda number: scatter.uniform(1 / 60, 1 / 15)


def with_scene_cuts(publisher: MadePublisher) -> None:
    """An interval of 2 s, and a cut every seven seconds or so."""
    lengths = (2.0, 2.0, 0.6, 2.0, 2.0, 2.0, 1.2)
    publisher.next_gop_s = lambda number: lengths[number % len(lengths)]


def all_keyframes(publisher: MadePublisher) -> None:
    publisher.gop_s = 1 / 30
    publisher.kbits = publisher.declared_kbits = 400.0


def slides(publisher: MadePublisher) -> None:
    publisher.fps = publisher.declared_fps = 1.0
    publisher.kbits = publisher.declared_kbits = 800.0


def over_a_bad_radio(publisher: MadePublisher) -> None:
    scatter = random.Random(11)
    publisher.delay_s = lambda since: scatter.uniform(0.02, 0.25)


def with_a_hiccup(publisher: MadePublisher) -> None:
    publisher.delay_s = lambda since: max(0.02, 20.8 - since) if since >= 20 else 0.02


def a_still_picture(publisher: MadePublisher) -> None:
    """Screen with text: large keyframes, and next to nothing between them."""
    publisher.kbits = 60.0
    publisher.keyframe_times = 400


def with_what_was_ready(publisher: MadePublisher) -> None:
    publisher.delay_s = lambda since: max(0.02, 2.0 - since)


def mute_by_choice(publisher: MadePublisher) -> None:
    publisher.has_sound = False


def with_rate(fps: float) -> Callable[[MadePublisher], None]:
    def change(publisher: MadePublisher) -> None:
        publisher.fps = publisher.declared_fps = fps

    return change


HEALTHY: dict[str, Callable[[MadePublisher], None]] = {
    "a phone in the dusk": as_a_phone,
    "any frame rate": of_any_frame_rate,
    "scene cuts": with_scene_cuts,
    "nothing but keyframes by choice": all_keyframes,
    "slides": slides,
    "a bad radio": over_a_bad_radio,
    "a hiccup of 0.8 s": with_a_hiccup,
    "a still picture": a_still_picture,
    "two seconds that were ready at the start": with_what_was_ready,
    "no sound by choice": mute_by_choice,
    "film": with_rate(24_000 / 1001),
    "20 fps, the same as the beat": with_rate(20.0),
    "PAL": with_rate(25.0),
    "NTSC": with_rate(60_000 / 1001),
    "120 fps": with_rate(120.0),
}


@pytest.mark.parametrize("change", HEALTHY.values(), ids=HEALTHY.keys())
def test_nothing_is_said_of_what_is_only_unusual(change: Callable[[MadePublisher], None]) -> None:
    publisher = MadePublisher(beat_s=0.0503)  # timers are late by a little
    change(publisher)
    report = publisher.run(SECONDS)
    if change is mute_by_choice:
        assert publisher.all_raised() == [Code.AUDIO_MISSING]
    else:
        assert publisher.changes == []
    assert report.colour is Colour.GREEN
    assert report.sentence.startswith("All is well: ")


def test_a_stream_that_has_just_begun_is_green() -> None:
    report = MadePublisher().run(1.0)
    assert report.colour is Colour.GREEN
    assert report.sentence == "The stream has just begun."


def test_clocks_that_wrap_are_followed() -> None:
    publisher = MadePublisher(first_stamp=MILLIS_WRAP - 10_000)
    publisher.run(SECONDS)
    assert publisher.changes == []


@pytest.mark.parametrize(
    ("metadata", "declared"),
    [
        pytest.param({"videodatarate": 0.0, "audiodatarate": 128.0}, None, id="FFmpeg, no -b:v"),
        pytest.param({"videodatarate": 2500.0, "audiodatarate": 160.0}, 2_660_000.0, id="OBS"),
        pytest.param({"videodatarate": 2500.0}, 2_500_000.0, id="no word of the sound"),
    ],
)
def test_a_declared_rate_is_that_of_picture_and_sound_or_nothing(
    metadata: dict[str, object], declared: float | None
) -> None:
    publisher = MadePublisher()
    publisher.run(1)
    publisher.monitor.describe(metadata)
    assert publisher.run(1).bitrate_declared == declared


def test_a_stream_of_sound_alone_declares_the_sounds_rate() -> None:
    monitor = Monitor(lambda: 0.0)
    monitor.describe({"videodatarate": 0.0, "audiodatarate": 128.0})
    assert monitor.report().bitrate_declared == 128_000.0
    monitor.describe({"audiodatarate": 128.0, "width": 320.0, "height": 180.0})
    assert monitor.report().bitrate_declared is None
