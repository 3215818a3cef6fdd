"""Whatever a publisher sends, the monitor goes on, and what it says of it can be shown."""

import json
import math
from dataclasses import asdict

from hypothesis import example, given, settings
from hypothesis import strategies as st

from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
    TrackId,
)
from origin.media.timebase import MILLIS_WRAP, Millis
from origin.observe.health.codes import Code, Finding
from origin.observe.health.lane import MOST_FRAMES
from origin.observe.health.monitor import Monitor
from origin.observe.health.second import Declared
from tests.support.broadcasts import AAC_RECORD, AVC_RECORD

tracks = st.sampled_from([VIDEO_TRACK, AUDIO_TRACK, TrackId(MediaKind.VIDEO, 3)])
records = st.one_of(st.sampled_from([AVC_RECORD, AAC_RECORD, b""]), st.binary(max_size=40))
units = st.one_of(
    st.builds(SequenceHeader, tracks, st.sampled_from(Codec), records),
    st.builds(SequenceEnd, tracks),
    st.builds(
        CodedFrame,
        tracks,
        st.sampled_from(Codec),
        st.integers(-(2**23), 2**23 - 1).map(Millis),
        st.booleans(),
        st.binary(max_size=8),
    ),
)
stamps = st.integers(0, MILLIS_WRAP - 1) | st.integers(0, 5000)
pauses = st.floats(0, 3) | st.sampled_from([0.0, 0.04, 25.0, 3600.0])
values = st.one_of(
    st.floats(), st.integers(), st.booleans(), st.none(), st.text(max_size=100), st.just({})
)
names = st.sampled_from(["videodatarate", "audiodatarate", "framerate", "width", "encoder", "x"])
metadata = st.dictionaries(names, values)
Step = tuple[float, int, Coded] | dict[str, object]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(pauses, stamps, units) | metadata, max_size=40))
@example([(0.0, 0, SequenceEnd(VIDEO_TRACK)), (3600.0, 0, SequenceEnd(AUDIO_TRACK))])
def test_no_input_breaks_it(steps: list[Step]) -> None:
    now = 0.0
    raised: set[Code] = set()

    def follow(finding: Finding, is_raised: bool) -> None:
        assert (finding.code in raised) is not is_raised
        raised.symmetric_difference_update({finding.code})

    monitor = Monitor(lambda: now, on_change=follow)
    for step in steps:
        if isinstance(step, dict):
            monitor.describe(step)
            continue
        now += step[0]
        monitor.take(step[1], step[2])
    now += 1.0
    report = monitor.report()
    assert raised == {finding.code for finding in report.findings}
    assert report.sentence
    numbers = [value for value in asdict(report).values() if isinstance(value, float)]
    assert all(math.isfinite(number) for number in numbers)
    json.dumps(asdict(report), default=str, allow_nan=False)


def test_a_flood_of_frames_is_not_kept() -> None:
    now = 0.0
    monitor = Monitor(lambda: now)
    frame = CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, b"x")
    key = CodedFrame(VIDEO_TRACK, Codec.AVC, Millis(0), True, b"x")
    for number in range(5 * MOST_FRAMES):
        monitor.take(number // 100, frame)
        monitor.take(number // 100, key)
    now = 1.0
    report = monitor.report()
    assert report.bitrate_average == 8 * 2 * MOST_FRAMES


def test_of_metadata_only_what_makes_sense_is_believed() -> None:
    declared = Declared.read(
        {
            "videodatarate": float("nan"),
            "audiodatarate": -1.0,
            "framerate": float("inf"),
            "width": True,
            "height": "720",
            "encoder": "obs\x1b[2J" + "x" * 500,
        }
    )
    assert declared == Declared(encoder="obs[2J" + "x" * 57)
