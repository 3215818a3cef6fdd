"""AC-3 and E-AC-3: the configuration that is in every frame (ETSI TS 102 366, 4.3 and E.1.2).

There is no sequence header that says anything: FFmpeg 9.0 sends an empty one, and the first frame
speaks for the stream. What a sample entry wants (annex F) are fields of that frame::

    AC-3     0b77 crc | fscod 2, frmsizecod 6 | bsid 5, bsmod 3 | acmod 3, mix levels, lfeon 1
    E-AC-3   0b77 | strmtyp 2, substreamid 3, frmsiz 11 | fscod 2, numblkscod 2, acmod 3, lfeon 1
             | bsid 5

A frame of AC-3 always is 1536 samples; one of E-AC-3 is 256 for each of its blocks, and a message
may hold several. E-AC-3 of more than one substream (7.1, two programmes) is refused: there is no
encoder at hand that makes such a stream, and a ``dec3`` box (annex F.6) that nobody has tried would
be a guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from origin.errors import MediaError
from origin.media.bitreader import BitReader
from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration

SYNC = b"\x0b\x77"
LAST_AC3_BSID = 8
FIRST_EAC3_BSID, LAST_EAC3_BSID = 11, 16
AC3_SAMPLES = 1536
BLOCK_SAMPLES = 256
RATES = (48_000, 44_100, 32_000)
HALF_RATES = (24_000, 22_050, 16_000)
BLOCKS = (1, 2, 3, 6)
LAST_FRAME_SIZE_CODE = 37
CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)  # by acmod, without the low-frequency one (4.4.2.3)
MONO, STEREO = 1, 2
HEADER_BYTES = 8
MOST_FRAMES = 64
"""Looked at in one message of E-AC-3: six of one block are usual, where a message holds several."""


@dataclass(frozen=True, slots=True)
class Ac3Configuration(AudioConfiguration):
    """What all frames of an AC-3 stream have in common; the record is the ``dac3`` body."""

    codec: ClassVar[Codec] = Codec.AC3

    @staticmethod
    def parse(first_frame: bytes) -> "Ac3Configuration":
        """Read a frame's header; raise MediaError if it is not AC-3's."""
        if not first_frame.startswith(SYNC):
            raise MediaError(f"not an AC-3 frame: {first_frame[:8].hex()}")
        bits = BitReader(first_frame[4:HEADER_BYTES], "the AC-3 header")
        rate_code, size_code = bits.read(2), bits.read(6)
        bsid, bsmod, acmod = bits.read(5), bits.read(3), bits.read(3)
        if rate_code == 3 or size_code > LAST_FRAME_SIZE_CODE or bsid > LAST_AC3_BSID:
            raise MediaError(f"an AC-3 header with reserved values: {first_frame[:8].hex()}")
        if acmod & 1 and acmod != MONO:
            bits.skip(2)  # cmixlev
        if acmod & 4:
            bits.skip(2)  # surmixlev
        if acmod == STEREO:
            bits.skip(2)  # dsurmod
        lfe = bits.read(1)
        record = rate_code << 22 | bsid << 17 | bsmod << 14 | acmod << 11 | lfe << 10
        record |= size_code >> 1 << 5  # bit_rate_code
        return Ac3Configuration(
            record=record.to_bytes(3, "big"),
            codecs="ac-3",
            sample_rate=RATES[rate_code],
            channels=CHANNELS[acmod] + lfe,
            samples_per_frame=AC3_SAMPLES,
        )


class _Frame(NamedTuple):
    """The header of one E-AC-3 frame."""

    stream_type: int
    substream: int
    size: int
    rate_code: int
    sample_rate: int
    blocks: int
    acmod: int
    lfe: int
    bsid: int


@dataclass(frozen=True, slots=True)
class Eac3Configuration(AudioConfiguration):
    """What all frames of an E-AC-3 stream have in common; the record is the ``dec3`` body."""

    codec: ClassVar[Codec] = Codec.EAC3

    @staticmethod
    def parse(first_frame: bytes) -> "Eac3Configuration":
        """Read a message's frames; raise MediaError if they are not E-AC-3's."""
        frames = list(_frames(first_frame))
        if not frames:
            raise MediaError(f"not an E-AC-3 frame: {first_frame[:8].hex()}")
        first = frames[0]
        if any(frame.stream_type == 1 or frame.substream for frame in frames):
            raise MediaError(
                "E-AC-3 of several substreams (7.1, two programmes) is not taken: "
                "set the encoder to 5.1 or stereo"
            )
        bits_per_block = first.size * 8 // first.blocks
        kilobits = bits_per_block * first.sample_rate // (BLOCK_SAMPLES * 1000)
        record = (kilobits & 0x1FFF) << 27  # then num_ind_sub: 0, which means one
        record |= first.rate_code << 22 | first.bsid << 17 | first.acmod << 9 | first.lfe << 8
        return Eac3Configuration(
            record=record.to_bytes(5, "big"),
            codecs="ec-3",
            sample_rate=first.sample_rate,
            channels=CHANNELS[first.acmod] + first.lfe,
            samples_per_frame=sum(frame.blocks for frame in frames) * BLOCK_SAMPLES,
        )

    def samples_in(self, payload: bytes) -> int:
        """How many samples the frames of a message hold; of a broken one, what is usual."""
        samples = 0
        at = 0
        for _ in range(MOST_FRAMES):
            if payload[at : at + 2] != SYNC or len(payload) < at + 5:
                break
            blocks = 6 if payload[at + 4] >> 6 == 3 else BLOCKS[payload[at + 4] >> 4 & 3]
            samples += blocks * BLOCK_SAMPLES
            at += 2 * (((payload[at + 2] & 7) << 8 | payload[at + 3]) + 1)
        return samples or self.samples_per_frame


def _frames(payload: bytes) -> Iterator[_Frame]:
    at = 0
    for _ in range(MOST_FRAMES):
        if payload[at : at + 2] != SYNC:
            return
        frame = _frame(payload[at + 2 : at + HEADER_BYTES])
        yield frame
        at += frame.size


def _frame(head: bytes) -> _Frame:
    bits = BitReader(head, "the E-AC-3 header")
    stream_type, substream, size = bits.read(2), bits.read(3), 2 * (bits.read(11) + 1)
    rate_code, block_code = bits.read(2), bits.read(2)
    if rate_code == 3:
        if block_code == 3:
            raise MediaError(f"an E-AC-3 header with reserved values: {head.hex()}")
        rate, blocks = HALF_RATES[block_code], 6
    else:
        rate, blocks = RATES[rate_code], BLOCKS[block_code]
    acmod, lfe, bsid = bits.read(3), bits.read(1), bits.read(5)
    if stream_type == 3 or not FIRST_EAC3_BSID <= bsid <= LAST_EAC3_BSID:
        raise MediaError(f"an E-AC-3 header with reserved values: {head.hex()}")
    return _Frame(stream_type, substream, size, rate_code, rate, blocks, acmod, lfe, bsid)
