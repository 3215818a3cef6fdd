from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.opus import OpusConfiguration

STEREO = bytes.fromhex("4f707573486561640102380180bb0000000000")
"""As FFmpeg writes it: two channels, 312 samples of pre-skip, recorded at 48 kHz."""
SURROUND = bytes.fromhex("4f707573486561640106380144ac0000feff010402000401020305")


def test_the_box_has_the_header_s_numbers_the_other_way_round() -> None:
    configuration = OpusConfiguration.parse(STEREO)
    assert configuration.record == bytes.fromhex("000201380000bb80000000")
    assert (configuration.sample_rate, configuration.channels) == (48_000, 2)
    assert configuration.codecs == "opus"


def test_surround_keeps_its_mapping_and_the_clock_its_rate() -> None:
    configuration = OpusConfiguration.parse(SURROUND)
    box = bytes.fromhex("000601380000ac44fffe010402000401020305")
    assert configuration.record == box
    assert (configuration.sample_rate, configuration.channels) == (48_000, 6)


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        pytest.param("fc", 960, id="CELT, 20 ms, one frame"),
        pytest.param("e5", 240, id="CELT, 2.5 ms, two frames"),
        pytest.param("00", 480, id="SILK, 10 ms"),
        pytest.param("18", 2880, id="SILK, 60 ms"),
        pytest.param("7e", 1920, id="hybrid, 20 ms, two frames"),
        pytest.param("8303", 360, id="CELT, 2.5 ms, three frames"),
        pytest.param("7b81", 960, id="hybrid, one frame with a count, and padding"),
        pytest.param("fb00", 960, id="broken: no frame at all"),
        pytest.param("fb3f", 960, id="broken: longer than a packet can be"),
        pytest.param("fb", 960, id="broken: no count"),
    ],
)
def test_a_packet_s_first_byte_says_how_long_it_lasts(packet: str, samples: int) -> None:
    assert OpusConfiguration.parse(STEREO).samples_in(bytes.fromhex(packet)) == samples


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "not an Opus header"),
        (STEREO[:18], "not an Opus header"),
        (b"OpusTags" + STEREO[8:], "not an Opus header"),
        (STEREO[:8] + b"\x10" + STEREO[9:], "of version 16"),
        (STEREO[:9] + b"\x00" + STEREO[10:], "0 channels"),
        (STEREO[:9] + b"\x03" + STEREO[10:], "3 channels and no mapping"),
        (SURROUND[:-1], "without a mapping of its 6 channels"),
    ],
)
def test_what_is_no_header_is_refused(header: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        OpusConfiguration.parse(header)


@given(st.binary(max_size=20), st.binary(min_size=1, max_size=4))
def test_garbage_raises_nothing_but_media_errors(rest: bytes, packet: bytes) -> None:
    with suppress(MediaError):
        OpusConfiguration.parse(b"OpusHead" + rest)
    assert 120 <= OpusConfiguration.parse(STEREO).samples_in(packet) <= 5760
