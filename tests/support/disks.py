"""Disks that misbehave, and a hand that works in the test's own thread."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

from origin.store.disk import RealDisk
from origin.store.journal import Pieces


class SlowDisk(RealDisk):
    """Does nothing until it is told to go on."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.is_busy = threading.Event()

    def create(self, path: Path, pieces: Pieces) -> None:
        self._wait()
        super().create(path, pieces)

    def append(self, path: Path, pieces: Pieces) -> None:
        self._wait()
        super().append(path, pieces)

    def _wait(self) -> None:
        self.is_busy.set()
        assert self.may_go_on.wait(60)


class FullDisk(RealDisk):
    """Has room for so many bytes; of what does not fit, it writes what it can."""

    def __init__(self, room: int) -> None:
        self.room = room

    def create(self, path: Path, pieces: Pieces) -> None:
        super().create(path, self._fitting(pieces))
        self._complain()

    def append(self, path: Path, pieces: Pieces) -> None:
        super().append(path, self._fitting(pieces))
        self._complain()

    def _fitting(self, pieces: Pieces) -> Pieces:
        whole = b"".join(pieces)
        fitting = whole[: max(0, self.room)]
        self.room -= len(whole)
        return (fitting,)

    def _complain(self) -> None:
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")


def at_once(callback: Callable[[], None]) -> None:
    """Hand over by calling, in whatever thread."""
    callback()
