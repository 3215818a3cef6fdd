"""A small writer of fragmented MP4, so that the validator is not proved by the packager it judges.

What it writes by default is right; ``Odd`` names the ways in which it can be told to be wrong.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.validator.media import Kind

SYNC = 0x02000000
NOT_SYNC = 0x01010000
IDENTITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


class CodedFrame(NamedTuple):
    """A frame in ticks of its track."""

    dts: int
    pts: int
    duration: int
    is_sync: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """What the initialization segment says of a track."""

    track: int
    kind: Kind
    timescale: int
    record: bytes
    """avcC's payload, or an AudioSpecificConfig."""
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Odd:
    """Mistakes to be made; none by default."""

    brands: tuple[bytes, ...] = (b"iso6", b"cmfc", b"mp41")
    movie_duration: int = 0
    track_duration: int = 0
    sample_rows: int = 0
    pixel_aspect: bool = False
    """A pasp box in the video's sample entry: no mistake, but another configuration."""
    edit_list: bool = False
    track_run_version: int = 1
    default_base_is_moof: bool = True
    decode_time_version: int = 1
    data_offset: int = 0
    audio_late: int = 0
    """Ticks by which the audio's decode times are later than its place among the segments."""


RIGHT = Odd()


def box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, version: int, flags: int, *payload: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)


def write_init(tracks: Sequence[TrackSpec], odd: Odd = RIGHT) -> bytes:
    """An initialization segment."""
    header = struct.pack(">IIIIIH10x", 0, 0, 1000, odd.movie_duration, 0x10000, 0x0100)
    movie = full_box(b"mvhd", 0, 0, header, IDENTITY_MATRIX, bytes(24), struct.pack(">I", 99))
    extends = box(b"mvex", *(_track_defaults(track) for track in tracks))
    traks = b"".join(_trak(track, odd) for track in tracks)
    brands = odd.brands[0] + bytes(4) + b"".join(odd.brands)
    return box(b"ftyp", brands) + box(b"moov", movie, traks, extends)


def _track_defaults(track: TrackSpec) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">5I", track.track, 1, 0, 0, 0))


def _trak(track: TrackSpec, odd: Odd) -> bytes:
    is_video = track.kind is Kind.VIDEO
    size = struct.pack(">II", track.width << 16, track.height << 16)
    tkhd = full_box(
        b"tkhd",
        0,
        3,
        struct.pack(">5I16x", 0, 0, track.track, 0, odd.track_duration),
        IDENTITY_MATRIX,
        size,
    )
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, track.timescale, 0, 0x55C4, 0))
    handler = b"vide" if is_video else b"soun"
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0")
    edits = full_box(b"elst", 0, 0, struct.pack(">IIiI", 1, 0, 100, 0x10000))
    edts = box(b"edts", edits) if odd.edit_list else b""
    media_header = (
        full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    )
    reference = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    minf = box(b"minf", media_header, box(b"dinf", reference), _sample_table(track, odd))
    return box(b"trak", tkhd, edts, box(b"mdia", mdhd, hdlr, minf))


def _sample_table(track: TrackSpec, odd: Odd) -> bytes:
    entry = _video_entry(track, odd) if track.kind is Kind.VIDEO else _audio_entry(track)
    empty = [full_box(kind, 0, 0, bytes(4)) for kind in (b"stsc", b"stco")]
    times = struct.pack(">I", odd.sample_rows) + bytes(8 * odd.sample_rows)
    empty.append(full_box(b"stts", 0, 0, times))
    sizes = full_box(b"stsz", 0, 0, bytes(8))
    return box(b"stbl", full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry), *empty, sizes)


def _video_entry(track: TrackSpec, odd: Odd) -> bytes:
    size = struct.pack(">HHIIIH32xHh", track.width, track.height, 0x480000, 0x480000, 0, 1, 24, -1)
    head = bytes(6) + struct.pack(">H", 1) + bytes(16)
    aspect = box(b"pasp", struct.pack(">II", 1, 1)) if odd.pixel_aspect else b""
    return box(b"avc1", head, size, box(b"avcC", track.record), aspect)


def _audio_entry(track: TrackSpec) -> bytes:
    rate = track.timescale if track.timescale < 1 << 16 else 0
    head = bytes(6) + struct.pack(">H8xHH4xI", 1, 2, 16, rate << 16)
    specific = bytes([5, len(track.record)]) + track.record
    config = bytes([4, 13 + len(specific), 0x40, 0x15]) + bytes(11) + specific
    stream = bytes([3, 3 + len(config) + 3, 0, 0, 0]) + config + b"\x06\x01\x02"
    return box(b"mp4a", head, full_box(b"esds", 0, 0, stream))


def write_producer_reference_time(track: int, ntp: int, media_time: int, flags: int = 0) -> bytes:
    """A ``prft`` (ISO/IEC 14496-12, 8.16.5) for the fragment behind it."""
    return full_box(b"prft", 1, flags, struct.pack(">IQQ", track, ntp, media_time))


def write_fragment(
    sequence: int, tracks: Sequence[tuple[TrackSpec, Sequence[CodedFrame]]], odd: Odd = RIGHT
) -> bytes:
    """A moof and its mdat."""
    tracks = [(track, frames) for track, frames in tracks if frames]
    size = len(_moof(sequence, tracks, 0, odd))
    moof = _moof(sequence, tracks, size + 8 + odd.data_offset, odd)
    payloads = [frame.payload for _, frames in tracks for frame in frames]
    return moof + box(b"mdat", *payloads)


def _moof(
    sequence: int,
    tracks: Sequence[tuple[TrackSpec, Sequence[CodedFrame]]],
    data_at: int,
    odd: Odd,
) -> bytes:
    trafs = []
    for track, frames in tracks:
        trafs.append(_traf(track, frames, data_at, odd))
        data_at += sum(len(frame.payload) for frame in frames)
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), *trafs)


def _traf(track: TrackSpec, frames: Sequence[CodedFrame], data_at: int, odd: Odd) -> bytes:
    flags = 0x020000 if odd.default_base_is_moof else 0
    tfhd = full_box(b"tfhd", 0, flags, struct.pack(">I", track.track))
    wide = ">Q" if odd.decode_time_version == 1 else ">I"
    late = odd.audio_late if track.kind is Kind.AUDIO else 0
    decode = struct.pack(wide, frames[0].dts + late)
    tfdt = full_box(b"tfdt", odd.decode_time_version, 0, decode)
    rows = b"".join(_row(frame) for frame in frames)
    head = struct.pack(">II", len(frames), data_at)
    trun = full_box(b"trun", odd.track_run_version, 0x000F01, head, rows)
    return box(b"traf", tfhd, tfdt, trun)


def _row(frame: CodedFrame) -> bytes:
    flags = SYNC if frame.is_sync else NOT_SYNC
    offset = frame.pts - frame.dts
    return struct.pack(">IIIi", frame.duration, len(frame.payload), flags, offset)
