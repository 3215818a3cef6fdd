"""Enhanced RTMP, version 1 and 2: codecs by FourCC, and several tracks in one publish.

::

    video   1 (1 bit)  frame type (3)  packet type (4)   [modifiers]   FourCC 4, data
    audio   9 (4 bits)                 packet type (4)   [modifiers]   FourCC 4, data

Modifiers, and what follows where several tracks share a message, are in ``multitrack``.

Captured of FFmpeg 9.0 (AV1 by SVT-AV1, Opus)::

    90 61763031 81000c00 0a0b020000051da7ec805f0008      keyframe, sequence start, av01: av1C
    90 4f707573 4f70757348656164 0102380180bb0000000000  sequence start, Opus: OpusHead
    94 4f707573 01 02 00000003                           channels: native order, 2, left and right
    d4 61763031 020009 "colorInfo" 03 ...                metadata, with frame type 5
    91 61763031 1200 0a0b...                             keyframe: a temporal delimiter first

The packet type is tested before the frame type: FFmpeg sends metadata with frame type 5, which
is a command to a player otherwise. A nanosecond offset, the one modifier there is, changes
nothing: time is kept in milliseconds. Whatever is not known is refused with a sentence, because
a server that skips it makes segments without a picture.
"""

from enum import IntEnum

from origin.errors import MediaError
from origin.media.coded import (
    ChannelLayout,
    ChannelOrder,
    Codec,
    Coded,
    CodedFrame,
    ColourInfo,
    MediaKind,
    SequenceEnd,
    SequenceHeader,
    TrackId,
)
from origin.media.description import SELF_ANNOUNCING
from origin.media.timebase import Millis
from origin.rtmp.colour import read_colour
from origin.rtmp.fourcc import audio_codec, video_codec
from origin.rtmp.multitrack import skip_modifiers, split_tracks

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


_KEYFRAME = 1
_COMMAND = 5  # frame type 5 is a message to a player, unless the packet says otherwise
_FOURCC, _SECOND_FOURCC = slice(1, 5), slice(2, 6)
_DELIMITER = b"\x12\x00"  # an AV1 temporal delimiter (AV1, 5.3.1): not part of a sample
_OPUS_COMMENT = b"OpusTags"
_NO_COMPOSITION = Millis(0)
_NOTHING: tuple[Coded, ...] = ()

# Looked up once, not at every frame.
_AVC, _HEVC, _AV1 = Codec.AVC, Codec.HEVC, Codec.AV1
_VIDEO_MULTITRACK, _AUDIO_MULTITRACK = 6, 5
_CODED_FRAMES = 1
_FRAMES = frozenset({VideoPacket.CODED_FRAMES.value, VideoPacket.CODED_FRAMES_X.value})
_VIDEO_TRACKS = tuple(TrackId(MediaKind.VIDEO, number) for number in range(256))
_AUDIO_TRACKS = tuple(TrackId(MediaKind.AUDIO, number) for number in range(256))
_VIDEO_TRACK, _AUDIO_TRACK = _VIDEO_TRACKS[0], _AUDIO_TRACKS[0]


def read_enhanced_video(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What a video message with the enhanced bit holds."""
    first = body[0]
    packet, frame_type = first & 0x0F, first >> 4 & 7
    if packet in _FRAMES:
        if frame_type == _COMMAND:
            return _NOTHING
        codec = video_codec(body[_FOURCC])
        return _picture(_VIDEO_TRACK, codec, packet, frame_type == _KEYFRAME, body[5:])
    if packet == _VIDEO_MULTITRACK and len(body) > 7 and body[1] in _FRAMES:  # of one track
        if frame_type == _COMMAND:
            return _NOTHING
        track, codec = _VIDEO_TRACKS[body[6]], video_codec(body[_SECOND_FOURCC])
        return _picture(track, codec, body[1], frame_type == _KEYFRAME, body[7:])
    return _read_other_video(body, packet, frame_type)


def read_enhanced_audio(body: memoryview | bytes) -> tuple[Coded, ...]:
    """What an audio message of the enhanced format holds."""
    packet = body[0] & 0x0F
    if packet == _CODED_FRAMES:
        return _sound(_AUDIO_TRACK, audio_codec(body[_FOURCC]), body[5:])
    if packet == _AUDIO_MULTITRACK and len(body) > 7 and body[1] == _CODED_FRAMES:  # of one track
        return _sound(_AUDIO_TRACKS[body[6]], audio_codec(body[_SECOND_FOURCC]), body[7:])
    at = 1
    if packet == AudioPacket.MOD_EX:
        packet, at = skip_modifiers(body, packet)
    if packet != AudioPacket.MULTITRACK:
        fourcc, data = body[at : at + 4], body[at + 4 :]
        return _audio(packet, _AUDIO_TRACK, audio_codec(fourcc), data)
    packet, tracks = split_tracks(body, at)
    return tuple(
        unit
        for number, fourcc, data in tracks
        for unit in _audio(packet, _AUDIO_TRACKS[number], audio_codec(fourcc), data)
    )


def _read_other_video(body: memoryview | bytes, packet: int, frame_type: int) -> tuple[Coded, ...]:
    at = 1
    if packet == VideoPacket.MOD_EX:
        packet, at = skip_modifiers(body, packet)
    is_key = frame_type == _KEYFRAME
    if packet == VideoPacket.MULTITRACK:
        packet, tracks = split_tracks(body, at)
        if frame_type == _COMMAND and packet != VideoPacket.METADATA:
            return _NOTHING
        return tuple(
            unit
            for number, fourcc, data in tracks
            for unit in _video(packet, _VIDEO_TRACKS[number], video_codec(fourcc), data, is_key)
        )
    if frame_type == _COMMAND and packet != VideoPacket.METADATA:
        return _NOTHING
    fourcc, data = body[at : at + 4], body[at + 4 :]
    return _video(packet, _VIDEO_TRACK, video_codec(fourcc), data, is_key)


def _video(
    packet: int, track: TrackId, codec: Codec, data: memoryview | bytes, is_key: bool
) -> tuple[Coded, ...]:
    match packet:
        case VideoPacket.CODED_FRAMES | VideoPacket.CODED_FRAMES_X:
            return _picture(track, codec, packet, is_key, data)
        case VideoPacket.SEQUENCE_START:
            # FFmpeg sends an empty one where libaom does not know its header yet, then another.
            return (SequenceHeader(track, codec, bytes(data)),) if data else _NOTHING
        case VideoPacket.SEQUENCE_END:
            return (SequenceEnd(track),)
        case VideoPacket.METADATA:
            told = read_colour(data)
            return _NOTHING if told is None else (ColourInfo(track, told),)
        case VideoPacket.MPEG2TS_SEQUENCE_START:
            raise MediaError(
                f"{codec.name} as MPEG-TS carries it cannot be played: set the encoder to send"
                " its sequence header as MP4 has it."
            )
        case _:
            raise MediaError(f"Video packet type {packet} of Enhanced RTMP is unknown.")


def _audio(
    packet: int, track: TrackId, codec: Codec, data: memoryview | bytes
) -> tuple[Coded, ...]:
    match packet:
        case AudioPacket.CODED_FRAMES:
            return _sound(track, codec, data)
        case AudioPacket.SEQUENCE_START:
            return _sound_header(track, codec, bytes(data))
        case AudioPacket.SEQUENCE_END:
            return (SequenceEnd(track),)
        case AudioPacket.MULTICHANNEL_CONFIG:
            return (_channel_layout(track, bytes(data)),)
        case _:
            raise MediaError(f"Audio packet type {packet} of Enhanced RTMP is unknown.")


def _picture(
    track: TrackId, codec: Codec, packet: int, is_key: bool, data: memoryview | bytes
) -> tuple[Coded, ...]:
    if packet == _CODED_FRAMES and (codec is _AVC or codec is _HEVC):
        if len(data) < 3:
            raise MediaError("A video frame of Enhanced RTMP ends within its composition time.")
        composition = data[0] << 16 | data[1] << 8 | data[2]
        if composition & 0x800000:  # 24 bits, signed
            composition -= 0x1000000
        payload = bytes(data[3:])
        frame = CodedFrame(track, codec, Millis(composition), is_key, payload)
        return (frame,) if payload else _NOTHING
    payload = bytes(data[2:] if codec is _AV1 and data[:2] == _DELIMITER else data)
    frame = CodedFrame(track, codec, _NO_COMPOSITION, is_key, payload)
    return (frame,) if payload else _NOTHING


def _sound(track: TrackId, codec: Codec, data: memoryview | bytes) -> tuple[Coded, ...]:
    payload = bytes(data)
    frame = CodedFrame(track, codec, _NO_COMPOSITION, True, payload)
    return (frame,) if payload else _NOTHING  # FFmpeg flushes FLAC with an empty frame


def _sound_header(track: TrackId, codec: Codec, record: bytes) -> tuple[Coded, ...]:
    """Opus may send its comments in place of a header; AC-3's and MP3's headers are empty."""
    if not record or codec in SELF_ANNOUNCING or record.startswith(_OPUS_COMMENT):
        return _NOTHING
    return (SequenceHeader(track, codec, record),)


def _channel_layout(track: TrackId, data: bytes) -> ChannelLayout:
    if len(data) < 2 or data[0] > max(order.value for order in ChannelOrder):
        raise MediaError(f"A channel layout that cannot be read: {data[:8].hex()}.")
    order, channels = ChannelOrder(data[0]), data[1]
    if order is ChannelOrder.CUSTOM:
        speakers = tuple(data[2 : 2 + channels])
    elif order is ChannelOrder.NATIVE:
        mask = int.from_bytes(data[2:6], "big")
        speakers = tuple(bit for bit in range(32) if mask >> bit & 1)
    else:
        speakers = ()
    return ChannelLayout(track, order, channels, speakers)
