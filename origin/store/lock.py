"""One origin to a data directory: a lock that the kernel lets go of, however its owner ends.

Two that wrote the same streams would each undo what the other one keeps. The lock is taken with
flock(2) on a file that is never removed, and belongs to the open file: whoever is killed leaves
it free.
"""

import fcntl
import os
import time
from pathlib import Path

from origin.errors import SettingsError

LOCK_FILE = "lock"
ASK_EVERY_S = 0.05


class DirectoryLock:
    """Holds the lock of a directory from being made until ``release``, or the process's end."""

    def __init__(self, directory: Path, within_s: float) -> None:
        """Take the lock; a predecessor who is just ending is waited for.

        Raises:
            SettingsError: the directory cannot be used, or belongs to another origin.
        """
        path = directory / LOCK_FILE
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingsError(
                f"cannot use {path}: {error.strerror}; choose another place with --data-dir"
            ) from error
        deadline = time.monotonic() + within_s
        while not self._try():
            if time.monotonic() >= deadline:
                self.release()
                raise SettingsError(
                    f"{directory} is in use by another origin; give each its own --data-dir"
                )
            time.sleep(ASK_EVERY_S)

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._handle)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
