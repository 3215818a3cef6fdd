"""What telling a publisher's health costs, beside packaging the same frames: CPU per frame.

Frames without content at 60 pictures (or --fps) and 47 sounds a second, each pushed into a monitor
and into a packager, in turns in one process; the median of the rounds' ratios.

    python -m benchmarks.health [--seconds 60] [--rounds 15] [--fps 60]

Prints nanoseconds per frame and the ratio. The clock that the monitor asks is a real one, whose
answers are set to the stream's pace.
"""

import statistics
import time

from benchmarks.support.arguments import arguments
from benchmarks.support.streams import NOON, new_presentation
from origin.hls.rules import Rules
from origin.media.coded import AUDIO_TRACK, VIDEO_TRACK, Codec, Coded, CodedFrame
from origin.media.timebase import Millis
from origin.observe.health.monitor import Monitor
from origin.streams.packager import Packager
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER

SOUND_S = 1024 / 44_100
GOP_S = 2
Units = list[tuple[int, Coded]]


def main() -> None:
    """Measure both in turns, and print the ratio."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--fps", type=int, default=60)
    given = parser.parse_args()
    units = make_units(given.seconds, given.fps)
    rounds = [(watch(units, given.seconds), package(units)) for _ in range(given.rounds)]
    watching, packaging = (statistics.median(each) for each in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    for name, spent in (("watching", watching), ("packaging", packaging)):
        print(f"{name:10} {spent / len(units) * 1e9:7.0f} ns per frame")
    print(f"ratio {ratio:.3f}")


def make_units(seconds: int, fps: int) -> Units:
    """Make a stream in the order of its times."""
    pictures = [
        (
            round(number * 1000 / fps),
            CodedFrame(
                VIDEO_TRACK, Codec.AVC, Millis(0), number % (GOP_S * fps) == 0, b"\0\0\0\5\x65abcd"
            ),
        )
        for number in range(seconds * fps)
    ]
    sounds = [
        (
            round(number * SOUND_S * 1000),
            CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, bytes(300)),
        )
        for number in range(round(seconds / SOUND_S))
    ]
    frames = sorted([*pictures, *sounds], key=lambda unit: unit[0])
    return [(0, AVC_HEADER), (0, AAC_HEADER), *frames]


def watch(units: Units, seconds: int) -> float:
    """Return the seconds of CPU that a monitor takes."""
    asked = 0
    a_run = _calls(units)

    def clock() -> float:
        nonlocal asked
        time.monotonic()
        asked += 1
        return asked * seconds / a_run

    monitor = Monitor(clock)
    began = time.process_time()
    for at, unit in units:
        monitor.take(at, unit)
    return time.process_time() - began


def _calls(units: Units) -> int:
    """How often a monitor asks what time it is."""
    asked = 0

    def clock() -> float:
        nonlocal asked
        asked += 1
        return units[min(asked * 8, len(units) - 1)][0] / 1000

    monitor = Monitor(clock)
    for at, unit in units:
        monitor.take(at, unit)
    return asked


def package(units: Units) -> float:
    """Return the seconds of CPU that a packager takes."""
    rules = Rules()
    presentation = new_presentation(rules)
    packager = Packager(rules, presentation, lambda: NOON)
    began = time.process_time()
    for at, unit in units:
        packager.push(at, unit)
    return time.process_time() - began


if __name__ == "__main__":
    main()
