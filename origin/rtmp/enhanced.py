"""Enhanced RTMP v2: codecs by FourCC, several tracks in one publish.

::

    video   1 (1 bit)  frame type (3)  packet type (4)   FourCC 4, data
    audio   9 (4 bits)                 packet type (4)   FourCC 4, data
    Multitrack (video packet type 6, audio 5):
            multitrack type (4)  packet type (4)         FourCC 4 unless each track names its own

It is recognised here and refused with a text that tells the streamer what to set, because a
server that takes it for an old tag makes segments without a picture out of it. The packet type is
tested before the frame type: FFmpeg 9 sends Metadata packets with frame type 5, which in old tags
would be a message to skip.
"""

from enum import IntEnum
from typing import NoReturn

from origin.errors import MediaError
from origin.media.coded import Coded

ENHANCED_VIDEO_BIT = 0x80
"""The highest bit of the first byte: old frame types end at 5."""

ENHANCED_AUDIO_FORMAT = 9
"""A sound format that the old tags had reserved."""


class VideoPacket(IntEnum):
    """Packet types of a video message."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    CODED_FRAMES_X = 3
    METADATA = 4
    MPEG2TS_SEQUENCE_START = 5
    MULTITRACK = 6
    MOD_EX = 7


class AudioPacket(IntEnum):
    """Packet types of an audio message."""

    SEQUENCE_START = 0
    CODED_FRAMES = 1
    SEQUENCE_END = 2
    MULTICHANNEL_CONFIG = 4
    MULTITRACK = 5
    MOD_EX = 7


_NAMES = {
    b"avc1": "H.264", b"hvc1": "HEVC", b"av01": "AV1", b"vp08": "VP8", b"vp09": "VP9",
    b"mp4a": "AAC", b"Opus": "Opus", b"fLaC": "FLAC", b"ac-3": "AC-3", b"ec-3": "E-AC-3",
    b".mp3": "MP3",
}  # fmt: skip

_OLD_TAGS_WILL_DO = {
    b"avc1": "in FFmpeg, leave -rtmp_enhanced_codecs out.",
    # FFmpeg 9 takes this way by itself where there are more than two channels.
    b"mp4a": "set the sound to stereo; in FFmpeg, -ac 2 without -rtmp_enhanced_codecs.",
}
"""For whoever has chosen the right codec already, it is the packaging that has to change."""

_ONE_TRACK = (
    "Several tracks in one stream cannot be played yet: in OBS, turn off Enhanced Broadcasting"
    " and leave one audio track selected; in FFmpeg, -map one video and one audio stream."
)


def read_enhanced_video(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What a video message with the enhanced bit holds."""
    if body[0] & 0x0F == VideoPacket.MULTITRACK:
        raise MediaError(_ONE_TRACK)
    _refuse("Video", body, "in OBS, choose an H.264 encoder; in FFmpeg, -c:v libx264.")


def read_enhanced_audio(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What an audio message of the enhanced format holds."""
    if body[0] & 0x0F == AudioPacket.MULTITRACK:
        raise MediaError(_ONE_TRACK)
    _refuse("Audio", body, "in OBS, choose an AAC encoder; in FFmpeg, -c:a aac.")


def _refuse(kind: str, body: memoryview | bytes, remedy: str) -> NoReturn:
    codec = bytes(body[1:5])
    name = _NAMES.get(codec, "an unknown codec")
    remedy = _OLD_TAGS_WILL_DO.get(codec, remedy)
    raise MediaError(f"{kind} in {name} over Enhanced RTMP cannot be played yet: {remedy}")
