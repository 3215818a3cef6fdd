from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.avc import AvcConfiguration
from origin.media.avc_sps import parse_sps, unescape
from tests.support.x264 import avc_record

# OBS 29 with x264, 320x180 at 30 frames per second. It is Constrained Baseline, so the SPS has
# none of the high profiles' fields.
OBS_RECORD = bytes.fromhex(
    "0142c00dffe1001c6742c00dda05067e7c05a808080a000003000200000300791e28554001000468ce3c80"
)
CODED_AS_FIELDS = "interlaced=1"


@pytest.mark.parametrize(
    ("size", "pix_fmt", "params"),
    [
        pytest.param((320, 180), "yuv420p", "", id="cropped from 320x192"),
        pytest.param((640, 368), "yuv420p", "", id="not cropped"),
        pytest.param((1918, 1078), "yuv420p", "", id="cropped on both sides"),
        pytest.param((176, 144), "yuv420p", "profile=baseline", id="baseline"),
        pytest.param((1920, 1080), "yuv420p", CODED_AS_FIELDS, id="fields, cropped by pairs"),
        pytest.param((322, 182), "yuv422p", "", id="4:2:2"),
        pytest.param((322, 182), "yuv422p", CODED_AS_FIELDS, id="4:2:2 in fields"),
        pytest.param((321, 181), "yuv444p", "", id="4:4:4 and odd"),
        pytest.param((320, 180), "yuv444p", "cqm=jvt", id="twelve scaling lists"),
        pytest.param((320, 180), "yuv420p", "cqm=jvt:8x8dct=1", id="eight scaling lists"),
        pytest.param((320, 180), "gray", "", id="without colour"),
        pytest.param((4096, 2160), "yuv420p", "", id="4k"),
    ],
)
def test_the_size_is_what_was_encoded(size: tuple[int, int], pix_fmt: str, params: str) -> None:
    configuration = AvcConfiguration.parse(avc_record(size, pix_fmt=pix_fmt, params=params))
    assert (configuration.width, configuration.height) == size


@pytest.mark.parametrize("rate", [5, 15, 24, 25, 30, 48, 50, 60, 120])
def test_the_frame_rate_is_what_the_encoder_ran_at(rate: int) -> None:
    assert AvcConfiguration.parse(avc_record(rate=rate)).frame_rate == rate


def test_a_time_base_is_not_taken_for_a_frame_rate() -> None:
    assert AvcConfiguration.parse(avc_record(rate=1000)).frame_rate is None


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param("", (1, 1), id="not said"),
        pytest.param("sar=1/1", (1, 1), id="square"),
        pytest.param("sar=64/45", (64, 45), id="written out"),
        pytest.param("sar=40/33", (40, 33), id="from the table"),
    ],
)
def test_the_shape_of_a_pixel_is_read(params: str, expected: tuple[int, int]) -> None:
    assert AvcConfiguration.parse(avc_record(params=params)).pixel_aspect == expected


def test_everything_the_vui_may_hold_before_its_timing_is_passed_over() -> None:
    params = "sar=4/3:overscan=show:videoformat=pal:fullrange=on:colorprim=bt709:chromaloc=2"
    configuration = AvcConfiguration.parse(avc_record(rate=50, params=params))
    assert configuration.frame_rate == 50


def test_a_record_of_obs_is_read() -> None:
    configuration = AvcConfiguration.parse(OBS_RECORD)
    assert configuration.record == OBS_RECORD
    assert configuration.codecs == "avc1.42c00d"
    assert (configuration.width, configuration.height) == (320, 180)
    assert configuration.frame_rate == pytest.approx(30, rel=0.02)
    assert configuration.nal_length_size == 4
    assert configuration.sps == (OBS_RECORD[8:36],)
    assert configuration.pps == (OBS_RECORD[39:],)


def test_codecs_are_the_profile_constraints_and_level() -> None:
    record = avc_record(params="profile=main:level=3.1:bframes=2")
    assert AvcConfiguration.parse(record).codecs.startswith("avc1.4d")
    assert AvcConfiguration.parse(record).codecs.endswith("1f")


def test_equal_records_are_one_configuration() -> None:
    assert AvcConfiguration.parse(OBS_RECORD) == AvcConfiguration.parse(bytes(OBS_RECORD))
    assert AvcConfiguration.parse(OBS_RECORD) != AvcConfiguration.parse(avc_record())


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(b"", "not an AVC", id="empty"),
        pytest.param(b"\x00" + OBS_RECORD[1:], "not an AVC", id="another version"),
        pytest.param(
            OBS_RECORD[:4] + b"\xfe" + OBS_RECORD[5:], "prefix of 3", id="a length of 3 bytes"
        ),
        pytest.param(OBS_RECORD[:5] + b"\xe0\x00", "no parameter sets", id="no SPS"),
        pytest.param(OBS_RECORD[:36] + b"\x00", "no parameter sets", id="no PPS"),
        pytest.param(OBS_RECORD[:36], "ends before", id="ends after the SPS"),
        pytest.param(OBS_RECORD[:20], "is broken", id="ends in the SPS"),
        pytest.param(
            OBS_RECORD[:8] + b"\x68" + OBS_RECORD[9:], "is broken", id="a PPS in place of the SPS"
        ),
    ],
)
def test_broken_records_are_refused_with_a_reason(record: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        AvcConfiguration.parse(record)


@given(st.binary(max_size=80))
def test_garbage_raises_nothing_but_media_errors(data: bytes) -> None:
    for parse in (AvcConfiguration.parse, parse_sps):
        with suppress(MediaError):
            parse(data)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
def test_a_record_with_changed_bytes_raises_nothing_but_media_errors(
    changes: list[tuple[int, int]],
) -> None:
    record = bytearray(avc_record(params="cqm=jvt:8x8dct=1:sar=64/45"))
    for at, value in changes:
        record[at % len(record)] = value
    try:
        configuration = AvcConfiguration.parse(bytes(record))
    except MediaError:
        return
    assert 0 < configuration.width <= 16_384
    assert 0 < configuration.height <= 16_384
    assert configuration.frame_rate is None or 1 <= configuration.frame_rate <= 300


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        pytest.param("0000030000030100000303", "0000000001000003", id="all at once"),
        pytest.param("000003", "0000", id="at the end"),
        pytest.param("010203", "010203", id="none"),
        pytest.param("00000300", "000000", id="one zero after"),
    ],
)
def test_emulation_prevention_is_taken_out(escaped: str, plain: str) -> None:
    assert unescape(bytes.fromhex(escaped)).hex() == plain


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\xff", b"\x00")))
def test_what_an_encoder_escapes_comes_back(data: bytes) -> None:
    escaped = bytearray()
    for byte in data:
        if escaped[-2:] == b"\x00\x00" and byte <= 3:
            escaped.append(3)
        escaped.append(byte)
    assert unescape(bytes(escaped)) == data
