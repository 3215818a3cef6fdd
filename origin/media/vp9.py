"""VP9: the configuration record, and the first keyframe, which alone knows the picture's size.

The sequence header is a ``VPCodecConfigurationRecord`` (VP Codec ISO Media File Format Binding,
2.2): profile, level, depth, colour, and no size. FFmpeg 9.0 puts the version and flags of the
``vpcC`` box before it; both forms are taken::

    90 76703039  01000000 000a 82 020202 0000      profile 0, level 1.0, 8 bits, colours not said

The size is in a keyframe's uncompressed header (VP9, 6.2). CODECS is ``vp09.PP.LL.DD``, followed
by the colour where the record names it and it is not the one that is taken for granted.
"""

from dataclasses import dataclass
from typing import ClassVar

from origin.errors import MediaError
from origin.media.avc_sps import LARGEST_SIDE
from origin.media.bitreader import BitReader
from origin.media.coded import Codec
from origin.media.colour import described
from origin.media.configuration import VideoConfiguration

RECORD_BYTES = 8
FULL_BOX_HEAD = bytes.fromhex("01000000")
FRAME_MARKER = 2
SYNC_CODE = 0x498342
RGB = 7
GRANTED = frozenset({".00.01.01.01.00", ".01.01.01.01.00"})
"""4:2:0 of either kind, BT.709, studio range."""

LEVELS = (
    (36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30), (983_040, 31),
    (2_228_224, 40), (8_912_896, 50),
)  # fmt: skip
"""The largest picture in luma samples of each level (VP9 levels, table 1), for those who do not
say theirs."""
LARGEST_LEVEL = 60


@dataclass(frozen=True, slots=True)
class Vp9Configuration(VideoConfiguration):
    """A VP9 decoder configuration; the record is the ``vpcC`` body without version and flags."""

    codec: ClassVar[Codec] = Codec.VP9

    @staticmethod
    def parse(record: bytes, keyframe: bytes) -> "Vp9Configuration":
        """Read a record and a keyframe; raise MediaError if they are not VP9's."""
        if record.startswith(FULL_BOX_HEAD) and len(record) >= len(FULL_BOX_HEAD) + RECORD_BYTES:
            record = record[len(FULL_BOX_HEAD) :]
        if len(record) < RECORD_BYTES or record[0] > 3:
            raise MediaError(f"not a VP9 configuration record: {record[:12].hex()}")
        width, height = _read_size(keyframe)
        level = record[1] or _level_of(width * height)
        record = record[:1] + bytes([level]) + record[2:6] + bytes(2)  # VP9 has no initial data
        return Vp9Configuration(
            record=record,
            codecs=_codecs(record),
            width=width,
            height=height,
            frame_rate=None,
            pixel_aspect=(1, 1),
            colour=described(*record[3:6], full_range=bool(record[2] & 1)),
        )


def _codecs(record: bytes) -> str:
    profile, level, packed, *code_points = record[:6]
    depth, subsampling, full_range = packed >> 4, packed >> 1 & 7, packed & 1
    needed = f"vp09.{profile:02}.{level:02}.{depth:02}"
    if described(*code_points, full_range=False) is None:
        return needed
    colours = ".".join(f"{point:02}" for point in code_points)
    optional = f".{subsampling:02}.{colours}.{full_range:02}"
    return needed if optional in GRANTED else needed + optional


def _level_of(luma_samples: int) -> int:
    return next((level for most, level in LEVELS if luma_samples <= most), LARGEST_LEVEL)


def _read_size(keyframe: bytes) -> tuple[int, int]:
    """Read the uncompressed header of a keyframe as far as its size."""
    bits = BitReader(keyframe[:32], "the VP9 keyframe")
    marker = bits.read(2)
    profile = bits.read(1) | bits.read(1) << 1
    if profile == 3:
        bits.skip(1)
    shows_existing, is_inter = bits.flag(), bits.flag()
    bits.skip(2)  # show_frame, error_resilient_mode
    if marker != FRAME_MARKER or shows_existing or is_inter or bits.read(24) != SYNC_CODE:
        raise MediaError(f"not a VP9 keyframe: {keyframe[:8].hex()}")
    if profile >= 2:
        bits.skip(1)  # ten_or_twelve_bit
    if bits.read(3) != RGB:
        bits.skip(1)  # color_range
        bits.skip(3 if profile & 1 else 0)  # subsampling
    else:
        bits.skip(1 if profile & 1 else 0)
    width, height = bits.read(16) + 1, bits.read(16) + 1
    if max(width, height) > LARGEST_SIDE:
        raise MediaError(f"a VP9 picture of {width}x{height}")
    return width, height
