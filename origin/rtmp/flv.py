"""The bodies of audio and video messages: FLV tags (Video File Format 10.1, annex E.4).

::

    video   frame type (4 bits), codec (4 bits)      AVC, HEVC: packet type 1, composition time 3,
                                                     data
    audio   format (4 bits), rate, size, channels    AAC: packet type 1, data      MP3: data

Each body is turned into the coded values that it holds: none, one, or (once several tracks can
share a message) more. The payload is copied here, once, out of the receive buffer.

HEVC under codec number 12 never was part of the format, but encoders and cameras that know no
Enhanced RTMP send it so, laid out as AVC is. It is taken.

Enhanced RTMP is told apart by a bit that old tags never set, and goes to ``enhanced`` whole:
codecs and tracks that are added there change nothing here.
"""

from origin.errors import MediaError
from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    SequenceEnd,
    SequenceHeader,
)
from origin.media.timebase import Millis
from origin.rtmp.enhanced import (
    ENHANCED_AUDIO_FORMAT,
    ENHANCED_VIDEO_BIT,
    read_enhanced_audio,
    read_enhanced_video,
)

_KEYFRAME = 1
_INFO_OR_COMMAND = 5  # frame type 5 is a message to a player, not a picture
_AVC = 7
_HEVC = 12
_AAC = 10
_MP3 = (2, 14)  # 14 is MP3 at 8 kHz

_SEQUENCE_HEADER, _FRAME, _SEQUENCE_END = 0, 1, 2
_AVC_HEADER = 5
_AAC_HEADER = 2
_NO_COMPOSITION = Millis(0)

_NOTHING: tuple[Coded, ...] = ()
"""What a frame without a payload holds: FFmpeg flushes some encoders with one such."""

# Looked up once: a member of an enumeration costs 50 ns in Python 3.11, at every frame.
_AVC_CODEC, _HEVC_CODEC = Codec.AVC, Codec.HEVC
_AAC_CODEC, _MP3_CODEC = Codec.AAC, Codec.MP3

_VIDEO_CODECS = {
    1: "JPEG", 2: "Sorenson H.263", 3: "Screen video", 4: "VP6", 5: "VP6 with alpha",
    6: "Screen video 2", 8: "H.263", 9: "MPEG-4 part 2",
}  # fmt: skip
_AUDIO_FORMATS = {
    0: "PCM", 1: "ADPCM", 3: "PCM", 4: "Nellymoser", 5: "Nellymoser", 6: "Nellymoser",
    7: "G.711 A-law", 8: "G.711 mu-law", 11: "Speex", 13: "Opus in the old tags",
}  # fmt: skip


def read_video(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What a video message holds."""
    if not body:
        return ()  # some encoders send empty messages to keep a line awake
    first = body[0]
    if first & ENHANCED_VIDEO_BIT:
        return read_enhanced_video(body)
    frame_type, codec = first >> 4, first & 0x0F
    if frame_type == _INFO_OR_COMMAND:
        return ()
    if codec == _AVC:
        return _read_nal_units(body, _AVC_CODEC, is_keyframe=frame_type == _KEYFRAME)
    if codec == _HEVC:
        return _read_nal_units(body, _HEVC_CODEC, is_keyframe=frame_type == _KEYFRAME)
    name = _VIDEO_CODECS.get(codec, f"codec {codec}")
    raise MediaError(f"Video in {name} cannot be played: set the encoder to H.264.")


def read_audio(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What an audio message holds."""
    if not body:
        return ()
    sound_format = body[0] >> 4
    if sound_format == _AAC:
        return _read_aac(body)
    if sound_format == ENHANCED_AUDIO_FORMAT:
        return read_enhanced_audio(body)
    if sound_format in _MP3:
        payload = bytes(body[1:])
        frame = CodedFrame(AUDIO_TRACK, _MP3_CODEC, _NO_COMPOSITION, True, payload)
        return (frame,) if payload else _NOTHING
    name = _AUDIO_FORMATS.get(sound_format, f"format {sound_format}")
    raise MediaError(f"Audio in {name} cannot be played: set the encoder to AAC.")


def _read_nal_units(
    body: memoryview | bytes, codec: Codec, *, is_keyframe: bool
) -> tuple[Coded, ...]:
    if len(body) < _AVC_HEADER:
        raise MediaError(f"A video message of {len(body)} bytes is too short for a picture.")
    packet_type, payload = body[1], bytes(body[_AVC_HEADER:])
    if packet_type == _FRAME:
        composition = body[2] << 16 | body[3] << 8 | body[4]
        if composition & 0x800000:  # 24 bits, signed
            composition -= 0x1000000
        frame = CodedFrame(VIDEO_TRACK, codec, Millis(composition), is_keyframe, payload)
        return (frame,) if payload else _NOTHING
    if packet_type == _SEQUENCE_HEADER:
        return (SequenceHeader(VIDEO_TRACK, codec, payload),)
    if packet_type == _SEQUENCE_END:
        return (SequenceEnd(VIDEO_TRACK),)
    raise MediaError(f"Video packet type {packet_type} is unknown.")


def _read_aac(body: memoryview | bytes) -> tuple[Coded, ...]:
    if len(body) < _AAC_HEADER:
        raise MediaError("An audio message of 1 byte is too short for AAC.")
    packet_type, payload = body[1], bytes(body[_AAC_HEADER:])
    if packet_type == _FRAME:
        frame = CodedFrame(AUDIO_TRACK, _AAC_CODEC, _NO_COMPOSITION, True, payload)
        return (frame,) if payload else _NOTHING
    if packet_type == _SEQUENCE_HEADER:
        return (SequenceHeader(AUDIO_TRACK, _AAC_CODEC, payload),)
    raise MediaError(f"AAC packet type {packet_type} is unknown.")
