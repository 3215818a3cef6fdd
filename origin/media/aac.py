"""AAC: the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).

RTMP's AAC sequence header is this record. It goes into the initialization segment unchanged:
HE-AAC is signalled in three ways (1.6.6.2), and rewriting one as another has made decoders
play at half speed.

* hierarchical: object type 5 (SBR) or 29 (PS) first, then the core's;
* backward compatible: the core's first, then a sync extension ``0x2B7`` (and ``0x548`` for PS);
* implicit: nothing is said; the decoder finds SBR in the frames. It cannot be told from
  AAC-LC here, and ``mp4a.40.2`` is what is announced.

A frame always is 1024 samples *of the core* (960 with frameLengthFlag), so the core's rate is
the track's clock, not the rate that comes out of the decoder. Only cores of object type 2
(AAC-LC) are taken: browsers play no other.
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.bitreader import BitReader
from origin.media.coded import Codec
from origin.media.configuration import AudioConfiguration

AAC_LC = 2
SBR = 5
PS = 29
ESCAPE_OBJECT_TYPE = 31
ESCAPE_RATE = 15
SBR_SYNC = 0x2B7  # syncExtensionType (1.6.2.1)
PS_SYNC = 0x548

# samplingFrequencyIndex 0 to 12 (table 1.18); 13 and 14 are reserved.
SAMPLE_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
    8_000, 7_350,
)  # fmt: skip
LONGEST_RECORD = 64  # with a channel layout written out; two to five bytes are usual
CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}  # channelConfiguration (table 1.19)


@dataclass(frozen=True, slots=True)
class AacConfiguration(AudioConfiguration):
    """An AAC decoder configuration.

    The record is the AudioSpecificConfig, unchanged; the rate is the core's, and so is the number
    of channels: PS makes two of one.
    """

    codec: ClassVar[Codec] = Codec.AAC

    adts_index: int | None
    """samplingFrequencyIndex for an ADTS header; None where ADTS cannot carry the stream:
    a rate written out in full, a channel layout written out in full, frames of 960 samples."""

    @staticmethod
    def parse(record: bytes) -> "AacConfiguration":
        """Read an AudioSpecificConfig; raise MediaError if it is broken or not playable."""
        if len(record) > LONGEST_RECORD:
            raise MediaError(f"an AudioSpecificConfig of {len(record)} bytes")
        bits = BitReader(record, "the AudioSpecificConfig")
        object_type = _read_object_type(bits)
        rate_index, sample_rate = _read_rate(bits)
        channel_configuration = bits.read(4)
        extension = object_type if object_type in (SBR, PS) else None
        if extension is not None:
            _read_rate(bits)  # what SBR makes of the core's rate
            object_type = _read_object_type(bits)
        if object_type != AAC_LC:
            raise MediaError(
                f"AAC of audio object type {object_type} does not play in browsers: "
                "set the encoder's audio to AAC-LC or HE-AAC"
            )
        short_frames, channels = _read_core(bits, channel_configuration)
        extension = extension or _read_sync_extension(bits)
        in_adts = rate_index != ESCAPE_RATE and channel_configuration != 0 and not short_frames
        return AacConfiguration(
            record=record,
            codecs=f"mp4a.40.{extension or object_type}",
            sample_rate=sample_rate,
            channels=channels,
            samples_per_frame=960 if short_frames else 1024,
            adts_index=rate_index if in_adts else None,
        )


def _read_object_type(bits: BitReader) -> int:
    object_type = bits.read(5)
    return 32 + bits.read(6) if object_type == ESCAPE_OBJECT_TYPE else object_type


def _read_rate(bits: BitReader) -> tuple[int, int]:
    index = bits.read(4)
    if index == ESCAPE_RATE:
        rate = bits.read(24)
        if not SAMPLE_RATES[-1] <= rate <= SAMPLE_RATES[0]:
            raise MediaError(f"AAC at {rate} samples per second")
        return index, rate
    if index >= len(SAMPLE_RATES):
        raise MediaError(f"AAC sampling frequency index {index} is reserved")
    return index, SAMPLE_RATES[index]


def _read_core(bits: BitReader, channel_configuration: int) -> tuple[bool, int]:
    """Read GASpecificConfig (4.4.1); return whether frames are short, and the channels."""
    short_frames = bits.flag()
    if bits.flag():  # dependsOnCoreCoder
        bits.skip(14)
    bits.skip(1)  # extensionFlag: nothing follows it for AAC-LC
    if channel_configuration == 0:
        return short_frames, _read_program_channels(bits)
    if channel_configuration not in CHANNELS:
        raise MediaError(f"AAC channel configuration {channel_configuration} is reserved")
    return short_frames, CHANNELS[channel_configuration]


def _read_program_channels(bits: BitReader) -> int:
    """Read a program_config_element (4.4.1.1) for the number of its channels."""
    bits.skip(4 + 2 + 4)  # element_instance_tag, object_type, sampling_frequency_index
    front, side, back = bits.read(4), bits.read(4), bits.read(4)
    low_frequency, data, coupling = bits.read(2), bits.read(3), bits.read(4)
    for width in (4, 4, 3):  # mono, stereo and matrix mixdown
        if bits.flag():
            bits.skip(width)
    pairs = 0
    for _ in range(front + side + back):
        pairs += bits.read(1)
        bits.skip(4)
    bits.skip(4 * low_frequency + 4 * data + 5 * coupling)
    bits.skip(bits.bits_left % 8)
    bits.skip(8 * bits.read(8))  # comment
    channels = front + side + back + pairs + low_frequency
    if channels == 0:
        raise MediaError("AAC without channels")
    return channels


def _read_sync_extension(bits: BitReader) -> int | None:
    """Find backward compatible signalling of SBR and PS after the core's configuration."""
    if bits.bits_left < 16 or bits.read(11) != SBR_SYNC:
        return None
    if _read_object_type(bits) != SBR or bits.bits_left < 1 or not bits.flag():
        return None
    _read_rate(bits)
    if bits.bits_left >= 12 and bits.read(11) == PS_SYNC and bits.flag():
        return PS
    return SBR
