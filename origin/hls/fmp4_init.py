"""The initialization segment: what a decoder must know before the first part.

``ftyp`` and a ``moov`` without samples (ISO/IEC 14496-12, 8.2 and 8.8; CMAF header, ISO/IEC
23000-19, 7.3.1). It depends on the tracks' configurations and on nothing else, so that equal
configurations give equal bytes, and its name can be their hash.
"""

import struct
from hashlib import blake2b

from origin.errors import MediaError
from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import MediaKind
from origin.media.configuration import Configuration, VideoConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.track import Track

TRACK_ID_BASE = 1
HASH_BYTES = 8
MOVIE_TIMESCALE = 1000
UNITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
LANGUAGE_UNDETERMINED = 0x55C4  # "und", five bits per letter (8.4.2.3)
TRACK_ENABLED_IN_MOVIE = 3
SELF_CONTAINED = 1
RESOLUTION_72_DPI = 0x00480000
DEPTH_24 = 0x0018
NO_COLOUR_TABLE = -1
LARGEST_ENTRY_RATE = 0xFFFF  # the sample entry's rate is 16.16; the codec's own is what counts

# Descriptors and objectTypeIndications (ISO/IEC 14496-1, 7.2.2.1 and 7.2.6.6.2).
ES_DESCRIPTOR = 0x03
DECODER_CONFIG = 0x04
DECODER_SPECIFIC_INFO = 0x05
SL_CONFIG = 0x06
OBJECT_TYPE_AAC = 0x40
OBJECT_TYPE_MPEG1_AUDIO = 0x6B
OBJECT_TYPE_MPEG2_AUDIO = 0x69
AUDIO_STREAM = 0x15  # streamType 5, upStream 0, reserved 1
SL_PREDEFINED_MP4 = 2
LOWEST_MPEG1_RATE = 32_000


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


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box (4.2)."""
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Write a box with a version and flags (4.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


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
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), _sample_entry(track.configuration)),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )


def _sample_entry(configuration: Configuration) -> bytes:
    match configuration:
        case AvcConfiguration():
            return _avc1(configuration)
        case AacConfiguration() | Mp3Configuration():
            return _mp4a(configuration)
        case _:
            raise MediaError(f"{configuration.codecs} cannot be written as fragmented MP4")


def _avc1(configuration: AvcConfiguration) -> bytes:
    entry = struct.pack(
        ">6xH 16x 2H 2I 4x H 32x Hh",
        1,  # data_reference_index
        configuration.width,
        configuration.height,
        RESOLUTION_72_DPI,
        RESOLUTION_72_DPI,
        1,  # frame_count
        DEPTH_24,
        NO_COLOUR_TABLE,
    )
    boxes = [box(b"avcC", configuration.record)]
    if configuration.pixel_aspect != (1, 1):
        # Chromium takes the shape of a pixel from here alone, not from the SPS.
        boxes.append(box(b"pasp", struct.pack(">II", *configuration.pixel_aspect)))
    return box(b"avc1", entry, *boxes)


def _mp4a(configuration: AacConfiguration | Mp3Configuration) -> bytes:
    rate = configuration.sample_rate
    entry = struct.pack(
        ">6xH 8x 2H 4x I",
        1,  # data_reference_index
        configuration.channels,
        16,  # samplesize: a template value (12.2.3)
        rate << 16 if rate <= LARGEST_ENTRY_RATE else 0,
    )
    return box(b"mp4a", entry, full_box(b"esds", 0, 0, _es_descriptor(configuration)))


def _es_descriptor(configuration: AacConfiguration | Mp3Configuration) -> bytes:
    specific = b""
    match configuration:
        case AacConfiguration():
            object_type = OBJECT_TYPE_AAC
            specific = _descriptor(DECODER_SPECIFIC_INFO, configuration.record)
        case Mp3Configuration():
            is_mpeg1 = configuration.sample_rate >= LOWEST_MPEG1_RATE
            object_type = OBJECT_TYPE_MPEG1_AUDIO if is_mpeg1 else OBJECT_TYPE_MPEG2_AUDIO
    # Buffer size and bit rates are not known, and 0 says so.
    config = struct.pack(">BB3x2I", object_type, AUDIO_STREAM, 0, 0) + specific
    return _descriptor(
        ES_DESCRIPTOR,
        struct.pack(">HB", 0, 0),
        _descriptor(DECODER_CONFIG, config),
        _descriptor(SL_CONFIG, bytes([SL_PREDEFINED_MP4])),
    )


def _descriptor(tag: int, *content: bytes) -> bytes:
    """Write a descriptor of up to 127 bytes, as AudioSpecificConfigs make them (8.3.3)."""
    body = b"".join(content)
    return bytes([tag, len(body)]) + body
