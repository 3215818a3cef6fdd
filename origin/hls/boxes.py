"""Boxes: what every part of an MP4 file is made of (ISO/IEC 14496-12, 4.2)."""

import struct


def box(kind: bytes, *content: bytes) -> bytes:
    """Write a box."""
    return struct.pack(">I4s", 8 + sum(map(len, content)), kind) + b"".join(content)


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """Write a box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *content)
