from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.ac3 import Ac3Configuration, Eac3Configuration

AC3 = bytes.fromhex("0b77fe95144043e106f463")
"""As FFmpeg writes it: 48 kHz, 192 kbit/s, stereo."""
EAC3 = bytes.fromhex("0b77017f3487c00020")
"""Likewise: 48 kHz, 768 bytes, six blocks, stereo."""


def eac3(head: str, size: int = 8) -> bytes:
    return (b"\x0b\x77" + bytes.fromhex(head)).ljust(size, b"\0")


def test_ac3_s_box_holds_fields_of_its_frame() -> None:
    configuration = Ac3Configuration.parse(AC3)
    # fscod 0, bsid 8, bsmod 0, acmod 2, lfeon 0, bit_rate_code 10 (192 kbit/s), reserved.
    assert int.from_bytes(configuration.record, "big") == 0b00_01000_000_010_0_01010_00000
    assert (configuration.sample_rate, configuration.channels) == (48_000, 2)
    assert configuration.samples_in(AC3) == 1536


@pytest.mark.parametrize(
    ("header", "rate", "channels"),
    [
        pytest.param("0b7700005440e100", 44_100, 6, id="5.1 at 44.1 kHz"),
        pytest.param("0b77000080402000", 32_000, 1, id="mono at 32 kHz"),
        pytest.param("0b77000014407000", 48_000, 3, id="3/0"),
    ],
)
def test_ac3_s_channels_are_found_behind_the_mix_levels(
    header: str, rate: int, channels: int
) -> None:
    configuration = Ac3Configuration.parse(bytes.fromhex(header))
    assert (configuration.sample_rate, configuration.channels) == (rate, channels)


def test_eac3_s_box_holds_fields_of_its_frame() -> None:
    configuration = Eac3Configuration.parse(EAC3.ljust(768, b"\0"))
    # 192 kbit/s, one substream; fscod 0, bsid 16, no service, acmod 2, lfeon 0, no dependent one.
    expected = 0b0000011000000_000_00_10000_0_0_000_010_0_000_0000_0
    assert int.from_bytes(configuration.record, "big") == expected
    assert (configuration.sample_rate, configuration.channels) == (48_000, 2)
    assert configuration.samples_in(EAC3) == 1536


@pytest.mark.parametrize(
    ("message", "rate", "samples"),
    [
        pytest.param(eac3("00030480"), 48_000, 256, id="one block"),
        pytest.param(eac3("00036480"), 44_100, 768, id="three blocks at 44.1 kHz"),
        pytest.param(eac3("0003d480"), 22_050, 1536, id="half the rate"),
        pytest.param(eac3("00031480") * 3, 48_000, 1536, id="three frames of two blocks"),
    ],
)
def test_eac3_lasts_as_long_as_its_blocks(message: bytes, rate: int, samples: int) -> None:
    configuration = Eac3Configuration.parse(message)
    assert configuration.sample_rate == rate
    assert configuration.samples_per_frame == configuration.samples_in(message) == samples


def test_a_broken_frame_lasts_as_long_as_the_others() -> None:
    assert Eac3Configuration.parse(EAC3).samples_in(b"\x0b") == 1536


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", "not an AC-3 frame"),
        (b"\xff\xfb\x90\x64", "not an AC-3 frame"),
        (AC3[:6], "the AC-3 header ends"),
        (EAC3, "reserved values"),
        (b"\x0b\x77\x00\x00\xd4" + AC3[5:], "reserved values"),
        (b"\x0b\x77\x00\x00\x26" + AC3[5:], "reserved values"),
    ],
)
def test_what_is_no_ac3_is_refused(frame: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        Ac3Configuration.parse(frame)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "not an E-AC-3 frame"),
        (AC3, "reserved values"),
        (EAC3[:5], "the E-AC-3 header ends"),
        (eac3("0003f480"), "reserved values"),
        (eac3("c0033480"), "reserved values"),
        (eac3("00033480") + eac3("40033480"), "several substreams.*5.1 or stereo"),
        (eac3("00033480") + eac3("08033480"), "several substreams"),
    ],
)
def test_what_is_no_eac3_of_one_substream_is_refused(message: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        Eac3Configuration.parse(message)


@given(st.binary(max_size=30))
def test_garbage_raises_nothing_but_media_errors(rest: bytes) -> None:
    for configuration in (Ac3Configuration, Eac3Configuration):
        with suppress(MediaError):
            configuration.parse(b"\x0b\x77" + rest)
    assert Eac3Configuration.parse(EAC3).samples_in(b"\x0b\x77" + rest) > 0
