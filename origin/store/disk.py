"""What the writer does to a disk; tests put a slow or a full one in its place.

Files are opened for each piece of work: a stream that is kept takes two a second, and nothing is
left open when it is forgotten. Nothing is synchronized: what has been handed to the kernel
outlives the process that did it, and a loss of power is not what this is for.
"""

import os
import shutil
from pathlib import Path
from typing import Protocol

from origin.store.journal import Pieces

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
DRAFT_SUFFIX = ".new"
LONGEST_VECTOR = 1000
"""Buffers handed over at once; the kernel takes 1,024 (IOV_MAX)."""


class Disk(Protocol):
    """All of these raise OSError where the disk cannot do it."""

    def create(self, path: Path, pieces: Pieces) -> None:
        """Make a file, and its folder; one that is there already begins anew."""
        ...

    def append(self, path: Path, pieces: Pieces) -> None:
        """Write at the end of a file that is there."""
        ...

    def replace(self, path: Path, pieces: Pieces) -> None:
        """Put a whole file in the place of another one, in one step."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file; it need not be there."""
        ...

    def remove_folder(self, path: Path) -> None:
        """Remove a folder with all its files; it need not be there."""
        ...


class RealDisk:
    """The file system."""

    def create(self, path: Path, pieces: Pieces) -> None:
        try:
            _write(path, os.O_CREAT | os.O_TRUNC, pieces)
        except FileNotFoundError:
            path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            _write(path, os.O_CREAT | os.O_TRUNC, pieces)

    def append(self, path: Path, pieces: Pieces) -> None:
        _write(path, os.O_APPEND, pieces)

    def replace(self, path: Path, pieces: Pieces) -> None:
        draft = path.with_name(path.name + DRAFT_SUFFIX)
        self.create(draft, pieces)
        draft.replace(path)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, flags: int, pieces: Pieces) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, PRIVATE_FILE)
    try:
        for first in range(0, len(pieces), LONGEST_VECTOR):
            _write_all(handle, pieces[first : first + LONGEST_VECTOR])
    finally:
        os.close(handle)


def _write_all(handle: int, pieces: Pieces) -> None:
    done = os.writev(handle, pieces)
    if done == sum(map(len, pieces)):
        return
    rest = memoryview(b"".join(pieces))[done:]  # rare: the disk is about to be full
    while rest:
        rest = rest[os.write(handle, rest) :]
