from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.av1 import Av1Configuration, lacks_sequence_header
from origin.media.av1_sequence import find_sequence_header, parse_sequence
from origin.media.coded import MediaKind
from origin.media.colour import Colour
from tests.support.flv_files import flv_file

HEAD = bytes.fromhex("81000c00")
SEQUENCE_HEADER = bytes.fromhex("0a0b020000051da7ec805f0008")
"""As SVT-AV1 writes it: main profile, level 2.0, 160x90, 8 bits."""
DELIMITER = bytes.fromhex("1200")


class Fields:
    """A sequence header, field by field."""

    def __init__(self) -> None:
        self._bits = ""

    def write(self, value: int, width: int) -> "Fields":
        self._bits += f"{value:0{width}b}"
        return self

    def bytes(self) -> bytes:
        padded = self._bits.ljust(-(-len(self._bits) // 8) * 8, "0")
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def reduced(profile: int = 0) -> Fields:
    """A reduced_still_picture_header of 64x32, up to the colours."""
    fields = Fields().write(profile, 3).write(0b11, 2).write(0, 5)
    fields.write(5, 4).write(4, 4).write(63, 6).write(31, 5)
    return fields.write(0, 3).write(0, 3)


def test_a_record_holds_its_sequence_header() -> None:
    configuration = Av1Configuration.parse(HEAD + SEQUENCE_HEADER)
    assert (configuration.width, configuration.height) == (160, 90)
    assert configuration.record == HEAD + SEQUENCE_HEADER
    assert not lacks_sequence_header(HEAD + SEQUENCE_HEADER)


def test_a_record_without_one_gets_it_from_the_first_keyframe() -> None:
    assert lacks_sequence_header(HEAD)
    configuration = Av1Configuration.parse(HEAD, DELIMITER + SEQUENCE_HEADER + b"\x32\x01\x00")
    assert configuration == Av1Configuration.parse(HEAD + SEQUENCE_HEADER)


@pytest.mark.parametrize(
    ("head", "codecs"),
    [
        pytest.param("81040c00", "av01.0.04M.08", id="level 3.0"),
        pytest.param("812d8c00", "av01.1.13H.08", id="high profile and tier"),
    ],
)
def test_profile_level_and_tier_are_the_record_s(head: str, codecs: str) -> None:
    assert Av1Configuration.parse(bytes.fromhex(head) + SEQUENCE_HEADER).codecs == codecs


@pytest.mark.parametrize(
    ("fields", "depth", "colour"),
    [
        pytest.param(reduced().write(0b000, 3).write(0, 1), 8, None, id="not said"),
        pytest.param(
            reduced().write(0b101, 3).write(9, 8).write(16, 8).write(9, 8).write(1, 1),
            10, Colour(9, 16, 9, full_range=True), id="10 bits, PQ, full range",
        ),
        pytest.param(
            reduced(2).write(0b1101, 4).write(1, 8).write(1, 8).write(1, 8).write(0, 1),
            12, Colour(1, 1, 1), id="12 bits",
        ),
        pytest.param(
            reduced(1).write(0b01, 2).write(1, 8).write(13, 8).write(0, 8),
            8, Colour(1, 13, 0, full_range=True), id="sRGB, always in full range",
        ),
        pytest.param(
            reduced().write(0b011, 3).write(1, 8).write(13, 8).write(0, 8).write(0, 1),
            8, Colour(1, 13, 0), id="monochrome",
        ),
    ],
)  # fmt: skip
def test_depth_and_colour_are_read(fields: Fields, depth: int, colour: Colour | None) -> None:
    picture = parse_sequence(fields.bytes())
    assert (picture.width, picture.height) == (64, 32)
    assert (picture.bit_depth, picture.colour) == (depth, colour)


def test_a_picture_that_is_larger_than_any_is_refused() -> None:
    fields = Fields().write(0, 3).write(0b11, 2).write(0, 5)
    fields.write(15, 4).write(0, 4).write(65_535, 16).write(0, 1)
    with pytest.raises(MediaError, match="an AV1 picture of 65536x1"):
        parse_sequence(fields.bytes())


def test_the_frame_rate_is_read_where_it_is_constant() -> None:
    fields = Fields().write(0, 3).write(0, 2)
    fields.write(1, 1).write(1001, 32).write(60_000, 32).write(1, 1).write(0b010, 3)  # uvlc: 1
    fields.write(1, 1).write(9, 5).write(1, 32).write(9, 5).write(9, 5)  # decoder model
    fields.write(1, 1).write(0, 5).write(0, 12).write(8, 5).write(1, 1)  # level 4.0, high tier
    fields.write(1, 1).write(0, 21).write(1, 1).write(3, 4)  # delays of the model, of display
    fields.write(5, 4).write(4, 4).write(63, 6).write(31, 5)
    fields.write(1, 1).write(0, 7).write(0, 3)  # frame ids
    fields.write(0, 4).write(1, 1).write(0, 2).write(0, 1).write(1, 1).write(0, 1).write(0, 1)
    fields.write(6, 3).write(0, 3).write(0b000, 3).write(0, 1)
    picture = parse_sequence(fields.bytes())
    assert picture.frame_rate == pytest.approx(29.97, abs=0.001)
    assert (picture.width, picture.height, picture.bit_depth) == (64, 32, 8)


@pytest.mark.parametrize("name", ["av1_opus", "av1_hlg"])
def test_a_sample_has_no_temporal_delimiter(name: str) -> None:
    frames = flv_file(name).frames(MediaKind.VIDEO)
    assert all(frame.payload[0] >> 3 & 0x0F != 2 for frame in frames)
    keyframe = next(frame for frame in frames if frame.is_keyframe)
    assert find_sequence_header(keyframe.payload)[0] == keyframe.payload[: keyframe.payload[1] + 2]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "not an AV1 configuration record"),
        (b"\x01\x00\x0c\x00" + SEQUENCE_HEADER, "not an AV1 configuration record"),
        (HEAD, "without a sequence header"),
        (HEAD + DELIMITER, "without a sequence header"),
        (HEAD + SEQUENCE_HEADER[:6], "OBU that is cut off"),
        (HEAD + b"\x0a" + b"\xff" * 9, "whose size has no end"),
        (HEAD + b"\x0a\x02\x00\x00", "the AV1 sequence header ends"),
    ],
)
def test_what_is_no_record_is_refused(record: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        Av1Configuration.parse(record)


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_but_media_errors(data: bytes) -> None:
    for record, keyframe in ((data, b""), (HEAD + data, b""), (HEAD, data)):
        with suppress(MediaError):
            Av1Configuration.parse(record, keyframe)
    with suppress(MediaError):
        parse_sequence(data)
