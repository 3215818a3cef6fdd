from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import MediaError
from origin.media.coded import MediaKind
from origin.media.colour import Colour
from origin.media.vp9 import Vp9Configuration
from tests.support.flv_files import flv_file

RECORD = bytes.fromhex("000a820202020000")
KEYFRAME = bytes.fromhex("824983420009f00596")
"""As libvpx writes it: profile 0, 160x90."""


def test_the_size_comes_from_the_keyframe() -> None:
    configuration = Vp9Configuration.parse(RECORD, KEYFRAME)
    assert (configuration.width, configuration.height) == (160, 90)
    assert configuration.record == RECORD


def test_ffmpeg_s_version_and_flags_are_not_part_of_the_record() -> None:
    as_sent = bytes.fromhex("01000000") + RECORD
    assert Vp9Configuration.parse(as_sent, KEYFRAME) == Vp9Configuration.parse(RECORD, KEYFRAME)


def test_profiles_with_more_fields_are_read() -> None:
    # Profile 1, 4:4:4: marker, profile, flags, sync code, colour space and range, subsampling.
    bits = "10100010" + f"{0x498342:024b}" + "0010000" + f"{639:016b}{479:016b}"
    keyframe = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    configuration = Vp9Configuration.parse(b"\x01" + RECORD[1:], keyframe)
    assert (configuration.width, configuration.height) == (640, 480)


@pytest.mark.parametrize(
    ("record", "codecs", "colour"),
    [
        ("000a820202020000", "vp09.00.10.08", None),
        ("0028820101010000", "vp09.00.40.08", Colour(1, 1, 1)),
        # The example of the VP codec's binding: profile 2, level 1, 10 bits, BT.2020, PQ.
        ("020aa30910090000", "vp09.02.10.10.01.09.16.09.01", Colour(9, 16, 9, full_range=True)),
    ],
)
def test_codecs_names_colours_that_are_not_taken_for_granted(
    record: str, codecs: str, colour: Colour | None
) -> None:
    configuration = Vp9Configuration.parse(bytes.fromhex(record), KEYFRAME)
    assert (configuration.codecs, configuration.colour) == (codecs, colour)


def test_a_level_that_is_not_said_follows_from_the_size() -> None:
    configuration = Vp9Configuration.parse(b"\x00\x00" + RECORD[2:], KEYFRAME)
    assert configuration.codecs == "vp09.00.10.08"
    assert configuration.record == RECORD


def test_the_first_frame_of_a_recording_is_such_a_keyframe() -> None:
    frames = flv_file("vp9_opus").frames(MediaKind.VIDEO)
    assert frames[0].is_keyframe
    assert Vp9Configuration.parse(RECORD, frames[0].payload).width == 160
    with pytest.raises(MediaError, match="not a VP9 keyframe"):
        Vp9Configuration.parse(RECORD, frames[1].payload)


@pytest.mark.parametrize(
    ("record", "keyframe", "reason"),
    [
        (b"", KEYFRAME, "not a VP9 configuration record"),
        (b"\x04" + RECORD[1:], KEYFRAME, "not a VP9 configuration record"),
        (RECORD, b"", "the VP9 keyframe ends"),
        (RECORD, KEYFRAME[:6], "the VP9 keyframe ends"),
        (RECORD, b"\x82\x49\x83\x43" + KEYFRAME[4:], "not a VP9 keyframe"),
        (RECORD, KEYFRAME[:4] + b"\x0f\xff\xf0\x00\x00", "a VP9 picture of 65536x1"),
    ],
)
def test_what_is_neither_is_refused(record: bytes, keyframe: bytes, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        Vp9Configuration.parse(record, keyframe)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_garbage_raises_nothing_but_media_errors(record: bytes, keyframe: bytes) -> None:
    for pair in ((record, keyframe), (RECORD, keyframe), (record, KEYFRAME)):
        with suppress(MediaError):
            Vp9Configuration.parse(*pair)
