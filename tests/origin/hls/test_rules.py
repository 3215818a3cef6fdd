import pytest

from origin.hls.rules import Rules, longest_allowed_s, target_duration


@pytest.mark.parametrize(
    ("first_segment_s", "expected"),
    [
        pytest.param(2.0, 2, id="as configured"),
        pytest.param(0.4, 2, id="five short GOPs"),
        pytest.param(1.0, 2, id="two GOPs of a second"),
        pytest.param(0.995, 2, id="and a little jitter"),
        pytest.param(0.96, 3, id="three GOPs of less than a second"),
        pytest.param(1.5, 3, id="two GOPs that are more than is configured"),
        pytest.param(2.002, 2, id="two seconds of NTSC"),
        pytest.param(3.0, 3, id="a longer GOP"),
        pytest.param(3.3, 4, id="a longer GOP, rounded up"),
        pytest.param(10.49, 10, id="no keyframe at all"),
    ],
)
def test_the_target_duration_fits_the_first_segment(first_segment_s: float, expected: int) -> None:
    assert target_duration(Rules(), first_segment_s) == expected


@pytest.mark.parametrize("target", range(1, 11))
def test_the_longest_segment_still_rounds_to_the_target_duration(target: int) -> None:
    assert round(longest_allowed_s(target)) == target


@pytest.mark.parametrize("tenths", range(1, 105))
def test_no_first_segment_rounds_to_more_than_its_target_duration(tenths: int) -> None:
    first_segment_s = tenths / 10
    assert int(first_segment_s + 0.5) <= target_duration(Rules(), first_segment_s)


def test_audio_alone_has_no_gops_that_would_make_its_segments_longer() -> None:
    assert target_duration(Rules(), 1.963, has_video=False) == 2
