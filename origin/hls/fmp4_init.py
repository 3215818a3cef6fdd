"""The initialization segment: what a decoder must know before the first part.

``ftyp`` and a ``moov`` without samples (ISO/IEC 14496-12, 8.2 and 8.8; CMAF header, ISO/IEC
23000-19, 7.3.1). It depends on the tracks' configurations and on nothing else, so that equal
configurations give equal bytes, and its name can be their hash.
"""

import struct
from hashlib import blake2b

from origin.hls.boxes import box, full_box
from origin.hls.sample_entries import sample_entry
from origin.media.coded import MediaKind
from origin.media.configuration import VideoConfiguration
from origin.media.track import Track

TRACK_ID_BASE = 1
HASH_BYTES = 8
MOVIE_TIMESCALE = 1000
UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
LANGUAGE_UNDETERMINED = 0x55C4  # "und", five bits per letter (8.4.2.3)
TRACK_ENABLED_IN_MOVIE = 3
SELF_CONTAINED = 1


def initialization(tracks: tuple[Track, ...]) -> bytes:
    """Write the initialization segment for these tracks; they are numbered from 1."""
    ftyp = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6cmfcmp41")
    mvhd = full_box(
        b"mvhd", 0, 0,
        struct.pack(">4I I H10x", 0, 0, MOVIE_TIMESCALE, 0, 0x10000, 0x0100),
        UNITY_MATRIX, bytes(24), struct.pack(">I", TRACK_ID_BASE + len(tracks)),
    )  # fmt: skip
    traks = [_trak(TRACK_ID_BASE + number, track) for number, track in enumerate(tracks)]
    trexes = [
        full_box(b"trex", 0, 0, struct.pack(">5I", TRACK_ID_BASE + number, 1, 0, 0, 0))
        for number in range(len(tracks))
    ]
    return ftyp + box(b"moov", mvhd, *traks, box(b"mvex", *trexes))


def fingerprint(content: bytes) -> str:
    """Return the hash that names an initialization segment."""
    return blake2b(content, digest_size=HASH_BYTES).hexdigest()


def _trak(track_id: int, track: Track) -> bytes:
    is_video = track.kind is MediaKind.VIDEO
    width, height = _display_size(track)
    tkhd = full_box(
        b"tkhd", 0, TRACK_ENABLED_IN_MOVIE,
        struct.pack(">5I8x 4H", 0, 0, track_id, 0, 0, 0, 0, 0 if is_video else 0x0100, 0),
        UNITY_MATRIX, struct.pack(">II", width << 16, height << 16),
    )  # fmt: skip
    mdhd = full_box(
        b"mdhd", 0, 0, struct.pack(">4I2H", 0, 0, track.timescale, 0, LANGUAGE_UNDETERMINED, 0)
    )
    handler, name = (b"vide", b"Video\0") if is_video else (b"soun", b"Sound\0")
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), name)
    header = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    dref = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, SELF_CONTAINED))
    minf = box(b"minf", header, box(b"dinf", dref), _stbl(track))
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))


def _display_size(track: Track) -> tuple[int, int]:
    configuration = track.configuration
    if not isinstance(configuration, VideoConfiguration):
        return 0, 0
    across, down = configuration.pixel_aspect
    return min(configuration.width * across // down, 0xFFFF), configuration.height


def _stbl(track: Track) -> bytes:
    return box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(track.configuration)),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
