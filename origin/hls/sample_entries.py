"""Sample entries: how each codec introduces itself in an initialization segment.

A sample entry is the part of a track that differs from codec to codec (ISO/IEC 14496-12, 8.5.2)::

    video   avc1 hvc1 av01 vp09   [ avcC hvcC av1C vpcC ] [ colr ] [ pasp ] [ mdcv clli ]
    audio   mp4a Opus fLaC ac-3 ec-3   [ esds dOps dfLa dac3 dec3 ]

The first box inside is the decoder configuration; ``origin.media`` has brought it into the form
of that box already, so a table of names is nearly all there is. Colour goes into ``colr`` where
the stream or its metadata name it, and the two records of HDR10 into ``mdcv`` and ``clli``.
"""

import struct

from origin.hls.boxes import box, full_box
from origin.media.coded import Codec
from origin.media.colour import Colour, LightLevel, MasteringDisplay
from origin.media.configuration import AudioConfiguration, Configuration, VideoConfiguration
from origin.media.flac import FlacConfiguration

RESOLUTION_72_DPI = 0x00480000
DEPTH_24 = 0x0018
NO_COLOUR_TABLE = -1
LARGEST_ENTRY_RATE = 0xFFFF  # the sample entry's rate is 16.16; the codec's own is what counts
USUAL_SAMPLE_BITS = 16  # samplesize: a template value for all but FLAC (12.2.3)
FULL_RANGE = 0x80

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


def sample_entry(configuration: Configuration) -> bytes:
    """Write the one sample entry of a track."""
    if isinstance(configuration, VideoConfiguration):
        return _picture_entry(configuration)
    return _sound_entry(configuration)


def _picture_entry(configuration: VideoConfiguration) -> bytes:
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
    boxes = [_picture_configuration(configuration)]
    if (colour := configuration.shown_colour) is not None:
        boxes.append(_colr(colour))
    if configuration.pixel_aspect != (1, 1):
        # Chromium takes the shape of a pixel from here alone, not from the SPS.
        boxes.append(box(b"pasp", struct.pack(">II", *configuration.pixel_aspect)))
    if (display := configuration.shown_display) is not None:
        boxes.append(_mdcv(display))
    if (light := configuration.shown_light) is not None:
        boxes.append(_clli(light))
    return box(configuration.codec.value.encode(), entry, *boxes)


def _picture_configuration(configuration: VideoConfiguration) -> bytes:
    record = configuration.record
    match configuration.codec:
        case Codec.HEVC:
            return box(b"hvcC", record)
        case Codec.AV1:
            return box(b"av1C", record)
        case Codec.VP9:
            return full_box(b"vpcC", 1, 0, record)
        case _:
            return box(b"avcC", record)


def _colr(colour: Colour) -> bytes:
    """ColourInformationBox (12.1.5)."""
    return box(
        b"colr",
        b"nclx",
        struct.pack(
            ">3HB",
            colour.primaries,
            colour.transfer,
            colour.matrix,
            FULL_RANGE if colour.full_range else 0,
        ),
    )


def _mdcv(display: MasteringDisplay) -> bytes:
    """MasteringDisplayColourVolumeBox (12.1.6): green, blue, red, as the SEI message has them."""
    chromaticities = (*display.green, *display.blue, *display.red, *display.white)
    return box(b"mdcv", struct.pack(">8H2I", *chromaticities, display.brightest, display.darkest))


def _clli(light: LightLevel) -> bytes:
    """ContentLightLevelBox (12.1.7)."""
    return box(b"clli", struct.pack(">2H", light.largest_content, light.largest_frame_average))


def _sound_entry(configuration: AudioConfiguration) -> bytes:
    rate = configuration.sample_rate
    bits = USUAL_SAMPLE_BITS
    if isinstance(configuration, FlacConfiguration):
        bits = configuration.bits_per_sample
    entry = struct.pack(
        ">6xH 8x 2H 4x I",
        1,  # data_reference_index
        configuration.channels,
        bits,
        rate << 16 if rate <= LARGEST_ENTRY_RATE else 0,
    )
    # MP3 shares AAC's entry; its codec is told in the descriptor.
    kind = Codec.AAC if configuration.codec is Codec.MP3 else configuration.codec
    return box(kind.value.encode(), entry, _sound_configuration(configuration))


def _sound_configuration(configuration: AudioConfiguration) -> bytes:
    record = configuration.record
    match configuration.codec:
        case Codec.OPUS:
            return box(b"dOps", record)
        case Codec.FLAC:
            return full_box(b"dfLa", 0, 0, record)
        case Codec.AC3:
            return box(b"dac3", record)
        case Codec.EAC3:
            return box(b"dec3", record)
        case Codec.MP3:
            is_mpeg1 = configuration.sample_rate >= LOWEST_MPEG1_RATE
            kind = OBJECT_TYPE_MPEG1_AUDIO if is_mpeg1 else OBJECT_TYPE_MPEG2_AUDIO
            return full_box(b"esds", 0, 0, _es_descriptor(kind, b""))
        case _:
            specific = _descriptor(DECODER_SPECIFIC_INFO, record)
            return full_box(b"esds", 0, 0, _es_descriptor(OBJECT_TYPE_AAC, specific))


def _es_descriptor(object_type: int, specific: bytes) -> bytes:
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
