"""FourCCs: what Enhanced RTMP calls the codecs, those that are taken and some that are not.

A codec that is not in these tables is refused with a sentence that says what to choose instead; a
server that skipped it would make segments without a picture. ``connect`` is answered from the
same tables, so that what is said there is what is taken.
"""

from origin.errors import MediaError
from origin.media.coded import Codec

VIDEO_CODECS = {
    codec.value.encode(): codec for codec in (Codec.AVC, Codec.HEVC, Codec.AV1, Codec.VP9)
}
AUDIO_CODECS = {
    codec.value.encode(): codec
    for codec in (Codec.AAC, Codec.MP3, Codec.OPUS, Codec.FLAC, Codec.AC3, Codec.EAC3)
}

_NAMES = {b"vp08": "VP8", b"vvc1": "VVC", b"hev1": "HEVC of the kind hev1"}


def video_codec(fourcc: bytes | memoryview) -> Codec:
    """Which codec this is; raise MediaError if it cannot be played."""
    codec = VIDEO_CODECS.get(bytes(fourcc))
    if codec is None:
        raise MediaError(
            f"Video in {_name(fourcc)} cannot be played: set the encoder to H.264, HEVC, AV1 or"
            " VP9; in FFmpeg, -c:v libx264."
        )
    return codec


def audio_codec(fourcc: bytes | memoryview) -> Codec:
    """Which codec this is; raise MediaError if it cannot be played."""
    codec = AUDIO_CODECS.get(bytes(fourcc))
    if codec is None:
        raise MediaError(
            f"Audio in {_name(fourcc)} cannot be played: set the encoder to AAC or Opus;"
            " in FFmpeg, -c:a aac."
        )
    return codec


def _name(fourcc: bytes | memoryview) -> str:
    code = bytes(fourcc)
    if len(code) == 4 and code.isascii() and code.decode().isprintable():
        return _NAMES.get(code, f"the unknown codec {code.decode()!r}")
    return "an unknown codec"
