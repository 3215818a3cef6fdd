"""A publisher without an encoder: the units of a broadcast, with real headers and empty pictures.

The frames cannot be decoded; whatever looks at times, names and playlists does not mind.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    Coded,
    CodedFrame,
    SequenceHeader,
)
from origin.media.timebase import MILLIS_WRAP, Millis

# As FFmpeg 5.1 sent them: H.264 High 1.3, 320x180 at 25 frames per second, and AAC-LC at 44.1 kHz.
AVC_RECORD = bytes.fromhex(
    "0164000dffe1001a6764000dacd941419f9f011000000300100000030320f142996001000468efbcb0fdf8f800"
)
AAC_RECORD = bytes.fromhex("120856e500")
# The same picture with one more reference frame: another configuration.
OTHER_AVC_RECORD = bytes.fromhex(
    "0164000dffe1001a6764000dacd941419f9f011000000300100000030320f142996001000468efbcb1fdf8f800"
)

AVC_HEADER = SequenceHeader(VIDEO_TRACK, Codec.AVC, AVC_RECORD)
OTHER_AVC_HEADER = SequenceHeader(VIDEO_TRACK, Codec.AVC, OTHER_AVC_RECORD)
AAC_HEADER = SequenceHeader(AUDIO_TRACK, Codec.AAC, AAC_RECORD)

FRAME_MS, KEYFRAME_EVERY = 40, 50
AUDIO_FRAME_S = 1024 / 44_100


class Taker(Protocol):
    """Whatever takes units: a packager or a publisher."""

    def push(self, at: int, unit: Coded) -> None: ...


def picture(number: int) -> CodedFrame:
    """Frame ``number`` of the video; every fiftieth is a keyframe."""
    return CodedFrame(
        VIDEO_TRACK,
        Codec.AVC,
        Millis(0),
        number % KEYFRAME_EVERY == 0,
        b"\x00\x00\x00\x05\x65" + number.to_bytes(4, "big"),
    )


def sound(number: int) -> CodedFrame:
    """Frame ``number`` of the audio."""
    return CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, b"\x21" + number.to_bytes(4, "big"))


def media(
    seconds: float, *, begin: int = 0, with_audio: bool = True
) -> Iterator[tuple[int, CodedFrame]]:
    """Audio and video of so many seconds in the order of their times, from ``begin`` ms on."""
    heard = 0
    for number in range(round(seconds * 1000 / FRAME_MS)):
        at = number * FRAME_MS
        while with_audio and heard * AUDIO_FRAME_S * 1000 <= at:
            yield (begin + int(heard * AUDIO_FRAME_S * 1000)) % MILLIS_WRAP, sound(heard)
            heard += 1
        yield (begin + at) % MILLIS_WRAP, picture(number)


def broadcast(
    taker: Taker,
    seconds: float,
    *,
    begin: int = 0,
    with_headers: bool = True,
    meanwhile: Callable[[float], None] = lambda seconds: None,
) -> None:
    """Push headers and media; ``meanwhile`` is told how much time each frame took."""
    if with_headers:
        taker.push(begin, AVC_HEADER)
        taker.push(begin, AAC_HEADER)
    last = 0
    for index, (at, frame) in enumerate(media(seconds, begin=begin)):
        now = (at - begin) % MILLIS_WRAP
        meanwhile((now - last) / 1000 if index else 0.0)
        last = now
        taker.push(at, frame)
