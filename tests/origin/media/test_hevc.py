from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.colour import Colour
from origin.media.hevc import HevcConfiguration
from origin.media.hevc_sps import parse_sps
from tests.support.x265 import hevc_record

HEAD = 22


@pytest.mark.parametrize(
    ("size", "pix_fmt", "params"),
    [
        pytest.param((320, 180), "yuv420p", "", id="cropped by 4 lines"),
        pytest.param((322, 186), "yuv422p", "", id="4:2:2, cropped both ways"),
        pytest.param((324, 188), "yuv444p", "", id="4:4:4"),
        pytest.param((320, 192), "gray", "", id="monochrome"),
        pytest.param((320, 192), "yuv420p10le", "", id="10 bits"),
        pytest.param((320, 180), "yuv420p", "scaling-list=default", id="scaling lists"),
        pytest.param((320, 180), "yuv420p", "bframes=4:ref=4:b-pyramid=1", id="references"),
        pytest.param((320, 180), "yuv420p", "temporal-layers=3:bframes=3", id="sub-layers"),
        pytest.param((320, 180), "yuv420p", "amp=1:rect=1:interlace=tff", id="fields"),
    ],
)
def test_the_size_is_that_of_the_encoded_picture(
    size: tuple[int, int], pix_fmt: str, params: str
) -> None:
    configuration = HevcConfiguration.parse(hevc_record(size, pix_fmt=pix_fmt, params=params))
    assert (configuration.width, configuration.height) == size


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_the_frame_rate_is_that_of_the_vui(rate: int) -> None:
    assert HevcConfiguration.parse(hevc_record(rate=rate)).frame_rate == rate


def test_shape_and_colour_are_those_of_the_vui() -> None:
    params = "sar=14:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc:range=full"
    configuration = HevcConfiguration.parse(hevc_record(params=params))
    assert configuration.pixel_aspect == (4, 3)
    assert configuration.colour == Colour(9, 18, 9, full_range=True)
    assert HevcConfiguration.parse(hevc_record()).colour is None


@pytest.mark.parametrize(
    ("head", "codecs"),
    [
        # The examples of ISO/IEC 14496-15, annex E.3, for hvc1.
        pytest.param("01" "01" "60000000" "b00000000000" "5d", "hvc1.1.6.L93.B0", id="main"),
        pytest.param("01" "64" "82000000" "b02300000000" "78", "hvc1.A4.41.H120.B0.23", id="A4"),
        pytest.param("01" "01" "60000000" "000000000000" "5d", "hvc1.1.6.L93", id="no constraint"),
    ],
)  # fmt: skip
def test_codecs_is_written_as_the_standard_s_examples_are(head: str, codecs: str) -> None:
    record = bytes.fromhex(head) + hevc_record()[13:]
    assert HevcConfiguration.parse(record).codecs == codecs


def test_parameter_sets_are_said_to_be_complete_and_nothing_else_is_changed() -> None:
    record = hevc_record()
    changed = HevcConfiguration.parse(record).record
    assert len(changed) == len(record)
    differences = [at for at in range(len(record)) if record[at] != changed[at]]
    assert [record[at] & 0x3F for at in differences] == [32, 33, 34]
    assert all(changed[at] == record[at] | 0x80 for at in differences)
    assert HevcConfiguration.parse(changed) == HevcConfiguration.parse(record)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "not an HEVC decoder configuration record"),
        (b"\x00\x00\x00\x01\x40\x01" + bytes(40), "not an HEVC decoder configuration record"),
        (b"\x01" + bytes(20) + b"\x02\x00", "length prefix of 3 bytes"),
        (b"\x01" + bytes(21) + b"\x00", "lacks parameter sets"),
        (b"\x01" + bytes(21) + b"\x01\x20", "ends before its parameter sets"),
        (b"\x01" + bytes(21) + b"\x01\x20\x00\x01\x00\x09\x40", "NAL unit at byte 26 is broken"),
        (b"\x01" + bytes(21) + b"\x01\x20\x00\x01\x00\x02\x42\x01", "is broken"),
    ],
)
def test_what_is_no_record_is_refused(record: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        HevcConfiguration.parse(record)


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_but_media_errors(data: bytes) -> None:
    for parse in (HevcConfiguration.parse, parse_sps):
        with suppress(MediaError):
            parse(data)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=8), st.integers(0, 3))
def test_damaged_records_are_read_or_refused(damage: list[tuple[int, int]], cut: int) -> None:
    record = bytearray(hevc_record(params="scaling-list=default:bframes=4:ref=4"))
    for at, value in damage:
        record[HEAD + at % (len(record) - HEAD)] = value
    with suppress(MediaError):
        configuration = HevcConfiguration.parse(bytes(record[: len(record) - cut]))
        assert 0 < configuration.width <= 16_384
