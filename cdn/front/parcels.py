"""Answers that many get, and the pages of memory that their connections share.

Writing to a socket copies: ten thousand viewers of one part of 31 KB are 310 MB of copying in the
system, a fifth of all that such a crowd costs. So an answer that is written again and again is put
into a file in memory, once (memfd_create(2)), head and body, and from then on sendfile(2) lets each
socket refer to the pages of that file instead::

    buffers ── written a few times ──> full: sent by reference ── the next stroke ──> emptied
       │
       └── small, or no room on the shelf, or no such files here ──> written as ever

What a viewer has not taken keeps its pages for as long as he needs them, file or no file. A file
is therefore never changed: another rendering is another file. The bytes stay here as well, since
whoever cannot take all of them at once gets the rest through the transport, which is bounded.

Files are descriptors and memory. The shelf has room for a fixed number and a fixed size of them,
and is emptied each second with the renderings that they belong to.
"""

import os
from collections.abc import Sequence

SHARED_BYTES = 4 * 1024
"""The smallest answer that is worth it. Copying 2 KB costs less than referring to a page does, 4 KB
cost the same, 31 KB half as much again as their pages, 160 KB twice as much."""

WRITES_BEFORE = 8
"""How often an answer is copied before it gets a file: making one costs 14 µs for 31 KB, and spares
about 5 µs each time."""

MOST_FILES = 32
"""Descriptors, of those that are reserved for the process (see ``door``)."""

MOST_BYTES = 32 * 1024 * 1024
"""Of memory, beside that of the cache: thirty large segments, or all the parts of a second."""


class Parcel:
    """The bytes of one answer, head and body, and their file if they have one."""

    __slots__ = ("buffers", "file", "is_plain", "may_share", "size", "writes")

    def __init__(self, buffers: tuple[bytes, ...]) -> None:
        self.buffers = buffers
        self.size = sum(map(len, buffers))
        self.file: int | None = None
        """A descriptor, while the shelf keeps it open."""
        self.is_plain = self.size < SHARED_BYTES and len(buffers) == 1
        """One small buffer: there is nothing to consider."""
        self.may_share = self.size >= SHARED_BYTES
        self.writes = 0

    def after(self, sent_bytes: int) -> list[bytes | memoryview]:
        """Return what is left when so much is gone, without copying it."""
        left: list[bytes | memoryview] = []
        for buffer in self.buffers:
            if sent_bytes < len(buffer):
                left.append(memoryview(buffer)[sent_bytes:] if sent_bytes else buffer)
            sent_bytes = max(0, sent_bytes - len(buffer))
        return left


class Shelf:
    """The files of one edge process."""

    def __init__(self, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self._most_files = most_files
        self._most_bytes = most_bytes
        self._full: list[Parcel] = []
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._full)

    def wrote(self, parcel: Parcel) -> None:
        """Note that a parcel was copied to one more viewer; it may get a file for the next one."""
        parcel.writes += 1
        if parcel.writes < WRITES_BEFORE:
            return
        parcel.may_share = False
        if len(self._full) < self._most_files and self._bytes + parcel.size <= self._most_bytes:
            parcel.file = _file_of(parcel.buffers)
        if parcel.file is not None:
            self._full.append(parcel)
            self._bytes += parcel.size

    def empty(self) -> None:
        """Close all files. What of them is on its way to viewers stays whole."""
        for parcel in self._full:
            if parcel.file is not None:
                os.close(parcel.file)
                parcel.file = None
        self._full.clear()
        self._bytes = 0


def _file_of(buffers: Sequence[bytes]) -> int | None:
    if not hasattr(os, "memfd_create"):  # Linux has it, with some C libraries
        return None
    try:
        file = os.memfd_create("answer", os.MFD_CLOEXEC)
    except OSError:  # no descriptors, no memory, forbidden: copying still works
        return None
    size = sum(map(len, buffers))
    try:
        is_whole = os.writev(file, buffers) == size
    except OSError:
        is_whole = False
    if not is_whole:
        os.close(file)
        return None
    return file


def send_file(socket: int, parcel: Parcel) -> int:
    """Send a parcel by reference as far as the system takes it at once; return how much it took.

    Whatever is wrong with the socket is left to the transport, which meets it when it writes the
    rest.
    """
    assert parcel.file is not None, "only what is in a file is sent like this"
    try:
        return os.sendfile(socket, parcel.file, 0, parcel.size)
    except OSError:
        return 0
