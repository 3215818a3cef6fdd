"""Which keyframes may be shown again, behind themselves."""

import pytest

from origin.media.coded import MediaKind
from origin.media.configuration import Configuration
from origin.media.hevc import HevcConfiguration
from origin.media.still import can_be_repeated
from tests.support.flv_files import flv_file
from tests.support.frames import VIDEO as AVC_TRACK
from tests.support.x265 import hevc_record

AVC = AVC_TRACK.configuration
HEVC = HevcConfiguration.parse(hevc_record())


def frame(*headers: int) -> bytes:
    """NAL units that begin with these bytes."""
    return b"".join(b"\x00\x00\x00\x03" + bytes([header, 1, 2]) for header in headers)


@pytest.mark.parametrize(
    ("configuration", "keyframe", "expected"),
    [
        pytest.param(AVC, frame(0x09, 0x67, 0x68, 0x65, 0x65), True, id="IDR of two slices"),
        pytest.param(AVC, frame(0x06, 0x41), False, id="recovery point"),
        pytest.param(AVC, frame(0x65, 0x41), False, id="IDR and something else"),
        pytest.param(AVC, frame(0x67), False, id="no picture"),
        pytest.param(AVC, b"", False, id="nothing"),
        pytest.param(AVC, b"\xff\xff\xff\xff\x65", True, id="cut off, which is found elsewhere"),
        pytest.param(HEVC, frame(0x4E, 0x26), True, id="IDR_W_RADL"),
        pytest.param(HEVC, frame(0x28, 0x28), True, id="IDR_N_LP"),
        pytest.param(HEVC, frame(0x2A), False, id="CRA"),
        pytest.param(HEVC, frame(0x4E), False, id="SEI alone"),
    ],
)
def test_an_idr_picture_may_be_repeated_and_no_other(
    configuration: Configuration, keyframe: bytes, expected: bool
) -> None:
    assert can_be_repeated(configuration, keyframe) is expected


@pytest.mark.parametrize("name", ["vp9_opus", "av1_opus"])
def test_keyframes_without_nal_units_may_always_be_repeated(name: str) -> None:
    file = flv_file(name)
    keyframe = file.frames(MediaKind.VIDEO)[0]
    assert can_be_repeated(file.configuration(MediaKind.VIDEO), keyframe.payload)
