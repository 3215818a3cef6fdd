import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import ProtocolError
from origin.rtmp.amf0 import (
    UNDEFINED,
    Amf0Reader,
    AmfValue,
    Date,
    EcmaArray,
    TypedObject,
    encode,
)
from origin.rtmp.limits import AmfBounds, Limits

NUMBER_1 = b"\x00\x3f\xf0\x00\x00\x00\x00\x00\x00"
END = b"\x00\x00\x09"


METADATA, COMMAND = Limits().metadata, Limits().command


def read(data: bytes, bounds: AmfBounds = METADATA) -> list[AmfValue]:
    return Amf0Reader(data, bounds).read_rest()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(NUMBER_1, 1.0, id="number"),
        pytest.param(b"\x01\x01", True, id="true"),
        pytest.param(b"\x01\x00", False, id="false"),
        pytest.param(b"\x02\x00\x03abc", "abc", id="string"),
        pytest.param(b"\x02\x00\x04\xf0\x9f\x8c\x8a", "\U0001f30a", id="string of 4 bytes"),
        pytest.param(b"\x03\x00\x01a" + NUMBER_1 + END, {"a": 1.0}, id="object"),
        pytest.param(b"\x05", None, id="null"),
        pytest.param(b"\x06", UNDEFINED, id="undefined"),
        pytest.param(b"\x08\0\0\0\1\x00\x01a\x05" + END, EcmaArray(a=None), id="ECMA array"),
        pytest.param(b"\x0a\0\0\0\2\x05" + NUMBER_1, [None, 1.0], id="strict array"),
        pytest.param(b"\x0b" + NUMBER_1[1:] + b"\0\0", Date(1.0), id="date"),
        pytest.param(b"\x0c\0\0\0\3abc", "abc", id="long string"),
        pytest.param(b"\x0d", UNDEFINED, id="unsupported"),
        pytest.param(b"\x0f\0\0\0\4<a/>", "<a/>", id="XML document"),
        pytest.param(b"\x10\0\1T\0\1a\x05" + END, TypedObject("T", {"a": None}), id="typed object"),
    ],
)
def test_every_kind_of_value_is_read(data: bytes, value: AmfValue) -> None:
    assert read(data) == [value]
    assert type(read(data)[0]) is type(value)


def test_a_reference_is_the_object_that_it_points_to() -> None:
    first, second, third = read(b"\x03\x00\x01a\x05" + END + b"\x0a\0\0\0\0" + b"\x07\0\0")
    assert second == []
    assert third is first


@pytest.mark.parametrize("count", [0, 1, 2, 0xFFFFFFFF])
def test_the_count_of_an_ecma_array_is_not_believed(count: int) -> None:
    data = b"\x08" + count.to_bytes(4) + b"\x00\x01a\x05\x00\x01b\x05" + END
    assert read(data + b"\x05") == [{"a": None, "b": None}, None]


def test_an_end_marker_forgotten_at_the_end_is_forgiven() -> None:
    assert read(b"\x08\0\0\0\1\x00\x01a\x05") == [{"a": None}]


def test_text_that_is_not_utf8_is_kept_as_far_as_it_goes() -> None:
    assert read(b"\x02\x00\x04caf\xe9") == ["caf\ufffd"]


def test_a_string_beyond_64_kib_goes_out_as_a_long_string() -> None:
    text = "\u00e9" * 0x8000  # 65,536 bytes, but 32,768 characters
    assert encode(text)[0] == 0x0C
    assert read(encode(text)) == [text]


def test_a_key_that_has_grown_by_its_replacements_is_cut_when_it_is_passed_on() -> None:
    (value,) = read(b"\x03" + (30_000).to_bytes(2) + b"\xff" * 30_000 + b"\x05" + END)
    assert read(encode(value)) == [{"\ufffd" * 21_845: None}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"\x02\x00\x05abc", "2 bytes too early", id="string longer than the data"),
        pytest.param(b"\x0c\xff\xff\xff\xff", "too early", id="long string of 4 GiB"),
        pytest.param(b"\x0a\xff\xff\xff\xff\x05", "array of 4294967295", id="4 Gi values"),
        pytest.param(b"\x00\x00", "too early", id="torn number"),
        pytest.param(b"\x03\x00\x01a", "too early", id="key without a value"),
        pytest.param(b"\x07\x00\x00", "reference 0", id="reference to nothing"),
        pytest.param(b"\x0a\0\0\0\1\x07\0\0", "reference 0", id="array that holds itself"),
        pytest.param(b"\x04", "marker 0x04", id="movie clip"),
        pytest.param(b"\x09", "marker 0x09", id="end of no object"),
        pytest.param(b"\x11\x06", "marker 0x11", id="AMF3 value"),
        pytest.param(b"\x0a\0\0\0\1" * 33 + b"\x05", "too deeply", id="33 arrays deep"),
        pytest.param(b"\x05" * 1001, "too many", id="1,001 values"),
        pytest.param(b"\x0a\x00\x00\x03\xe8" + b"\x05" * 1000, "too many", id="nested values"),
        pytest.param(b"\x05" * 524_289, "524289 bytes", id="more than 512 KiB"),
        pytest.param(b"\x0a\0\0\0\2" + NUMBER_1 + NUMBER_1[:5], "too early", id="torn numbers"),
    ],
)
def test_what_is_wrong_or_too_much_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        read(data)


@pytest.mark.parametrize(
    ("bounds", "most"),
    [
        pytest.param(COMMAND, r"command: at most 256 \(limits.command_values\)", id="command"),
        pytest.param(METADATA, r"metadata: at most 1000 \(limits.metadata_values\)", id="metadata"),
    ],
)
def test_what_has_too_many_values_is_refused_with_the_setting_that_allows_more(
    bounds: AmfBounds, most: str
) -> None:
    allowed: dict[str, AmfValue] = {
        f"{number:04x}": None for number in range(bounds.most_values - 1)
    }
    assert read(encode(allowed), bounds) == [allowed]
    with pytest.raises(ProtocolError, match="too many AMF0 values in one " + most):
        read(encode({**allowed, "more": None}), bounds)


def test_the_index_of_eight_hours_of_keyframes_is_welcome_in_metadata() -> None:
    hours: list[AmfValue] = [float(second) for second in range(8 * 3600)]
    index: AmfValue = {"keyframes": {"times": hours, "filepositions": hours}}
    assert read(encode(index)) == [index]
    with pytest.raises(ProtocolError, match=r"limits\.command_bytes"):
        read(encode(index), COMMAND)


def test_numbers_among_other_values_are_read_as_ever() -> None:
    values: list[AmfValue] = [1.0, None, 2.0, [], 3.0]
    assert read(encode(values)) == [values]


def laughs(levels: int) -> bytes:
    """Each array is ten references to the one before it; the first is ten numbers."""
    first = encode([1.0] * 10)
    arrays = [b"\x0a\0\0\0\x0a" + (b"\x07" + at.to_bytes(2)) * 10 for at in range(levels)]
    return first + b"".join(arrays)


def test_a_reference_costs_what_it_stands_for() -> None:
    assert len(encode(*read(laughs(2)))) < 20_000
    with pytest.raises(ProtocolError, match="too many AMF0 values"):
        read(laughs(9))


def test_a_long_text_that_is_referred_to_costs_its_bytes() -> None:
    text = encode(["x" * 60_000])
    assert len(read(text + b"\x07\0\0" * 7)) == 8
    with pytest.raises(ProtocolError, match="too many AMF0 values"):
        read(text + b"\x07\0\0" * 8)


def test_32_arrays_deep_is_still_welcome() -> None:
    value = read(b"\x0a\0\0\0\1" * 32 + b"\x05")[0]
    for _ in range(32):
        assert isinstance(value, list)
        (value,) = value
    assert value is None


def test_values_beside_one_another_are_not_deep() -> None:
    assert read(b"\x0a\0\0\0\0" * 100) == [[]] * 100


TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False)
    | TEXT
    | st.just(UNDEFINED)
    | st.builds(Date, st.floats(allow_nan=False)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(TEXT.filter(bool), inner, max_size=4)
        | st.dictionaries(TEXT.filter(bool), inner, max_size=4).map(EcmaArray)
        | st.builds(TypedObject, TEXT, st.dictionaries(TEXT.filter(bool), inner, max_size=4))
    ),
    max_leaves=20,
)


@given(st.lists(VALUES, max_size=4))
def test_values_survive_the_round_trip(values: list[AmfValue]) -> None:
    assert read(encode(*values)) == values


def test_numbers_that_are_none_survive_the_round_trip() -> None:
    (value,) = read(encode(math.nan))
    assert isinstance(value, float)
    assert math.isnan(value)


@given(st.binary(max_size=300) | VALUES.map(encode), st.data())
def test_garbage_raises_nothing_but_protocol_errors(data: bytes, draw: st.DataObject) -> None:
    mutated = bytearray(data)
    for _ in range(draw.draw(st.integers(0, 3)) if mutated else 0):
        mutated[draw.draw(st.integers(0, len(mutated) - 1))] = draw.draw(st.integers(0, 255))
    with suppress(ProtocolError):
        read(bytes(mutated))
