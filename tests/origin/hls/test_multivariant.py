import pytest

from origin.hls.multivariant import Rates, announced_frame_rate, codecs_of, video_of
from origin.media.avc import AvcConfiguration
from tests.support.frames import AUDIO, VIDEO
from tests.support.x264 import avc_record

MEGABIT = 125_000
"""Bytes."""


def rates_of(*segments: tuple[int, float], target: int = 2) -> Rates:
    rates = Rates()
    for size, duration_s in segments:
        rates.add(size, duration_s, target)
    return rates


def test_the_first_segment_is_announced_with_something_to_spare() -> None:
    rates = rates_of((2 * MEGABIT, 2))
    assert rates.bandwidth == 1_200_000
    assert rates.average_bandwidth == 1_000_000


def test_rates_are_held_while_they_are_true() -> None:
    rates = rates_of((2 * MEGABIT, 2), (int(2.3 * MEGABIT), 2), (int(1.7 * MEGABIT), 2))
    assert rates.bandwidth == 1_200_000
    assert rates.average_bandwidth == 1_000_000


def test_a_larger_segment_raises_the_bandwidth_at_once_and_for_good() -> None:
    rates = rates_of((2 * MEGABIT, 2), (6 * MEGABIT, 2), (2 * MEGABIT, 2), (2 * MEGABIT, 2))
    assert rates.bandwidth == 3_600_000


def test_the_average_is_corrected_when_it_is_a_fifth_off() -> None:
    rates = rates_of((2 * MEGABIT, 2), (4 * MEGABIT, 2))
    assert rates.average_bandwidth == 1_500_000


def test_a_last_segment_of_a_keyframe_counts_with_the_ones_before_it() -> None:
    rates = rates_of((2 * MEGABIT, 2), (MEGABIT // 10, 0.033))
    assert rates.bandwidth == 1_200_000


def test_short_segments_are_taken_together() -> None:
    rates = rates_of(*[(MEGABIT // 2, 0.5)] * 4, (MEGABIT, 0.5), (MEGABIT, 0.5))
    assert rates.bandwidth == pytest.approx(2_000_000 * 1.2)


def test_a_session_of_one_short_segment_still_has_rates() -> None:
    rates = rates_of((MEGABIT // 10, 0.1))
    assert rates.bandwidth >= rates.average_bandwidth >= 1_000_000


def test_codecs_are_those_of_all_tracks() -> None:
    assert codecs_of((VIDEO, AUDIO)) == "avc1.64000d,mp4a.40.2"
    assert video_of((AUDIO, VIDEO)) is VIDEO.configuration
    assert video_of((AUDIO,)) is None


@pytest.mark.parametrize(
    ("told", "measured", "announced"),
    [
        pytest.param(30, 30.1, 30.0, id="they agree"),
        pytest.param(50, 25.0, 25.0, id="fields told as frames"),
        pytest.param(1000, 29.96, 30_000 / 1001, id="a time base told"),
    ],
)
def test_what_the_encoder_tells_is_believed_if_the_frames_agree(
    told: int, measured: float, announced: float
) -> None:
    configuration = AvcConfiguration.parse(avc_record(rate=told))
    assert announced_frame_rate(configuration, measured) == announced
