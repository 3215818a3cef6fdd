"""What can change while the server runs: files that are watched, and read again when they do.

A second after a file was last written to, or at once on SIGHUP, it is read again. What cannot be
used changes nothing: the old one stays in force, and the log says why, once for each change. A
file is looked at by ``stat``, and taken as written when it has looked alike twice: editors that
write in place leave half a file for a moment.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from origin.errors import SettingsError

log = structlog.get_logger()

CHECK_EVERY_S = 1.0


class Reloadable:
    """Files that belong together, and what reads them."""

    def __init__(self, what: str, paths: Sequence[Path], read: Callable[[], None]) -> None:
        self._what = what
        self._paths = paths
        self._read = read
        self._in_force = self._seen = self._look()

    def check(self) -> None:
        """Read the files if they have changed, and not just now."""
        looks = self._look()
        if looks != self._in_force and looks == self._seen:
            self.reload()
        self._seen = looks

    def reload(self) -> None:
        """Read the files, changed or not."""
        if self.catch_up():
            log.info(f"{self._what}: read again")

    def catch_up(self) -> bool:
        """Read the files as they are now; whether they could be used.

        A process that is started again begins with what its supervisor has read, which may be old.
        """
        self._in_force = self._look()
        try:
            self._read()
        except SettingsError as error:
            log.error(f"{self._what}: what was in force stays", reason=str(error))
            return False
        return True

    def _look(self) -> tuple[object, ...]:
        return tuple(_signature(path) for path in self._paths)


class Reloader:
    """Checks all of them every second, from the loop."""

    def __init__(self, parts: Sequence[Reloadable]) -> None:
        self._parts = parts
        self._timer: asyncio.TimerHandle | None = None

    def catch_up(self) -> None:
        """Read everything that may have changed before this process was there."""
        for part in self._parts:
            part.catch_up()

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(CHECK_EVERY_S, self._check)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def reload(self) -> None:
        """Read everything again (SIGHUP)."""
        for part in self._parts:
            part.reload()

    def _check(self) -> None:
        for part in self._parts:
            part.check()
        self.start()


def _signature(path: Path) -> tuple[int, int, int] | None:
    """What changes with a file; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
