import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.bitreader import BitReader


def bits_of(text: str) -> BitReader:
    """A reader of the bits that are written out."""
    padded = text.replace(" ", "").ljust(-(-len(text.replace(" ", "")) // 8) * 8, "0")
    return BitReader(int(padded, 2).to_bytes(len(padded) // 8, "big"), "the test")


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 2**40 - 1)), max_size=30))
def test_fields_of_any_width_come_back_in_order(fields: list[tuple[int, int]]) -> None:
    values = [(width, value % (1 << width)) for width, value in fields]
    reader = bits_of("".join(f"{value:0{width}b}" for width, value in values) or "0")
    assert [reader.read(width) for width, _ in values] == [value for _, value in values]


@pytest.mark.parametrize(
    ("code", "unsigned", "signed"),
    [
        pytest.param("1", 0, 0, id="0"),
        pytest.param("010", 1, 1, id="1"),
        pytest.param("011", 2, -1, id="2"),
        pytest.param("00100", 3, 2, id="3"),
        pytest.param("00101", 4, -2, id="4"),
        pytest.param("0001000", 7, 4, id="7"),
        pytest.param("0" * 32 + "1" + "1" * 32, 2**33 - 2, -(2**32 - 1), id="the longest"),
    ],
)
def test_exp_golomb_codes_are_those_of_the_standard(code: str, unsigned: int, signed: int) -> None:
    assert bits_of(code).unsigned_golomb() == unsigned
    assert bits_of(code).signed_golomb() == signed


def test_what_is_missing_is_an_error_of_the_media() -> None:
    reader = BitReader(b"\xff", "the test")
    assert reader.read(7) == 0x7F
    assert reader.bits_left == 1
    with pytest.raises(MediaError, match="the test ends after 1 bytes"):
        reader.read(2)


def test_zeros_without_an_end_are_no_code() -> None:
    with pytest.raises(MediaError, match="without an end"):
        BitReader(bytes(10), "the test").unsigned_golomb()
