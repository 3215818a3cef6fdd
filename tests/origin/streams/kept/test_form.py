"""The form in which sessions are kept: all there is can be written, and comes back the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.hls.cuts import PartReady
from origin.hls.resource import VIDEO_TYPE, named
from origin.hls.rules import Rules
from origin.hls.segment import Part
from origin.media.coded import TrackId
from origin.media.colour import Colour, ColourTold, LightLevel, MasteringDisplay
from origin.media.configuration import AudioConfiguration, VideoConfiguration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from origin.store.journal import FILE_HEAD, Kind, Pieces, Record, read, record
from origin.streams.kept.form import (
    CONFIGURATIONS,
    FormError,
    Note,
    begin_record,
    note_record,
    part_record,
    read_begin,
    read_end,
    read_note,
    read_part,
)
from tests.support.flv_files import FlvFile, flv_files
from tests.support.frames import AUDIO, VIDEO
from tests.support.live import Live

SAMPLE = Sample(Ticks(0), Ticks(0), Ticks(1), True, b"frame")
PART = PartReady((VIDEO,), ((SAMPLE,),), Ticks(0), Ticks(1), 90_000, True, True)
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TOLD = ColourTold(
    Colour(9, 16, 9), MasteringDisplay((1, 2), (3, 4), (5, 6), (7, 8), 9, 10), LightLevel(11, 12)
)


def made(boxes: bytes) -> Part:
    """A part of one frame, with these boxes around it."""
    resource = named((boxes, SAMPLE.payload), VIDEO_TYPE, "1.m4s")
    return Part("1.m4s", resource, ((SAMPLE,),), Ticks(1), True)


def back(pieces: Pieces) -> Record:
    (found,) = read(FILE_HEAD + b"".join(pieces)).records
    return found


def test_every_kind_of_configuration_can_be_written() -> None:
    classes = [*VideoConfiguration.__subclasses__(), *AudioConfiguration.__subclasses__()]
    assert {each.__name__ for each in CONFIGURATIONS} == {each.__name__ for each in classes}


@pytest.mark.parametrize("file", flv_files(), ids=lambda file: file.name)
def test_tracks_of_real_encoders_come_back_the_same(file: FlvFile) -> None:
    kinds = {unit.track.kind for _, unit in file.units()}
    found = [file.configuration(kind) for kind in kinds]
    found += [replace(each, told=TOLD) for each in found if isinstance(each, VideoConfiguration)]
    tracks = {TrackId(each.kind, number): Track(each) for number, each in enumerate(found)}
    memory = Live().presentation.memory()
    assert read_begin(back(begin_record(tracks.items(), memory))) == (tracks, memory)


ticks = st.integers(0, 1 << 62).map(Ticks)
samples = st.builds(
    Sample,
    ticks,
    st.integers(-(1 << 31), (1 << 31) - 1).map(Ticks),
    st.integers(0, (1 << 32) - 1).map(Ticks),
    st.booleans(),
    st.binary(max_size=20),
)
runs = st.lists(samples, max_size=4).map(tuple)
parts = st.builds(
    PartReady,
    st.just((VIDEO, AUDIO)),
    st.tuples(runs, runs),
    ticks,
    ticks,
    st.just(90_000),
    st.booleans(),
    st.booleans(),
)


@given(parts, st.lists(st.builds(made, st.binary(max_size=9)), max_size=3))
def test_parts_come_back_the_same(part: PartReady, parts: list[Part]) -> None:
    again, at, checks = read_part(back(part_record(part, NOW, parts)), part.tracks)
    assert (again, at) == (part, NOW)
    assert len(checks) == len(parts)


def test_other_boxes_have_other_checks() -> None:
    def check(boxes: bytes) -> tuple[int, ...]:
        return read_part(back(part_record(PART, NOW, [made(boxes)])), PART.tracks).checks

    assert check(b"moof") == check(b"moof")
    assert check(b"moof") != check(b"mooF")
    assert check(b"moof") != check(b"moof\0")


def test_a_note_comes_back_the_same() -> None:
    note = Note("ab12", True, NOW, NOW, None, 887_000_000, 7, Rules(part_s=0.3), "boot")
    assert read_note(back(note_record(note))) == note


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"{}", id="nothing said"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"hex": "zz"}', id="bytes that are none"),
        pytest.param(b'{"independent": "maybe", "sealed": 7}', id="other types"),
        pytest.param(b"\x7f\xff\xff\xff{}", id="a length past the end"),
    ],
)
def test_records_that_say_something_else_are_refused_with_a_reason(fields: bytes) -> None:
    kept = back(record(Kind.PART, fields))
    for reader in (read_note, read_begin, read_end):
        with pytest.raises(FormError):
            reader(kept)
    with pytest.raises(FormError):
        read_part(kept, (VIDEO,))


def test_a_part_whose_samples_do_not_fit_is_refused() -> None:
    whole = back(part_record(PART, NOW, [made(b"moof")]))
    for broken in (
        replace(whole, body=whole.body[1:]),
        replace(whole, body=memoryview(bytes(whole.body) + b"more")),
        replace(whole, fields=whole.fields[:-1]),
    ):
        with pytest.raises(FormError):
            read_part(broken, (VIDEO,))
    with pytest.raises(FormError):
        read_part(whole, (VIDEO, AUDIO))
