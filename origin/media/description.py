"""What a publisher has said of one track so far, and the configuration that comes of it.

A decoder configuration is not always one message. Colour is told beside the pictures, before the
sequence header or after it; MP3, AC-3 and E-AC-3 have no header at all, their first frame speaks
for the stream; and VP9's header does not know how large the picture is, its first keyframe does.
Here all of it comes together, and whoever packages asks one question: has the configuration
changed? Equal records, and records that say the same in other bytes, have not changed it.
"""

from dataclasses import replace

from origin.errors import MediaError
from origin.media.aac import AacConfiguration
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
from origin.media.mp3 import Mp3Configuration

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
                if unit == self._header:
                    return False  # repeated by many encoders: it changes nothing
                configuration = parse_configuration(unit)
                self._header = unit
                return self._settle(configuration)
            case ColourInfo(_, told):
                self._told = told
                return self.configuration is not None and self._settle(self.configuration)
            case ChannelLayout():
                return False  # every codec that is packaged says this itself

    def learn(self, frame: CodedFrame) -> bool:
        """Look at a frame that may announce itself; return whether it changed the configuration."""
        if self.describes(frame) or frame.codec not in SELF_ANNOUNCING:
            return False
        return self.take(SequenceHeader(frame.track, frame.codec, frame.payload))

    def describes(self, frame: CodedFrame) -> bool:
        """Whether a decoder could make something of ``frame``."""
        return self.configuration is not None and self.configuration.codec is frame.codec

    def _settle(self, configuration: Configuration) -> bool:
        if isinstance(configuration, VideoConfiguration):
            configuration = replace(configuration, told=self._told)
        has_changed = configuration != self.configuration
        self.configuration = configuration
        return has_changed


def parse_configuration(header: SequenceHeader) -> Configuration:
    """Parse the record of ``header``.

    Raises:
        MediaError: it is not a record of its codec, or describes what cannot be packaged.
    """
    match header.codec:
        case Codec.AVC:
            return AvcConfiguration.parse(header.record)
        case Codec.AAC:
            return AacConfiguration.parse(header.record)
        case Codec.MP3:
            return Mp3Configuration.parse(header.record)
        case _:
            raise MediaError(f"{header.codec.name} cannot be packaged yet")
