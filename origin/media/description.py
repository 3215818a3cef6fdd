"""What a publisher has said of one track so far, and the configuration that comes of it.

A decoder configuration is not always one message. Colour is told beside the pictures, before the
sequence header or after it; MP3, AC-3 and E-AC-3 have no header at all, their first frame speaks
for the stream; and VP9's header does not know how large the picture is, its first keyframe does.
Here all of it comes together, and whoever packages asks one question: has the configuration
changed? Equal records, and records that say the same in other bytes, have not changed it.
"""

from collections.abc import Callable
from dataclasses import replace

from origin.errors import MediaError
from origin.media.aac import AacConfiguration
from origin.media.ac3 import Ac3Configuration, Eac3Configuration
from origin.media.av1 import Av1Configuration, lacks_sequence_header
from origin.media.avc import AvcConfiguration
from origin.media.coded import (
    ChannelLayout,
    Codec,
    CodedFrame,
    ColourInfo,
    SequenceHeader,
)
from origin.media.colour import NOTHING_TOLD
from origin.media.configuration import Configuration, VideoConfiguration
from origin.media.flac import FlacConfiguration
from origin.media.hevc import HevcConfiguration
from origin.media.mp3 import Mp3Configuration
from origin.media.opus import OpusConfiguration
from origin.media.vp9 import Vp9Configuration

LONGEST_RECORD = 64 * 1024
"""Bytes. x265's, with all of its settings in a message, has 2,500. It is kept for as long as the
stream lives, and served with every initialization segment."""

SELF_ANNOUNCING = frozenset({Codec.MP3, Codec.AC3, Codec.EAC3})
"""Codecs whose first frame takes the place of a sequence header."""


class Description:
    """All that has been said of one track.

    Feed it every unit that is not a frame, and frames as long as there is no configuration.
    """

    def __init__(self) -> None:
        self.configuration: Configuration | None = None
        """None until enough has been said to decode the track."""
        self._header: SequenceHeader | None = None
        self._told = NOTHING_TOLD

    def take(self, unit: SequenceHeader | ColourInfo | ChannelLayout) -> bool:
        """Take what was said; return whether the configuration is another one now.

        Raises:
            MediaError: it cannot be packaged; the text is for the streamer.
        """
        match unit:
            case SequenceHeader():
                return self._take_header(unit)
            case ColourInfo(_, told):
                self._told = told
                return self.configuration is not None and self._settle(self.configuration)
            case ChannelLayout():
                return False  # every codec that is packaged says this itself

    def learn(self, frame: CodedFrame) -> bool:
        """Look at a frame that may announce itself; return whether it changed the configuration."""
        if self.describes(frame):
            return False
        if frame.codec in SELF_ANNOUNCING:
            self._header = None
            announced = SequenceHeader(frame.track, frame.codec, frame.payload)
            return self._settle(parse_configuration(announced))
        header = self._header
        if header is None or header.codec is not frame.codec or not frame.is_keyframe:
            return False
        return self._settle(parse_configuration(header, frame.payload))

    def describes(self, frame: CodedFrame) -> bool:
        """Whether a decoder could make something of ``frame``."""
        return self.configuration is not None and self.configuration.codec is frame.codec

    def _take_header(self, header: SequenceHeader) -> bool:
        if header == self._header:
            return False  # repeated by many encoders: it changes nothing
        if len(header.record) > LONGEST_RECORD:
            raise MediaError(f"a {header.codec.name} sequence header of {len(header.record)} bytes")
        if needs_keyframe(header):
            self._header = header
            self.configuration = None
            return True
        configuration = parse_configuration(header)
        self._header = header
        return self._settle(configuration)

    def _settle(self, configuration: Configuration) -> bool:
        if isinstance(configuration, VideoConfiguration):
            configuration = replace(configuration, told=self._told)
        has_changed = configuration != self.configuration
        self.configuration = configuration
        return has_changed


LONGEST_RECORD_BYTES = 64 * 1024
"""Of a decoder configuration. Parameter sets have some hundred bytes, and x265 adds 2 KiB of its
settings; in 8 MiB there would be room for two million units to look at."""


def needs_keyframe(header: SequenceHeader) -> bool:
    """Whether a record does not say enough without the first keyframe."""
    is_bare = header.codec is Codec.AV1 and lacks_sequence_header(header.record)
    return is_bare or header.codec is Codec.VP9


def parse_configuration(header: SequenceHeader, keyframe: bytes = b"") -> Configuration:
    """Parse the record of ``header``, and ``keyframe`` where the record needs it.

    Raises:
        MediaError: it is not a record of its codec, or describes what cannot be packaged.
    """
    record = header.record
    if len(record) > LONGEST_RECORD_BYTES:
        raise MediaError(f"a sequence header of {len(record)} bytes")
    match header.codec:
        case Codec.AV1:
            return Av1Configuration.parse(record, keyframe)
        case Codec.VP9:
            return Vp9Configuration.parse(record, keyframe)
        case codec:
            return PARSERS[codec](record)


PARSERS: dict[Codec, Callable[[bytes], Configuration]] = {
    Codec.AVC: AvcConfiguration.parse,
    Codec.HEVC: HevcConfiguration.parse,
    Codec.AAC: AacConfiguration.parse,
    Codec.MP3: Mp3Configuration.parse,
    Codec.OPUS: OpusConfiguration.parse,
    Codec.FLAC: FlacConfiguration.parse,
    Codec.AC3: Ac3Configuration.parse,
    Codec.EAC3: Eac3Configuration.parse,
}
