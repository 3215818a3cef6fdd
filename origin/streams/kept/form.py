"""The form in which a session is written down: values to records (``store.journal``), and back.

::

    NOTE    where the stream is, and by which rules its session is cut
    BEGIN   the tracks, and what the session remembers where the segment begins (``hls.memory``)
    PART    when and how long; a table of samples, column by column; the frames one after the other
    END     how the segment ended

What is written is what went *into* the packaging: the samples of each part. Going through the
same code again, they become the same playlists, fMP4 and MPEG-TS, in however many renditions.
That the code is the same is not taken on trust: with each part stands a check of the boxes that
were made for it, and a version that would make others is found out (``kept.revival``).

What is written once in a segment is JSON, read with its types checked; parts are binary.
"""

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from itertools import chain
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from origin.errors import MediaError
from origin.hls.cuts import PartReady
from origin.hls.memory import Memory
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.hls.segment import Part
from origin.media.aac import AacConfiguration
from origin.media.ac3 import Ac3Configuration, Eac3Configuration
from origin.media.av1 import Av1Configuration
from origin.media.avc import AvcConfiguration
from origin.media.coded import Codec, MediaKind, TrackId
from origin.media.configuration import Configuration
from origin.media.flac import FlacConfiguration
from origin.media.hevc import HevcConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.opus import OpusConfiguration
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track
from origin.media.vp9 import Vp9Configuration
from origin.store.journal import Kind, Pieces, Record, record

CONFIGURATIONS: tuple[type[Configuration], ...] = (
    AvcConfiguration,
    HevcConfiguration,
    Av1Configuration,
    Vp9Configuration,
    AacConfiguration,
    Mp3Configuration,
    OpusConfiguration,
    FlacConfiguration,
    Ac3Configuration,
    Eac3Configuration,
)
"""Every kind that a track can have."""

_COLUMNS = "qiIBI"  # of the table of samples: dts, composition offset, duration, is_sync, bytes
_ROW_BYTES = sum(array(column).itemsize for column in _COLUMNS)
_COUNT_BYTES = 4
# Start, duration, timescale, the two kinds of independence, date; then how many tracks and checks.
_PART = struct.Struct(">qqIBBqHH")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_BINARY = "hex"  # the key of bytes in JSON

Value = TypeVar("Value")


class FormError(Exception):
    """The record does not say what it should; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Note:
    """Where a stream is, apart from its segments."""

    session: str | None
    """The session whose segments are there; None: it is forgotten, or there never was one."""
    has_ended: bool
    at: datetime
    """When this was written."""
    began: datetime | None
    """When the session began."""
    last_live: datetime | None
    msn: int
    """What the next session begins with, where no segment tells better."""
    discontinuity: int
    rules: Rules
    boot: str
    """Of the machine; empty where that is not known."""


@dataclass(frozen=True, slots=True)
class KeptTrack:
    """A track and its decoder configuration."""

    kind: MediaKind
    number: int
    codec: Codec
    configuration: dict[str, object]


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a segment begins."""

    tracks: tuple[KeptTrack, ...]
    memory: Memory


class KeptPart(NamedTuple):
    """A part as it was read."""

    part: PartReady
    at: datetime
    """When it was taken."""
    checks: tuple[int, ...]
    """Of what was made of it, by rendition, in their order."""


@dataclass(frozen=True, slots=True)
class End:
    """How a segment ended."""

    independent: bool
    """The session still claims that all segments are."""
    sealed: str | None = None
    """The epoch of its name, where the process was killed before its end."""


def note_record(note: Note) -> Pieces:
    return record(Kind.NOTE, _write(_note_form(), note))


def read_note(kept: Record) -> Note:
    """Read a note; raise FormError if it is none."""
    return _read(_note_form(), kept.fields)


def begin_record(tracks: Iterable[tuple[TrackId, Track]], memory: Memory) -> Pieces:
    kept = tuple(_kept_track(name, track) for name, track in tracks)
    return record(Kind.BEGIN, _write(_begin_form(), Begin(kept, memory)))


def read_begin(kept: Record) -> tuple[dict[TrackId, Track], Memory]:
    """Read where a segment begins; raise FormError if the record does not say it."""
    begin = _read(_begin_form(), kept.fields)
    tracks = {TrackId(each.kind, each.number): _track(each) for each in begin.tracks}
    return tracks, begin.memory


def part_record(part: PartReady, at: datetime, made: Sequence[Part]) -> Pieces:
    """Write a part, with checks of what was ``made`` of it in each rendition."""
    columns = tuple(zip(*chain.from_iterable(part.samples), strict=True)) or ((),) * len(_COLUMNS)
    body = columns[-1]
    head = _PART.pack(
        part.start,
        part.duration,
        part.timescale,
        part.independent,
        part.starts_independent,
        (at - EPOCH) // MICROSECOND,
        len(part.samples),
        len(made),
    )
    counts = _column("I", map(len, part.samples))
    checks = _column("I", map(_check, made))
    table = map(_column, _COLUMNS, (*columns[:-1], map(len, body)))
    return record(Kind.PART, b"".join((head, counts, checks, *table)), body)


def _column(kind: str, values: Iterable[int]) -> bytes:
    column = array(kind, values)
    if sys.byteorder == "little":
        column.byteswap()
    return column.tobytes()


def read_part(kept: Record, tracks: tuple[Track, ...]) -> KeptPart:
    """Read a part of these tracks; raise FormError if the record is no such part."""
    try:
        start, duration, timescale, independent, starts, at, of_tracks, of_checks = (
            _PART.unpack_from(kept.fields)
        )
        date = EPOCH + at * MICROSECOND
    except (struct.error, OverflowError) as error:
        raise FormError(f"a part that cannot be read: {error}") from error
    end = _PART.size + (of_tracks + of_checks) * _COUNT_BYTES
    numbers = kept.fields[_PART.size : end]
    if of_tracks != len(tracks) or len(numbers) != end - _PART.size or not timescale:
        raise FormError("a part of other tracks")
    counts, checks = _split(_uncolumn("I", numbers), of_tracks)
    samples = _samples(kept.fields[end:], sum(counts), kept.body)
    runs: list[tuple[Sample, ...]] = []
    for count in counts:
        run, samples = _split(samples, count)
        runs.append(tuple(run))
    part = PartReady(
        tracks=tracks,
        samples=tuple(runs),
        start=Ticks(start),
        duration=Ticks(duration),
        timescale=timescale,
        independent=bool(independent),
        starts_independent=bool(starts),
    )
    return KeptPart(part, date, tuple(checks))


def end_record(end: End) -> Pieces:
    return record(Kind.END, _write(_end_form(), end))


def read_end(kept: Record) -> End:
    """Read how a segment ended; raise FormError if the record does not say it."""
    return _read(_end_form(), kept.fields)


def checks_of(presentation: Presentation) -> tuple[int, ...]:
    """Check what was made of the last part, in each rendition."""
    renditions = presentation.renditions.values()
    return tuple(_check(rendition.growing.parts[-1]) for rendition in renditions)


def _check(part: Part) -> int:
    """Sum up what is not a frame: the frames are what was put in."""
    frames = sum(map(len, part.samples))
    pieces = part.resource.pieces
    checksum = part.resource.size & 0xFFFFFFFF
    for piece in pieces[: len(pieces) - frames]:
        checksum = zlib.crc32(piece, checksum)
    return checksum


def _samples(table: bytes, count: int, body: memoryview) -> list[Sample]:
    if len(table) != count * _ROW_BYTES:
        raise FormError("a part whose samples are not as many as it says")
    samples: list[Sample] = []
    at = 0
    for dts, offset, duration, is_sync, size in zip(*_columns(table, count), strict=True):
        payload = bytes(body[at : at + size])
        samples.append(Sample(Ticks(dts), Ticks(offset), Ticks(duration), bool(is_sync), payload))
        at += size
    if at != len(body):
        raise FormError("a part whose frames are not as long as it says")
    return samples


def _columns(table: bytes, rows: int) -> Iterator[list[int]]:
    at = 0
    for kind in _COLUMNS:
        end = at + rows * array(kind).itemsize
        yield _uncolumn(kind, table[at:end])
        at = end


def _uncolumn(kind: str, written: bytes) -> list[int]:
    column = array(kind, written)
    if sys.byteorder == "little":
        column.byteswap()
    return column.tolist()


def _split(values: list[Value], count: int) -> tuple[list[Value], list[Value]]:
    return values[:count], values[count:]


def _kept_track(name: TrackId, track: Track) -> KeptTrack:
    codec = track.configuration.codec
    configuration = _configuration_form(codec).dump_python(track.configuration)
    return KeptTrack(name.kind, name.number, codec, configuration)


def _track(kept: KeptTrack) -> Track:
    try:
        form = _configuration_form(kept.codec)
        return Track(form.validate_python(kept.configuration))
    except (StopIteration, ValidationError, MediaError) as error:
        raise FormError(f"a {kept.codec.name} configuration that is none: {error}") from error


# Made when they are needed: it takes a while, and most processes never read anything.


@cache
def _note_form() -> TypeAdapter[Note]:
    return TypeAdapter(Note)


@cache
def _begin_form() -> TypeAdapter[Begin]:
    return TypeAdapter(Begin)


@cache
def _end_form() -> TypeAdapter[End]:
    return TypeAdapter(End)


@cache
def _configuration_form(codec: Codec) -> TypeAdapter[Configuration]:
    return TypeAdapter(next(each for each in CONFIGURATIONS if each.codec is codec))


def _write(form: TypeAdapter[Value], value: Value) -> bytes:
    plain = form.dump_python(value)
    return json.dumps(plain, default=_plain, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    match value:
        case bytes():
            return {_BINARY: value.hex()}
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case _:
            raise TypeError(f"{value!r} has no form")


def _read(form: TypeAdapter[Value], written: bytes) -> Value:
    try:
        return form.validate_python(json.loads(written, object_hook=_unplain))
    except (ValueError, RecursionError) as error:  # pydantic's are ValueErrors, too
        raise FormError(f"a record that cannot be read: {error}") from error


def _unplain(found: dict[str, object]) -> object:
    binary = found.get(_BINARY)
    return bytes.fromhex(binary) if isinstance(binary, str) and len(found) == 1 else found
