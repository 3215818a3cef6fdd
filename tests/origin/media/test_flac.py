from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.flac import FlacConfiguration

STREAMINFO = bytes.fromhex("040004000000000000000bb802f000000000") + bytes(16)
"""As FFmpeg writes it at first: blocks of 1024 samples, 48 kHz, 2 channels of 16 bits."""
IN_THE_END = bytes.fromhex("0400040000006f0001840bb802f000017700") + bytes(range(16))
CONFIGURATION = FlacConfiguration.parse(STREAMINFO)


def test_streaminfo_gets_its_block_header() -> None:
    assert CONFIGURATION.record == bytes.fromhex("80000022") + STREAMINFO
    assert (CONFIGURATION.sample_rate, CONFIGURATION.channels) == (48_000, 2)
    assert (CONFIGURATION.samples_per_frame, CONFIGURATION.bits_per_sample) == (1024, 16)
    assert CONFIGURATION.codecs == "fLaC"


@pytest.mark.parametrize("before", ["00000022", "80000022", "664c614300000022"])
def test_a_block_header_and_the_marker_are_taken_as_well(before: str) -> None:
    assert FlacConfiguration.parse(bytes.fromhex(before) + STREAMINFO) == CONFIGURATION


def test_what_ffmpeg_knows_only_in_the_end_changes_nothing() -> None:
    assert FlacConfiguration.parse(IN_THE_END) == CONFIGURATION


@pytest.mark.parametrize(
    ("frame", "samples"),
    [
        pytest.param("fff8aa8800", 1024, id="1024"),
        pytest.param("fff81a8800", 192, id="192"),
        pytest.param("fff85a8800", 4608, id="4608"),
        pytest.param("fff9ca8800", 4096, id="variable blocks"),
        pytest.param("fff86a88007f", 128, id="one byte"),
        pytest.param("fff87a88000fff", 4096, id="two bytes"),
        pytest.param("fff87a88c2800fff", 4096, id="two bytes, after a number of two"),
        pytest.param("fff80a8800", 1024, id="reserved"),
        pytest.param("fff86a8800", 1024, id="cut off"),
        pytest.param("fff8", 1024, id="no header"),
        pytest.param("0000aa8800", 1024, id="no frame"),
    ],
)
def test_a_frame_says_how_many_samples_it_holds(frame: str, samples: int) -> None:
    assert CONFIGURATION.samples_in(bytes.fromhex(frame)) == samples


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "a FLAC header of 0 bytes"),
        (STREAMINFO[:-1], "a FLAC header of 33 bytes"),
        (bytes(34), "blocks of 0 to 0 samples at 0 Hz"),
        (b"\x00\x10\xff\xff" + STREAMINFO[4:], "blocks of 16 to 65535 samples at 48000 Hz"),
    ],
)
def test_what_is_no_streaminfo_is_refused(record: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        FlacConfiguration.parse(record)


@given(st.binary(max_size=50), st.binary(min_size=1, max_size=10))
def test_garbage_raises_nothing_but_media_errors(record: bytes, frame: bytes) -> None:
    with suppress(MediaError):
        FlacConfiguration.parse(record)
    assert CONFIGURATION.samples_in(b"\xff\xf8" + frame) > 0
