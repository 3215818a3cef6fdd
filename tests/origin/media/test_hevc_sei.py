"""HDR10 in SEI messages: found among others, and anything broken is as if it were not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.media.colour import LightLevel, MasteringDisplay
from origin.media.hevc_sei import CONTENT_LIGHT_LEVEL, MASTERING_DISPLAY, read_hdr

HEADER, TRAILING = b"\x4e\x01", b"\x80"
DISPLAY = bytes.fromhex("33c286c41d4c0bb884d03e803d1340420098968000000032")
LIGHT = bytes.fromhex("03e80190")
STUDIO = MasteringDisplay(
    (34_000, 16_000), (13_250, 34_500), (7500, 3000), (15_635, 16_450), 10_000_000, 50
)
LEVELS = LightLevel(1000, 400)


def message(kind: int, payload: bytes) -> bytes:
    long, short = divmod(kind, 255)
    return b"\xff" * long + bytes([short, len(payload)]) + payload


def unit(*messages: bytes) -> bytes:
    escaped = b"".join(messages).replace(b"\x00\x00\x00", b"\x00\x00\x03\x00")
    return HEADER + escaped + TRAILING


BOTH = message(MASTERING_DISPLAY, DISPLAY), message(CONTENT_LIGHT_LEVEL, LIGHT)


@pytest.mark.parametrize(
    "units",
    [
        pytest.param([unit(*BOTH)], id="in one unit"),
        pytest.param([unit(each) for each in BOTH], id="in two"),
        pytest.param([unit(message(5, b"x265"), message(300, b"?"), *BOTH)], id="behind others"),
    ],
)
def test_both_records_are_found_wherever_they_stand(units: list[bytes]) -> None:
    assert read_hdr(units) == (STUDIO, LEVELS)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(unit(message(MASTERING_DISPLAY, DISPLAY[:-1])), id="too short"),
        pytest.param(unit(*BOTH)[:12], id="cut off"),
        pytest.param(unit(bytes([5, 255])), id="a length past the end"),
        pytest.param(unit(message(5, b""), b"\xff" * 100), id="a number that never ends"),
        pytest.param(HEADER, id="nothing but a header"),
        pytest.param(unit(*[message(5, bytes(200))] * 30, *BOTH), id="far too long"),
    ],
)
def test_what_is_broken_counts_as_not_said(broken: bytes) -> None:
    assert read_hdr([broken]) == (None, None)


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_anything_at_all_is_read_without_a_complaint(units: list[bytes]) -> None:
    read_hdr(units)
