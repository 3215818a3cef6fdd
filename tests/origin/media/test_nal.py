import pytest

from origin.errors import MediaError
from origin.media.nal import check_units, length_size
from tests.support.frames import AUDIO, VIDEO


def units(*lengths: int, size: int = 4) -> bytes:
    return b"".join(length.to_bytes(size, "big") + b"\x65" * length for length in lengths)


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize("lengths", [(), (5,), (1, 2, 3), (0, 7), (200, 55)])
def test_lengths_that_add_up_are_fine(lengths: tuple[int, ...], size: int) -> None:
    check_units(units(*lengths, size=size), size)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(units(5)[:-1], id="cut off"),
        pytest.param(units(5) + b"\x00", id="something behind it"),
        pytest.param(units(5) + b"\x00\x00\x00", id="half a length behind it"),
        pytest.param(b"\x7f\xff\xff\xff" + bytes(100), id="past the end"),
        pytest.param(units(5, 6)[:-7] + units(9), id="a second one that is too long"),
    ],
)
def test_lengths_that_do_not_add_up_are_told(payload: bytes) -> None:
    with pytest.raises(MediaError, match="NAL units are"):
        check_units(payload, 4)


@pytest.mark.parametrize("start_code", [b"\x00\x00\x00\x01", b"\x00\x00\x01"])
def test_start_codes_are_called_by_their_name(start_code: bytes) -> None:
    payload = start_code + b"\x67" + bytes(20) + start_code + b"\x65" + b"\x11" * 500
    with pytest.raises(MediaError, match="Annex B"):
        check_units(payload, 4)


def test_only_some_codecs_have_nal_units() -> None:
    assert length_size(VIDEO.configuration) == 4
    assert length_size(AUDIO.configuration) is None
