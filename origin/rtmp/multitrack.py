"""The envelope of an Enhanced RTMP message: modifiers before it, several tracks inside of it.

::

    modifier     size less one (1 byte; 255: 2 more bytes follow, which take its place), so many
                 bytes, then modifier type (4 bits) and the packet type that is modified (4)
    multitrack   how (4 bits), the packet type of all tracks (4), and then by
                 0  one track              FourCC 4, number 1, data
                 1  many tracks            FourCC 4, then for each: number 1, size 3, data
                 2  and as many codecs     for each: FourCC 4, number 1, size 3, data

It is the same for audio and video (Enhanced RTMP v2, ExAudioTagHeader and ExVideoTagHeader). A
message that ends within its envelope, or a track that is longer than its message, is refused.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from origin.errors import MediaError

Bytes: TypeAlias = bytes | memoryview

MOD_EX = 7
"""The packet type of a modifier."""

_LONGEST_SHORT_MODIFIER = 256

MOST_MODIFIERS = 16
"""Of one message; the standard knows one kind. A message of 8 MiB may hold three million."""

MOST_TRACKS_IN_MESSAGE = 32
"""Twice as many as are taken of either kind. A message of 8 MiB may hold two million empty ones."""


class Multitrack(IntEnum):
    """How several tracks share a message (AvMultitrackType)."""

    ONE_TRACK = 0
    MANY_TRACKS = 1
    MANY_TRACKS_MANY_CODECS = 2


class TrackData(NamedTuple):
    """One track of a message."""

    number: int
    fourcc: Bytes
    data: Bytes


def skip_modifiers(body: Bytes, packet: int) -> tuple[int, int]:
    """Step over the modifiers; return the packet type behind them, and where the rest begins."""
    at = 1
    for _ in range(MOST_MODIFIERS):
        if packet != MOD_EX:
            return packet, at
        size = _unsigned(body, at, 1) + 1
        at += 1
        if size == _LONGEST_SHORT_MODIFIER:
            size = _unsigned(body, at, 2) + 1
            at += 2
        at += size
        packet = _unsigned(body, at, 1) & 0x0F  # above it, what kind of modifier it was
        at += 1
    raise MediaError(f"An Enhanced RTMP message of {MOST_MODIFIERS} modifiers or more.")


def split_tracks(body: Bytes, at: int) -> tuple[int, list[TrackData]]:
    """Take a multitrack message apart: the packet type, and the tracks."""
    first = _unsigned(body, at, 1)
    how, packet = first >> 4, first & 0x0F
    at += 1
    match how:
        case Multitrack.ONE_TRACK:
            number = _unsigned(body, at + 4, 1)
            return packet, [TrackData(number, body[at : at + 4], body[at + 5 :])]
        case Multitrack.MANY_TRACKS:
            fourcc = body[at : at + 4]
            return packet, list(_many_tracks(body, at + 4, fourcc))
        case Multitrack.MANY_TRACKS_MANY_CODECS:
            return packet, list(_many_tracks(body, at, None))
        case _:
            raise MediaError(f"Multitrack type {how} of Enhanced RTMP is unknown.")


def _many_tracks(body: Bytes, at: int, fourcc: Bytes | None) -> Iterator[TrackData]:
    for _ in range(MOST_TRACKS_IN_MESSAGE):
        if at >= len(body):
            return
        codec = fourcc
        if codec is None:
            codec = body[at : at + 4]
            at += 4
        number, size = _unsigned(body, at, 1), _unsigned(body, at + 1, 3)
        at += 4
        if at + size > len(body):
            raise MediaError(f"Track {number} of a multitrack message is cut off.")
        yield TrackData(number, codec, body[at : at + size])
        at += size
    if at < len(body):
        raise MediaError(f"A message of more than {MOST_TRACKS_IN_MESSAGE} tracks.")


def _unsigned(body: Bytes, at: int, size: int) -> int:
    field = body[at : at + size]
    if len(field) < size:
        raise MediaError(f"An Enhanced RTMP message of {len(body)} bytes ends within its header.")
    return int.from_bytes(field, "big")
