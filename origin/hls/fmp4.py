"""Fragmented MP4, written by hand (ISO/IEC 14496-12; CMAF, ISO/IEC 23000-19).

What RTMP carries already are MP4 samples, so all there is to write is the boxes around them:
an initialization segment per configuration, and one ``moof`` and one ``mdat`` per part. The
muxers at hand cannot cut a fragment where a part ends, and their time for it is several times
ours (benchmarks/packaging.py).

* Sizes and offsets are counted before anything is packed; a part's boxes are three or four
  ``struct`` calls, whatever the number of its samples.
* ``mdat`` is not assembled: the body is the boxes, then the payloads as they came.
* B-frames: ``trun`` version 1 with signed composition offsets, and no edit list (8.8.8). The
  decoding timeline stays as it was received.
* ``tfdt`` version 1 counts from the timeline's zero, so that it never wraps (8.8.12).
* ``prft`` before a segment's first ``moof`` says when its first frame was taken (8.16.5), on the
  clock of EXT-X-PROGRAM-DATE-TIME: whoever has the same clock can tell how old a picture is.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain

from origin.hls.fmp4_init import TRACK_ID_BASE
from origin.hls.resource import Pieces
from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.track import Track

# sample_depends_on 2 (nothing) for sync samples; 1 and sample_is_non_sync_sample for others
# (8.8.3.1).
SYNC_SAMPLE = 0x02000000
NON_SYNC_SAMPLE = 0x01010000

TFHD_DEFAULT_BASE_IS_MOOF = 0x020000
TFHD_DEFAULT_SAMPLE_FLAGS = 0x000020
TRUN_DATA_OFFSET = 0x000001
TRUN_DURATION = 0x000100
TRUN_SIZE = 0x000200
TRUN_FLAGS = 0x000400
TRUN_COMPOSITION = 0x000800

VIDEO_TRUN = 0x01000000 | (  # version 1: composition offsets are signed
    TRUN_DATA_OFFSET | TRUN_DURATION | TRUN_SIZE | TRUN_FLAGS | TRUN_COMPOSITION
)
AUDIO_TRUN = 0x01000000 | TRUN_DATA_OFFSET | TRUN_DURATION | TRUN_SIZE

# Flags 24: wall clock and media time are a constant, small offset apart from the real event.
PRFT = struct.Struct(">I4sIIQQ")
PRFT_VERSION_1 = 0x01000000
PRFT_REAL_TIME = 24
NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

MOOF_AND_MFHD = struct.Struct(">I4s I4sII")
# traf, then tfhd (with default_sample_flags), tfdt version 1, and trun's head.
TRAF_HEAD = struct.Struct(">I4s I4sIII I4sIQ I4sIIi")
MDAT_HEAD = struct.Struct(">I4s")
TFHD_BYTES = 20
TFDT_BYTES = 20
TRUN_HEAD_BYTES = 20
VIDEO_ENTRY = "IIIi"  # duration, size, flags, composition offset
AUDIO_ENTRY = "II"
VIDEO_ENTRY_BYTES = 16
AUDIO_ENTRY_BYTES = 8


def fragment(
    sequence: int, tracks: tuple[Track, ...], samples: tuple[tuple[Sample, ...], ...]
) -> Pieces:
    """Write a part: ``moof``, the head of ``mdat``, and the payloads track by track."""
    runs = [
        (number, track.kind is MediaKind.VIDEO, run)
        for number, (track, run) in enumerate(zip(tracks, samples, strict=True))
        if run
    ]
    moof_bytes = MOOF_AND_MFHD.size + sum(
        TRAF_HEAD.size + len(run) * (VIDEO_ENTRY_BYTES if is_video else AUDIO_ENTRY_BYTES)
        for _, is_video, run in runs
    )
    boxes = [MOOF_AND_MFHD.pack(moof_bytes, b"moof", 16, b"mfhd", 0, sequence)]
    data_offset = moof_bytes + MDAT_HEAD.size
    for number, is_video, run in runs:
        sizes = [len(sample.payload) for sample in run]
        boxes.append(_traf(number, is_video, run, sizes, data_offset))
        data_offset += sum(sizes)
    boxes.append(MDAT_HEAD.pack(data_offset - moof_bytes, b"mdat"))
    return (b"".join(boxes), *[sample.payload for _, _, run in runs for sample in run])


def producer_reference_time(track_number: int, wall: datetime, media_time: int) -> bytes:
    """Write a ``prft``: the frame of a track that is shown at ``media_time`` was taken at ``wall``.

    NTP's 64 bits are seconds since 1900 and their fraction (RFC 5905, 6).
    """
    microseconds = (wall - NTP_EPOCH) // MICROSECOND
    ntp = (microseconds << 32) // 1_000_000 % 2**64
    flags = PRFT_VERSION_1 | PRFT_REAL_TIME
    return PRFT.pack(PRFT.size, b"prft", flags, TRACK_ID_BASE + track_number, ntp, media_time)


def _traf(
    number: int, is_video: bool, run: Sequence[Sample], sizes: list[int], data_offset: int
) -> bytes:
    if is_video:
        trun_flags, entries = VIDEO_TRUN, _video_entries(run, sizes)
    else:
        trun_flags, entries = AUDIO_TRUN, _audio_entries(run, sizes)
    head = TRAF_HEAD.pack(
        TRAF_HEAD.size + len(entries),
        b"traf",
        TFHD_BYTES,
        b"tfhd",
        TFHD_DEFAULT_BASE_IS_MOOF | TFHD_DEFAULT_SAMPLE_FLAGS,
        TRACK_ID_BASE + number,
        SYNC_SAMPLE,
        TFDT_BYTES,
        b"tfdt",
        1 << 24,
        run[0].dts,
        TRUN_HEAD_BYTES + len(entries),
        b"trun",
        trun_flags,
        len(run),
        data_offset,
    )
    return head + entries


def _video_entries(run: Sequence[Sample], sizes: list[int]) -> bytes:
    fields = [
        (duration, size, SYNC_SAMPLE if is_sync else NON_SYNC_SAMPLE, composition_offset)
        for (_, composition_offset, duration, is_sync, _), size in zip(run, sizes, strict=True)
    ]
    return _table(VIDEO_ENTRY, len(run)).pack(*chain.from_iterable(fields))


def _audio_entries(run: Sequence[Sample], sizes: list[int]) -> bytes:
    fields = [(sample.duration, size) for sample, size in zip(run, sizes, strict=True)]
    return _table(AUDIO_ENTRY, len(run)).pack(*chain.from_iterable(fields))


@lru_cache(maxsize=1024)
def _table(entry: str, count: int) -> struct.Struct:
    """Make the layout of a ``trun``'s entries; parts of a stream come in few sizes."""
    return struct.Struct(">" + entry * count)
