"""FLAC: STREAMINFO, and how many samples a frame holds.

The sequence header is STREAMINFO (RFC 9639, 8.2), 34 bytes, as FFmpeg 9.0 sends it; with its
block header, or with "fLaC" before that, it is taken as well. The MP4 box wants the block header
(Encapsulation of FLAC in ISO Base Media File Format, 3.3.2).

What a live encoder cannot know (the sizes of frames, the number of samples, their MD5) is kept as
0, which says so: FFmpeg sends STREAMINFO again at the end, when it does know, and nothing has
changed then.

Each frame's header says how many samples it has (RFC 9639, 9.1): the last one of a recording has
fewer, and streams with a variable block size exist.
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.bitreader import BitReader
from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration

MAGIC = b"fLaC"
STREAMINFO_BYTES = 34
BLOCK_HEAD = bytes([0x80, 0, 0, STREAMINFO_BYTES])  # the last block, of type 0 (8.1)
BLOCK_TYPE_MASK = 0x7F
SLOWEST_RATE, FASTEST_RATE = 8_000, 655_350
SYNC = 0xFFF8  # 14 bits and a reserved one; then the blocking strategy (9.1)
SYNC_MASK = 0xFFFE


@dataclass(frozen=True, slots=True)
class FlacConfiguration(AudioConfiguration):
    """A FLAC decoder configuration; the record is STREAMINFO with its block header."""

    codec: ClassVar[Codec] = Codec.FLAC

    bits_per_sample: int

    @staticmethod
    def parse(record: bytes) -> "FlacConfiguration":
        """Read STREAMINFO; raise MediaError if it is broken."""
        info = record.removeprefix(MAGIC)
        if len(info) > STREAMINFO_BYTES and not info[0] & BLOCK_TYPE_MASK:
            info = info[len(BLOCK_HEAD) :]
        info = info[:STREAMINFO_BYTES]
        if len(info) < STREAMINFO_BYTES:
            raise MediaError(f"a FLAC header of {len(record)} bytes")
        bits = BitReader(info, "the FLAC header")
        smallest, largest = bits.read(16), bits.read(16)
        bits.skip(48)  # sizes of frames
        rate, channels, depth = bits.read(20), bits.read(3) + 1, bits.read(5) + 1
        known = info[:4] + bytes(6) + info[10:13] + bytes([info[13] & 0xF0])
        is_short = 16 <= smallest <= largest <= rate  # a second would be many times too long
        if not is_short or not SLOWEST_RATE <= rate <= FASTEST_RATE:
            raise MediaError(f"FLAC with blocks of {smallest} to {largest} samples at {rate} Hz")
        return FlacConfiguration(
            record=BLOCK_HEAD + known.ljust(STREAMINFO_BYTES, b"\0"),
            codecs="fLaC",
            sample_rate=rate,
            channels=channels,
            samples_per_frame=largest,
            bits_per_sample=depth,
        )

    def samples_in(self, payload: bytes) -> int:
        """How many samples a frame's header says that it has; of a broken one, what is usual."""
        if len(payload) < 5 or int.from_bytes(payload[:2], "big") & SYNC_MASK != SYNC:
            return self.samples_per_frame
        code = payload[2] >> 4
        if code >= 8:
            return 256 << (code - 8)
        if 2 <= code <= 5:
            return 576 << (code - 2)
        if code == 1:
            return 192
        return self._written_out(payload, code)

    def _written_out(self, payload: bytes, code: int) -> int:
        """Read a size that stands behind the frame's number, which is coded as UTF-8 is."""
        ones = 8 - (payload[4] ^ 0xFF).bit_length()
        at = 4 + max(ones, 1)
        size = payload[at : at + (1 if code == 6 else 2)]
        return int.from_bytes(size, "big") + 1 if code and size else self.samples_per_frame
