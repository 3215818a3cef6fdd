"""docs/BEHAVIOUR.md says of every finding when it is raised, with the thresholds in force."""

from pathlib import Path

from origin.observe.health import arrival, bitrate, clocks, frames, keyframes, lane, sound
from origin.observe.health.codes import PATIENCE, Code
from origin.observe.health.uplink import LONG_ENOUGH_S, Uplink
from origin.streams.bandwidth import MOST_RESULTS

PAGE = (Path(__file__).parents[4] / "docs" / "BEHAVIOUR.md").read_text()


def test_every_code_is_listed_with_its_threshold() -> None:
    assert set(PATIENCE) == set(Code)
    for row in (
        f"| `keyframe_interval_long` | over {keyframes.LONG_S:g} s; "
        f"over {keyframes.TOO_LONG_S:g} s |",
        f"| `keyframe_interval_variable` | {keyframes.UNEVEN_SHARE:.0%} of the intervals of "
        f"{keyframes.PATTERN_S:g} s are over {keyframes.DEVIATION:.0%} off",
        f"| `bitrate_low` | {bitrate.WINDOW} s at under {bitrate.LOW_SHARE:.0%} of",
        f"| `bitrate_unstable` | variation over {bitrate.VARIATION:g} within {bitrate.WINDOW} s",
        f"| `uplink_congested` | arrival is over {arrival.RISE_MS:g} ms later than it was within "
        f"the last {arrival.WINDOW - 1} s",
        f"| `frames_dropped` | gaps of {frames.DROPPED_SHARE:.0%} of the frames of "
        f"{frames.WINDOW} s; of {frames.MANY_DROPPED_SHARE:.0%}; "
        f"only keyframes for {frames.KEYFRAMES_ONLY_S} s; no picture for {frames.STILL_S} s",
        f"| `framerate_mismatch` | under {frames.TOO_FEW_SHARE:.0%} of",
        "| `codec_not_everywhere` | HEVC, AV1, AC-3 or E-AC-3,",
        f"| `audio_missing` | no sound for {sound.MISSING_S} s;",
        f"| `audio_silent` | {sound.SILENT_S} s of frames of at most 10 bytes per channel (AAC), 5",
        f"| `audio_channels` | more than {sound.MOST_CHANNELS} |",
        f"| `av_skew` | stamps of sound and picture that arrive together are over "
        f"{clocks.SKEW_MS} ms",
        f"| `timestamp_jump` | a clock jumps by over {lane.JUMP_MS // 1000} s, either way; "
        f"told for {clocks.JUMP_SHOWN_S} s",
        f"| `clock_drift` | the publisher's clock is over {arrival.DRIFT:.1%} slow or fast",
    ):
        assert row.replace("%", " %") in PAGE, row
    assert f"beyond {lane.MOST_FRAMES:,} in a second" in PAGE
    assert f"Results\nof {MOST_RESULTS} streams" in PAGE


def test_the_example_of_a_bandwidth_test_is_what_such_a_test_says() -> None:
    uplink = Uplink(seconds=30.2, received_bytes=int(6.1e6 * 30.2 / 8), worst_lag_ms=40.0)
    assert f'"{uplink.sentence.partition(" The uplink")[0]}"' in PAGE
    assert f"known after {LONG_ENOUGH_S:g} s" in PAGE


def test_an_uplink_that_took_too_little_is_called_so() -> None:
    uplink = Uplink(seconds=30, received_bytes=int(2e6 * 30 / 8), worst_lag_ms=4000.0)
    assert not uplink.carried_all
    assert uplink.safe_kbits == 1500
    assert "takes no more" in uplink.sentence
    assert Uplink(0.0, 0, 0.0).safe_kbits is None
    assert "let the test run" in Uplink(0.0, 0, 0.0).sentence
