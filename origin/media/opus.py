"""Opus: the identification header, and how long a packet lasts.

The sequence header is the header of Opus in Ogg (RFC 7845, 5.1): ``OpusHead``, little-endian. The
box of an MP4 sample entry says the same with big-endian numbers (Encapsulation of Opus in ISO
Base Media File Format, 4.3.2), so the record that is kept is already the box's.

Opus always is 48 kHz as far as its timing goes, whatever it was recorded at, and a packet's first
byte says how much it holds: 2.5 to 120 ms (RFC 6716, 3.1), and packets may differ.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration

MAGIC = b"OpusHead"
HEAD = struct.Struct("<8sBBHIhB")
BOX = struct.Struct(">BBHIhB")
OPUS_RATE = 48_000
USUAL_SAMPLES = 960  # 20 ms: what every encoder makes unless it is told otherwise
LONGEST_PACKET = 5760  # 120 ms (RFC 6716, 3.2.5)

# Samples per frame by the upper five bits of the first byte (RFC 6716, table 2).
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
FRAME_SAMPLES = _SILK * 3 + _HYBRID * 2 + _CELT * 4

FRAME_COUNTS = (1, 2, 2, 0)  # by the lower two bits (3.2)


@dataclass(frozen=True, slots=True)
class OpusConfiguration(AudioConfiguration):
    """An Opus decoder configuration; the record is the ``dOps`` body."""

    codec: ClassVar[Codec] = Codec.OPUS

    @staticmethod
    def parse(record: bytes) -> "OpusConfiguration":
        """Read an identification header; raise MediaError if it is not one."""
        if len(record) < HEAD.size or not record.startswith(MAGIC):
            raise MediaError(f"not an Opus header: {record[:12].hex()}")
        _, version, channels, pre_skip, rate, gain, family = HEAD.unpack_from(record)
        if version >> 4 or not channels:
            raise MediaError(f"an Opus header of version {version} with {channels} channels")
        mapping = b""
        if family:
            mapping = record[HEAD.size : HEAD.size + 2 + channels]
            if len(mapping) < 2 + channels:
                raise MediaError(f"an Opus header without a mapping of its {channels} channels")
        elif channels > 2:
            raise MediaError(f"an Opus header with {channels} channels and no mapping")
        return OpusConfiguration(
            record=BOX.pack(0, channels, pre_skip, rate, gain, family) + mapping,
            codecs="opus",
            sample_rate=OPUS_RATE,
            channels=channels,
            samples_per_frame=USUAL_SAMPLES,
        )

    def samples_in(self, payload: bytes) -> int:
        """How much a packet holds; of a broken one, what is usual."""
        frames = FRAME_COUNTS[payload[0] & 3]
        if not frames:  # it is written out
            frames = payload[1] & 0x3F if len(payload) > 1 else 0
        samples = frames * FRAME_SAMPLES[payload[0] >> 3]
        return samples if 0 < samples <= LONGEST_PACKET else USUAL_SAMPLES
