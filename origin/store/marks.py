"""What was shown and could not be kept: noted where a process that is killed leaves it behind.

A disk that is too slow cannot be told so. What can is a page of memory that the supervisor has
made and shares with each origin process that it starts: it outlives them all, and writing to it
waits for nothing. In it stands, for every stream that had trouble, how far it was shown before that
was on the disk: a position. The next process looks whether it got there in the end, and knows
better than to go on from less.

    slot = position (8)  stream's name (64, filled up with zeros)
"""

import mmap
import struct
from typing import TypeAlias

WHOLE = 0xFFFF
"""In the place of a number of parts: all of them, and the end of the segment."""

SLOTS = 1024
"""Streams that can have had trouble; more than any machine carries."""
_SLOT = struct.Struct(">Q64s")

SharedMemory: TypeAlias = mmap.mmap


def shared_memory() -> SharedMemory:
    """Make the page; whoever is forked from this process shares it."""
    return mmap.mmap(-1, SLOTS * _SLOT.size)


def position(msn: int, parts: int) -> int:
    """Put a place in a stream into one number: a segment, and how many of its parts."""
    return msn << 16 | min(parts, WHOLE)


def segment_of(at: int) -> int:
    """Return the segment's number of a position."""
    return at >> 16


class Marks:
    """How far each stream was shown that may not have been kept."""

    def __init__(self, memory: SharedMemory | None = None) -> None:
        """Without ``memory``, nothing outlives the process."""
        self._memory = memory
        self._places: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        if memory is not None:
            self._recall(memory)

    def _recall(self, memory: SharedMemory) -> None:
        """Take what the processes before this one have marked; slots are taken from the first."""
        for at in range(0, SLOTS * _SLOT.size, _SLOT.size):
            number, padded = _SLOT.unpack_from(memory, at)
            name = padded.rstrip(b"\0").decode(errors="replace")
            if not name:
                return
            self._places[name], self._shown[name] = at, number

    def shown(self, stream: str) -> int:
        """Return that position; 0 if all was kept."""
        return self._shown.get(stream, 0)

    def mark(self, stream: str, number: int) -> None:
        """All up to this position is shown, and is not kept yet."""
        if self._shown.get(stream) == number:
            return
        self._shown[stream] = number
        if self._memory is None or (stream not in self._places and len(self._places) == SLOTS):
            return
        at = self._places.setdefault(stream, len(self._places) * _SLOT.size)
        _SLOT.pack_into(self._memory, at, number, stream.encode())
