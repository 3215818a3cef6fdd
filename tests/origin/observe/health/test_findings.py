"""Every finding, by a stream made for it: raised within 10 s of its cause, cleared within 30 s."""

import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from origin.observe.health.codes import Code, Colour
from tests.support.made_publishers import (
    AAC_STEREO_48K,
    AAC_SURROUND_48K,
    SILENT_BYTES,
    SPOKEN_BYTES,
    MadePublisher,
)

RAISED_WITHIN_S, CLEARED_WITHIN_S = 10.0, 30.0
Change = Callable[[MadePublisher], None]


class Fault(NamedTuple):
    """What is done to a healthy publisher, what undoes it, and what is to be found."""

    code: Code
    begin: Change
    end: Change
    colour: Colour
    words: str
    """Some of the sentence."""
    also: frozenset[Code] = frozenset()
    """What may be found besides: consequences of the same cause."""


def having(**settings: object) -> Change:
    """Change settings of a publisher."""

    def change(publisher: MadePublisher) -> None:
        for name, value in settings.items():
            assert hasattr(publisher, name)
            setattr(publisher, name, value)

    return change


def with_sound(record: bytes) -> Change:
    """Announce another configuration of the sound."""

    def change(publisher: MadePublisher) -> None:
        publisher.sound_record = record
        publisher.announce()

    return change


def with_steps(*lengths: float) -> Change:
    """Have keyframes at these distances, in turns."""

    def change(publisher: MadePublisher) -> None:
        publisher.next_gop_s = lambda number: lengths[number % len(lengths)]

    return change


def one_in_seven(number: int, is_keyframe: bool) -> bool:
    return not is_keyframe and random.Random(number).random() < 0.14


def none_dropped(number: int, is_keyframe: bool) -> bool:
    return False


def all_but_the_beginning(number: int, is_keyframe: bool) -> bool:
    return not is_keyframe and number % 240 > 30


def all_but_keyframes(number: int, is_keyframe: bool) -> bool:
    return not is_keyframe


def dips(since: float) -> float:
    return 0.15 if since % 5 < 2 else 1.0


def steady(since: float) -> float:
    return 1.0


def later_and_later(since: float) -> float:
    return 0.02 + 0.1 * since


def catching_up(since: float) -> float:
    return max(0.02, 2.0 - since)


def jumping(seconds: float) -> Change:
    """Have both clocks jump once."""

    def change(publisher: MadePublisher) -> None:
        publisher.jump(seconds)

    return change


def with_clock(rate: float) -> Change:
    """Have both clocks go at another rate."""

    def change(publisher: MadePublisher) -> None:
        publisher.set_clock(rate)

    return change


def never(publisher: MadePublisher) -> None:
    """Some faults end by themselves."""


RATE = frozenset({Code.BITRATE_LOW, Code.BITRATE_UNSTABLE})
FAULTS: dict[str, Fault] = {
    "a GOP of ten seconds": Fault(
        Code.KEYFRAME_INTERVAL_LONG, having(gop_s=10.0), having(gop_s=2.0),
        Colour.RED, "Keyframe Interval to 2 s",
    ),
    "a GOP of three seconds": Fault(
        Code.KEYFRAME_INTERVAL_LONG, having(gop_s=3.0), having(gop_s=2.0),
        Colour.YELLOW, "3.0 s apart",
    ),
    "keyframes wherever a scene changes": Fault(
        Code.KEYFRAME_INTERVAL_VARIABLE, with_steps(1.5, 0.5, 1.0), with_steps(2.0),
        Colour.YELLOW, "scenecut=0",
    ),
    "half the bit rate": Fault(
        Code.BITRATE_LOW, having(kbits=1200.0), having(kbits=2500.0), Colour.YELLOW, "Only ",
    ),
    "dips": Fault(
        Code.BITRATE_UNSTABLE,
        having(rate=dips), having(rate=steady),
        Colour.YELLOW, "goes up and down", RATE,
    ),
    "an uplink that takes too little": Fault(
        Code.UPLINK_CONGESTED,
        having(delay_s=later_and_later),
        having(delay_s=catching_up),
        Colour.RED, "later than it was", RATE,
    ),
    "every seventh frame dropped": Fault(
        Code.FRAMES_DROPPED, having(is_dropped=one_in_seven), having(is_dropped=none_dropped),
        Colour.RED, "of the frames in the last minute",
    ),
    "all frames dropped until the next keyframe": Fault(
        Code.FRAMES_DROPPED,
        having(is_dropped=all_but_the_beginning),
        having(is_dropped=none_dropped),
        Colour.RED, "of the frames in the last minute", RATE,
    ),
    "keyframes only": Fault(
        Code.FRAMES_DROPPED,
        having(is_dropped=all_but_keyframes),
        having(is_dropped=none_dropped),
        Colour.RED, "Only keyframes", RATE,
    ),
    "a picture that stands still": Fault(
        Code.FRAMES_DROPPED, having(has_pictures=False), having(has_pictures=True),
        Colour.RED, "sound without a picture", RATE | {Code.KEYFRAME_INTERVAL_LONG},
    ),
    "an encoder that cannot keep up": Fault(
        Code.FRAMERATE_MISMATCH, having(fps=27.0), having(fps=30.0), Colour.YELLOW, "faster preset",
    ),
    "no sound any more": Fault(
        Code.AUDIO_MISSING, having(has_sound=False), having(has_sound=True),
        Colour.YELLOW, "no sound for",
    ),
    "a muted microphone": Fault(
        Code.AUDIO_SILENT, having(sound_bytes=SILENT_BYTES), having(sound_bytes=SPOKEN_BYTES),
        Colour.YELLOW, "Audio Mixer",
    ),
    "5.1": Fault(
        Code.AUDIO_CHANNELS, with_sound(AAC_SURROUND_48K), with_sound(AAC_STEREO_48K),
        Colour.YELLOW, "6 channels",
    ),
    "sound ahead of the picture": Fault(
        Code.AV_SKEW, having(sound_ahead_ms=800), having(sound_ahead_ms=0),
        Colour.YELLOW, " ms behind the sound",
    ),
    "a clock that jumps an hour ahead": Fault(
        Code.TIMESTAMP_JUMP, jumping(3600), never, Colour.YELLOW, "forward by 3600",
    ),
    "a clock that jumps back": Fault(
        Code.TIMESTAMP_JUMP, jumping(-5), never, Colour.YELLOW, "back by 5.0 s",
    ),
    "a clock that is slow by one percent": Fault(
        Code.CLOCK_DRIFT, with_clock(0.99), with_clock(1.0),
        Colour.YELLOW, "too slow",
    ),
    "a clock that is fast by one percent": Fault(
        Code.CLOCK_DRIFT, with_clock(1.01), with_clock(1.0),
        Colour.YELLOW, "too fast",
    ),
    "a file that is sent without waiting": Fault(
        Code.CLOCK_DRIFT, with_clock(2.0), with_clock(1.0),
        Colour.YELLOW, "put -re before -i",
        frozenset({
            Code.KEYFRAME_INTERVAL_LONG, Code.FRAMERATE_MISMATCH, Code.KEYFRAME_INTERVAL_VARIABLE,
        }),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found_within_ten_seconds_and_forgotten_within_thirty(fault: Fault) -> None:
    publisher = MadePublisher()
    publisher.run(20)
    assert publisher.changes == [], "it was healthy before"
    publisher.mark()
    fault.begin(publisher)
    report = publisher.run(10.5)
    assert publisher.raised_after(fault.code) <= RAISED_WITHIN_S
    assert report.colour in (fault.colour, Colour.RED)
    (finding,) = (finding for finding in report.findings if finding.code is fault.code)
    assert fault.words in finding.text
    assert report.sentence in {finding.text for finding in report.findings}
    publisher.run(20)
    raised = publisher.all_raised()
    assert raised.count(fault.code) == 1, "it does not flicker"
    assert set(raised) <= {fault.code} | fault.also, "one cause, one finding"
    publisher.mark()
    fault.end(publisher)
    report = publisher.run(CLEARED_WITHIN_S + 5)
    if fault.end is not never:
        assert publisher.cleared_after(fault.code) <= CLEARED_WITHIN_S
    assert report.findings == ()
    assert report.colour is Colour.GREEN


@pytest.mark.parametrize("phase", [0.0, 0.57, 0.9])
def test_a_drift_is_found_in_time_wherever_in_a_second_it_begins(phase: float) -> None:
    publisher = MadePublisher()
    publisher.fps = publisher.declared_fps = 60.0
    publisher.run(13 + phase)
    publisher.mark()
    publisher.set_clock(0.99)
    publisher.run(10.5)
    assert publisher.raised_after(Code.CLOCK_DRIFT) <= RAISED_WITHIN_S


@pytest.mark.parametrize("seed", [102, 103, 107])
def test_a_radio_that_comes_and_goes_is_no_clock_that_drifts(seed: int) -> None:
    """Its delay changes twice a second, by up to 0.3 s."""
    drawn = random.Random(seed)
    delays = [drawn.uniform(0.02, 0.32) for _ in range(140)]
    publisher = MadePublisher()
    publisher.delay_s = lambda since: delays[int(since * 2)]
    publisher.run(60)
    assert Code.CLOCK_DRIFT not in publisher.all_raised()
