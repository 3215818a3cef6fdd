"""A reader of fragmented MP4: initialization segments and movie fragments.

It reads what a CMAF writer has any business to write (ISO/IEC 14496-12 and 23000-19) and raises
``UnreadableError`` for the rest. Offsets are kept, because that data offsets point at the right
bytes is one of the things to be checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tests.validator.elementary import (
    MP3_CODECS,
    AudioFormat,
    Picture,
    read_audio_specific_config,
    read_avc_record,
    read_sps,
)
from tests.validator.errors import UnreadableError
from tests.validator.media import Kind

# tfhd flags (ISO/IEC 14496-12, 8.8.7.1).
BASE_DATA_OFFSET = 0x000001
SAMPLE_DESCRIPTION = 0x000002
DEFAULT_DURATION = 0x000008
DEFAULT_SIZE = 0x000010
DEFAULT_FLAGS = 0x000020
DEFAULT_BASE_IS_MOOF = 0x020000

# trun flags (8.8.8.1).
DATA_OFFSET = 0x000001
FIRST_SAMPLE_FLAGS = 0x000004
SAMPLE_DURATION = 0x000100
SAMPLE_SIZE = 0x000200
SAMPLE_FLAGS = 0x000400
SAMPLE_COMPOSITION = 0x000800

DESCRIPTOR_DECODER_CONFIG = 4
DESCRIPTOR_DECODER_SPECIFIC = 5
OBJECT_MPEG4_AUDIO = 0x40
OBJECTS_MP3 = (0x69, 0x6B)


class Box(NamedTuple):
    """A box: ``start`` is where its header begins in the data that was read."""

    kind: str
    start: int
    payload: bytes
    end: int


@dataclass(frozen=True, slots=True)
class InitTrack:
    """A ``trak`` with its ``stsd`` entry read."""

    track: int
    kind: Kind
    timescale: int
    durations: tuple[int, int]
    """Of ``tkhd`` and of ``mdhd``."""
    sample_rows: int
    """Rows in the sample table, which a fragmented movie has none of."""
    has_edit_list: bool
    entry_kind: str
    description: bytes
    """The whole ``stsd``: with the timescale, all that makes a configuration."""
    format: Picture | AudioFormat
    length_size: int
    """Of NAL units; 0 for audio."""
    parameter_sets: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Init:
    """An initialization segment."""

    brands: frozenset[str]
    top_level: tuple[str, ...]
    duration: int
    """Of ``mvhd``."""
    tracks: dict[int, InitTrack]
    defaults: dict[int, tuple[int, int, int]]
    """``trex`` by track: duration, size, flags."""


class Sample(NamedTuple):
    """A row of a ``trun``, defaults filled in; its bytes lie at ``start`` of the segment."""

    dts: int
    duration: int
    size: int
    flags: int
    composition: int
    start: int


@dataclass(frozen=True, slots=True)
class Traf:
    """A track fragment."""

    track: int
    flags: int
    """Of ``tfhd``."""
    decode_version: int
    trun_versions: tuple[int, ...]
    samples: tuple[Sample, ...]


class ProducerTime(NamedTuple):
    """A ``prft`` (8.16.5): when, by the clock of who made it, media had which time."""

    track: int
    ntp: int
    """Seconds since 1900, with 32 bits of fraction."""
    media_time: int
    flags: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """A ``moof`` and the ``mdat`` behind it; ``data`` is where the latter's payload lies."""

    sequence: int
    start: int
    data: range
    trafs: tuple[Traf, ...]
    made: tuple[ProducerTime, ...]
    """What the boxes before it say of when it was made."""


@dataclass(frozen=True, slots=True)
class Fragments:
    """A media segment: its fragments, and the kinds of all its top-level boxes in order."""

    top_level: tuple[str, ...]
    fragments: tuple[Fragment, ...]
    made_nothing: tuple[ProducerTime, ...]
    """``prft`` with no fragment behind."""


def boxes(data: bytes, start: int = 0) -> Iterator[Box]:
    """The boxes that lie one behind the other from ``start`` to the end."""
    at = start
    while at < len(data):
        size, head = _int(data, at, 4), 8
        kind = data[at + 4 : at + 8].decode("latin-1")
        if size == 1:
            size, head = _int(data, at + 8, 8), 16
        if size < head or at + size > len(data):
            raise UnreadableError(f"box {kind!r} of {size} bytes where {len(data) - at} are left")
        yield Box(kind, at, data[at + head : at + size], at + size)
        at += size


def read_init(data: bytes) -> Init:
    """Read an initialization segment."""
    top = list(boxes(data))
    brands = _only(top, "ftyp").payload
    moov = list(boxes(_only(top, "moov").payload))
    tracks = [_read_track(box.payload) for box in moov if box.kind == "trak"]
    return Init(
        brands=frozenset(_brands(brands)),
        top_level=tuple(box.kind for box in top),
        duration=_duration(_only(moov, "mvhd").payload, 12),
        tracks={track.track: track for track in tracks},
        defaults=dict(_read_defaults(moov)),
    )


def read_fragments(data: bytes, init: Init) -> Fragments:
    """Read a media segment (or a part of one), which has to be whole fragments."""
    top = list(boxes(data))
    fragments = []
    made: list[ProducerTime] = []
    for index, box in enumerate(top):
        if box.kind == "prft":
            made.append(_read_producer_time(box.payload))
        if box.kind == "moof":
            if index + 1 == len(top) or top[index + 1].kind != "mdat":
                raise UnreadableError("moof without an mdat behind it")
            fragments.append(_read_fragment(box, top[index + 1], init, tuple(made)))
            made = []
    if not fragments:
        raise UnreadableError("no movie fragment")
    return Fragments(tuple(box.kind for box in top), tuple(fragments), tuple(made))


def _read_producer_time(payload: bytes) -> ProducerTime:
    width = 8 if payload[:1] == b"\x01" else 4
    track, ntp, media_time = (_int(payload, at, size) for at, size in ((4, 4), (8, 8), (16, width)))
    return ProducerTime(track, ntp, media_time, _int(payload, 1, 3))


def _int(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise UnreadableError(f"{size} bytes wanted at {at} of {len(data)}")
    return int.from_bytes(data[at : at + size], "big")


def _only(among: list[Box], kind: str) -> Box:
    found = [box for box in among if box.kind == kind]
    if len(found) != 1:
        raise UnreadableError(f"{len(found)} boxes {kind!r} where there has to be one")
    return found[0]


def _brands(payload: bytes) -> Iterator[str]:
    for at in (0, *range(8, len(payload), 4)):
        yield payload[at : at + 4].decode("latin-1")


def _duration(payload: bytes, at: int) -> int:
    """A duration field whose place and width depend on the version (8.2.2, 8.3.2, 8.4.2)."""
    if payload[:1] == b"\x01":
        return _int(payload, at + 12, 8)
    return _int(payload, at + 4, 4)


def _read_defaults(moov: list[Box]) -> Iterator[tuple[int, tuple[int, int, int]]]:
    for box in boxes(_only(moov, "mvex").payload):
        if box.kind == "trex":
            duration, size, flags = (_int(box.payload, at, 4) for at in (12, 16, 20))
            yield _int(box.payload, 4, 4), (duration, size, flags)


def _read_track(payload: bytes) -> InitTrack:
    trak = list(boxes(payload))
    header = _only(trak, "tkhd").payload
    mdia = list(boxes(_only(trak, "mdia").payload))
    media_header = _only(mdia, "mdhd").payload
    wide = media_header[:1] == b"\x01"
    table = list(boxes(_only(list(boxes(_only(mdia, "minf").payload)), "stbl").payload))
    description = _only(table, "stsd").payload
    kind = _kind(_only(mdia, "hdlr").payload)
    entry = next(boxes(description, 8))
    form, length_size, parameter_sets = _read_entry(entry, kind)
    return InitTrack(
        track=_int(header, 20 if header[:1] == b"\x01" else 12, 4),
        kind=kind,
        timescale=_int(media_header, 20 if wide else 12, 4),
        durations=(_duration(header, 16), _duration(media_header, 12)),
        sample_rows=_rows(table),
        has_edit_list=any(box.kind == "edts" for box in trak),
        entry_kind=entry.kind,
        description=description,
        format=form,
        length_size=length_size,
        parameter_sets=parameter_sets,
    )


def _kind(handler: bytes) -> Kind:
    match handler[8:12]:
        case b"vide":
            return Kind.VIDEO
        case b"soun":
            return Kind.AUDIO
        case other:
            raise UnreadableError(f"handler {other!r}")


def _rows(table: list[Box]) -> int:
    counted_at = {"stts": 4, "stsc": 4, "stco": 4, "co64": 4, "stsz": 8}
    return sum(
        _int(box.payload, counted_at[box.kind], 4) for box in table if box.kind in counted_at
    )


def _read_entry(entry: Box, kind: Kind) -> tuple[Picture | AudioFormat, int, frozenset[bytes]]:
    """The sample entry (12.1.3, 12.2.3) and the configuration in it."""
    inner = list(boxes(entry.payload, 78 if kind is Kind.VIDEO else 28))
    if kind is Kind.VIDEO:
        if entry.kind != "avc1":
            raise UnreadableError(f"video sample entry {entry.kind!r}")
        length_size, sps, pps = read_avc_record(_only(inner, "avcC").payload)
        if not sps or not pps:
            raise UnreadableError("avcC without parameter sets")
        return read_sps(sps[0]), length_size, frozenset(sps + pps)
    if entry.kind != "mp4a":
        raise UnreadableError(f"audio sample entry {entry.kind!r}")
    rate, channels = _int(entry.payload, 24, 2), _int(entry.payload, 16, 2)
    return _read_esds(_only(inner, "esds").payload, rate, channels), 0, frozenset()


def _read_esds(payload: bytes, rate: int, channels: int) -> AudioFormat:
    """The elementary stream descriptor (ISO/IEC 14496-1, 7.2.6.5)."""
    stream = dict(_descriptors(payload[4:]))
    flags = stream[3][2] if 3 in stream and len(stream[3]) > 2 else 0
    inner = dict(_descriptors(stream.get(3, b"")[3:])) if not flags else {}
    config = inner.get(DESCRIPTOR_DECODER_CONFIG, b"")
    if len(config) < 13:
        raise UnreadableError("esds without a decoder configuration")
    if config[0] in OBJECTS_MP3:
        return AudioFormat(MP3_CODECS, rate, channels, 1152 if rate >= 32000 else 576)
    if config[0] != OBJECT_MPEG4_AUDIO:
        raise UnreadableError(f"object type {config[0]:#x}")
    specific = dict(_descriptors(config[13:])).get(DESCRIPTOR_DECODER_SPECIFIC)
    if specific is None:
        raise UnreadableError("esds without an AudioSpecificConfig")
    return read_audio_specific_config(specific)


def _descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        kind, size = data[at], 0
        at += 1
        while True:
            byte = _int(data, at, 1)
            at += 1
            size = size << 7 | byte & 127
            if not byte & 128:
                break
        yield kind, data[at : at + size]
        at += size


def _read_fragment(moof: Box, mdat: Box, init: Init, made: tuple[ProducerTime, ...]) -> Fragment:
    inner = list(boxes(moof.payload))
    sequence = _int(_only(inner, "mfhd").payload, 4, 4)
    trafs = tuple(_read_traf(box.payload, moof.start, init) for box in inner if box.kind == "traf")
    data = range(mdat.end - len(mdat.payload), mdat.end)
    return Fragment(sequence, moof.start, data, trafs, made)


def _read_traf(payload: bytes, moof_start: int, init: Init) -> Traf:
    inner = list(boxes(payload))
    header = _only(inner, "tfhd").payload
    track, flags = _int(header, 4, 4), _int(header, 1, 3)
    if track not in init.tracks:
        raise UnreadableError(f"track {track} is not in the initialization segment")
    decode = _only(inner, "tfdt").payload
    decode_time = _int(decode, 4, 8 if decode[0] == 1 else 4)
    rows: list[Sample] = []
    versions = []
    for box in inner:
        if box.kind == "trun":
            versions.append(box.payload[0])
            dts = rows[-1].dts + rows[-1].duration if rows else decode_time
            defaults = _defaults(header, flags, init.defaults.get(track, (0, 0, 0)))
            rows.extend(_read_trun(box.payload, dts, moof_start, defaults))
    if not rows:
        raise UnreadableError(f"track {track} without samples")
    return Traf(track, flags, decode[0], tuple(versions), tuple(rows))


def _defaults(header: bytes, flags: int, trex: tuple[int, int, int]) -> tuple[int, int, int]:
    """What ``tfhd`` says, or else ``trex``: duration, size, flags."""
    at = 8 + 8 * bool(flags & BASE_DATA_OFFSET) + 4 * bool(flags & SAMPLE_DESCRIPTION)
    values = list(trex)
    for index, bit in enumerate((DEFAULT_DURATION, DEFAULT_SIZE, DEFAULT_FLAGS)):
        if flags & bit:
            values[index] = _int(header, at, 4)
            at += 4
    return values[0], values[1], values[2]


def _read_trun(
    payload: bytes, dts: int, moof_start: int, defaults: tuple[int, int, int]
) -> Iterator[Sample]:
    flags, count = _int(payload, 1, 3), _int(payload, 4, 4)
    if not flags & DATA_OFFSET:
        raise UnreadableError("trun without a data offset")
    signed = payload[0] == 1
    start = moof_start + int.from_bytes(payload[8:12], "big", signed=True)
    at, first_flags = 12, None
    if flags & FIRST_SAMPLE_FLAGS:
        first_flags, at = _int(payload, at, 4), at + 4
    for index in range(count):
        duration, size, sample_flags = defaults
        composition = 0
        if flags & SAMPLE_DURATION:
            duration, at = _int(payload, at, 4), at + 4
        if flags & SAMPLE_SIZE:
            size, at = _int(payload, at, 4), at + 4
        if flags & SAMPLE_FLAGS:
            sample_flags, at = _int(payload, at, 4), at + 4
        if flags & SAMPLE_COMPOSITION:
            composition, at = _int(payload, at, 4), at + 4
            if signed and composition >= 1 << 31:
                composition -= 1 << 32
        if index == 0 and first_flags is not None:
            sample_flags = first_flags
        yield Sample(dts, duration, size, sample_flags, composition, start)
        dts, start = dts + duration, start + size
