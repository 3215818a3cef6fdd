"""What a publisher sends, as the container's tags say it: before there is a timeline.

``rtmp.flv`` reads these out of message bodies; ``streams.timeline`` turns them into samples.
They are named tuples, not dataclasses, because some hundred of them are made per stream and
second, and a frozen dataclass costs three times as much to make.
"""

from enum import Enum
from typing import NamedTuple, TypeAlias

from origin.media.timebase import Millis


class MediaKind(Enum):
    """The two kinds of media that a track can carry."""

    VIDEO = "video"
    AUDIO = "audio"


class Codec(Enum):
    """Codecs that can be packaged; the value is their FourCC in Enhanced RTMP v2."""

    AVC = "avc1"
    AAC = "mp4a"
    MP3 = ".mp3"


class TrackId(NamedTuple):
    """A track within one publish: its kind and its number (0 unless multitrack)."""

    kind: MediaKind
    number: int


VIDEO_TRACK = TrackId(MediaKind.VIDEO, 0)
AUDIO_TRACK = TrackId(MediaKind.AUDIO, 0)


class SequenceHeader(NamedTuple):
    """A decoder configuration record, as it came: not parsed yet.

    Nobody sends one for MP3: there the first frame's header takes its place.
    """

    track: TrackId
    codec: Codec
    record: bytes


class CodedFrame(NamedTuple):
    """One frame of video (length-prefixed NAL units) or of audio (one raw frame)."""

    track: TrackId
    codec: Codec
    composition: Millis
    """Presentation time less decoding time; signed; 0 for audio."""
    is_keyframe: bool
    """True for every audio frame."""
    payload: bytes


class SequenceEnd(NamedTuple):
    """The encoder says that this track is over (FLV: AVCPacketType 2)."""

    track: TrackId


Coded: TypeAlias = SequenceHeader | CodedFrame | SequenceEnd
