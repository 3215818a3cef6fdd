"""What a publisher sends, as the container's tags say it: before there is a timeline.

``rtmp.flv`` reads these out of message bodies; ``streams.timeline`` turns them into samples.
They are named tuples, not dataclasses, because some hundred of them are made per stream and
second, and a frozen dataclass costs three times as much to make.
"""

from enum import Enum
from typing import NamedTuple, TypeAlias

from origin.media.colour import ColourTold
from origin.media.timebase import Millis


class MediaKind(Enum):
    """The two kinds of media that a track can carry."""

    VIDEO = "video"
    AUDIO = "audio"


class Codec(Enum):
    """Codecs that can be packaged; the value is their FourCC in Enhanced RTMP v2."""

    AVC = "avc1"
    HEVC = "hvc1"
    AV1 = "av01"
    VP9 = "vp09"
    AAC = "mp4a"
    MP3 = ".mp3"
    OPUS = "Opus"
    FLAC = "fLaC"
    AC3 = "ac-3"
    EAC3 = "ec-3"


class TrackId(NamedTuple):
    """A track within one publish: its kind and its number (0 unless multitrack)."""

    kind: MediaKind
    number: int


VIDEO_TRACK = TrackId(MediaKind.VIDEO, 0)
AUDIO_TRACK = TrackId(MediaKind.AUDIO, 0)


class SequenceHeader(NamedTuple):
    """A decoder configuration record, as it came: not parsed yet.

    Nobody has to send one for MP3, AC-3 and E-AC-3: there the first frame takes its place.
    """

    track: TrackId
    codec: Codec
    record: bytes


class CodedFrame(NamedTuple):
    """One frame of video or of audio.

    H.264 and HEVC: NAL units with length prefixes; AV1: a temporal unit without its delimiter.
    """

    track: TrackId
    codec: Codec
    composition: Millis
    """Presentation time less decoding time; signed; 0 for audio."""
    is_keyframe: bool
    """True for every audio frame."""
    payload: bytes


class SequenceEnd(NamedTuple):
    """The encoder says that this track is over."""

    track: TrackId


class ColourInfo(NamedTuple):
    """What is told of a video track's colour beside its frames (Enhanced RTMP v2, Metadata Frame).

    It replaces what was told before.
    """

    track: TrackId
    told: ColourTold


class ChannelOrder(Enum):
    """What a channel layout says about the order (Enhanced RTMP v2, AudioChannelOrder)."""

    UNSPECIFIED = 0
    NATIVE = 1
    CUSTOM = 2


class ChannelLayout(NamedTuple):
    """What is told of an audio track's loudspeakers beside its frames (MultichannelConfig)."""

    track: TrackId
    order: ChannelOrder
    channels: int
    speakers: tuple[int, ...]
    """One number (AudioChannel) per channel; empty where the order is not specified."""


Coded: TypeAlias = SequenceHeader | CodedFrame | SequenceEnd | ColourInfo | ChannelLayout
