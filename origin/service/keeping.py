"""The data directory of live streams, as one origin process uses it.

The directory is locked for as long as the process lives, whatever way that ends; what is found in
it goes into the registry before anybody is let in; and what is written last is waited for at the
end, but not for ever: a disk may have gone.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from origin.hls.rules import Rules
from origin.store.disk import RealDisk
from origin.store.folder import make_root, segments_below
from origin.store.lock import DirectoryLock
from origin.store.marks import Marks, SharedMemory
from origin.store.writer import Writer
from origin.streams.clock import Clock
from origin.streams.kept.keeper import Keeper
from origin.streams.kept.restoring import Restorer
from origin.streams.registry import Registry

log = structlog.get_logger()

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PREDECESSOR_WITHIN_S = 12.0
"""An origin ends within 10 s; the supervisor that started it may be gone already."""
CLOSE_WITHIN_S = 3.0


class Keeping:
    """Holds the lock, and the thread that writes."""

    def __init__(self, data_dir: Path, memory: SharedMemory | None, clock: Clock) -> None:
        """Take the directory.

        Raises:
            SettingsError: it cannot be used, or is another origin's.
        """
        self._root = make_root(data_dir)
        self._lock = DirectoryLock(self._root, PREDECESSOR_WITHIN_S)
        self._clock = clock
        self.writer = Writer(RealDisk(), asyncio.get_running_loop().call_soon_threadsafe)
        self.writer.take_stock(lambda: segments_below(self._root))
        self.keeper = Keeper(
            self.writer, self._root, clock, marks=Marks(memory), boot=read_boot_id()
        )

    def restore(self, registry: Registry, rules: Rules, new_epoch: Callable[[], str]) -> None:
        """Put what is kept into ``registry``."""
        restorer = Restorer(self.keeper, rules=rules, clock=self._clock, new_epoch=new_epoch)
        restorer.restore(self._root, registry)

    def close(self) -> None:
        """Finish writing; nothing may be put any more."""
        if not self.writer.close(CLOSE_WITHIN_S):
            log.error("the disk did not take what was to be kept in time", path=str(self._root))
        self._lock.release()


def read_boot_id() -> str:
    """Return what tells this run of the machine from others; empty where nothing does."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
