import pytest

from origin.media.frame_rate import snap_frame_rate


@pytest.mark.parametrize(
    ("measured", "announced"),
    [
        pytest.param(1000 / 33, 30.0, id="steps of 33 ms"),
        pytest.param(59.98, 60.0, id="60 in milliseconds"),
        pytest.param(29.968, 30_000 / 1001, id="NTSC"),
        pytest.param(23.974, 24_000 / 1001, id="film on NTSC"),
        pytest.param(24.01, 24.0, id="film"),
        pytest.param(25.1, 25.0, id="PAL"),
        pytest.param(7.1234567, 7.123, id="nothing that is usual"),
    ],
)
def test_a_measured_rate_is_announced_as_the_one_meant(measured: float, announced: float) -> None:
    assert snap_frame_rate(measured) == announced
