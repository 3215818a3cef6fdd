from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.mp3 import Mp3Configuration


@pytest.mark.parametrize(
    ("header", "sample_rate", "channels", "samples_per_frame"),
    [
        pytest.param("fffb9064", 44_100, 2, 1152, id="MPEG-1, joint stereo"),
        pytest.param("fffb94c4", 48_000, 1, 1152, id="MPEG-1, mono"),
        pytest.param("fffa9804", 32_000, 2, 1152, id="MPEG-1, with a CRC"),
        pytest.param("fff38064", 22_050, 2, 576, id="MPEG-2"),
        pytest.param("fff384c4", 24_000, 1, 576, id="MPEG-2, mono"),
        pytest.param("ffe388c4", 8_000, 1, 576, id="MPEG-2.5"),
    ],
)
def test_a_frame_speaks_for_the_stream(
    header: str, sample_rate: int, channels: int, samples_per_frame: int
) -> None:
    configuration = Mp3Configuration.parse(bytes.fromhex(header) + b"side information")
    assert configuration.sample_rate == sample_rate
    assert configuration.channels == channels
    assert configuration.samples_per_frame == samples_per_frame
    assert configuration.codecs == "mp4a.40.34"
    assert configuration.record == b""


def test_the_bit_rate_of_a_frame_is_no_part_of_the_configuration() -> None:
    one, other = bytes.fromhex("fffb9064"), bytes.fromhex("fffbe064")
    assert Mp3Configuration.parse(one) == Mp3Configuration.parse(other)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("", id="empty"),
        pytest.param("fffb90", id="three bytes"),
        pytest.param("fffd9064", id="layer II"),
        pytest.param("7ffb9064", id="no sync word"),
        pytest.param("ffeb9064", id="a reserved version"),
        pytest.param("fffb9c64", id="a reserved rate"),
        pytest.param("fffb0064", id="free format"),
        pytest.param("fffbf064", id="a forbidden bit rate"),
    ],
)
def test_anything_else_is_refused(frame: str) -> None:
    with pytest.raises(MediaError, match="MP3"):
        Mp3Configuration.parse(bytes.fromhex(frame))


@given(st.binary(max_size=8) | st.binary(max_size=3).map(lambda rest: b"\xff\xfb" + rest))
def test_garbage_raises_nothing_but_media_errors(data: bytes) -> None:
    with suppress(MediaError):
        assert Mp3Configuration.parse(data).sample_rate >= 8_000
