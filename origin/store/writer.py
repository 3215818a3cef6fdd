"""Writing behind: one thread does everything to the disk, and nobody ever waits for it.

::

    begin, append, ...  --put-->  [ jobs, at most ``limit_bytes`` ]  --thread-->  Disk
    when_reached(callback)  ........................................>  callback, in the loop

The event loop puts jobs and goes on. If the disk is slower than the streams, jobs pile up; past
the limit they are refused. If it is full, they fail. Either way the segment that this happens to
is given up: nothing more is written to its file, so that no file has a hole, and the stream is
kept again from its next segment on. Viewers notice nothing of it: they are served from memory.

What the thread has taken, it finishes: jobs are done in the order in which they were put, so a
job that was reached tells of all before it.

``put`` and everything public belong to the loop's thread. Each counter is written by one thread
only, which is why there is no lock.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

import structlog

from origin.store.disk import Disk
from origin.store.journal import Pieces

log = structlog.get_logger()

LIMIT_BYTES = 64 * 1024 * 1024
"""What may wait to be written: it is in memory anyway, as the window, for most of a minute."""

Make: TypeAlias = Callable[[], Pieces]
"""Makes what is to be written, in the thread: the loop has other things to do. So it must not look
at anything that changes."""

Hand: TypeAlias = Callable[[Callable[[], None]], object]
"""Has a callback called in the loop's thread, as ``call_soon_threadsafe`` does."""


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to be done to the disk."""

    owner: str
    """The stream that it is for: what the log names, and what is given up together."""
    path: Path
    run: Callable[[], None]
    size: int = 0
    begins: bool = False
    """The file begins with it: whatever went wrong before is over."""
    adds: bool = False
    """It is of no use if something before it is missing in the file."""


class Writer:
    """The thread, and what waits for it."""

    def __init__(self, disk: Disk, hand: Hand, limit_bytes: int = LIMIT_BYTES) -> None:
        self.given_up = 0
        """Segments that could not be written whole."""
        self._disk = disk
        self._hand = hand
        self._limit_bytes = limit_bytes
        self._jobs: SimpleQueue[Job | Callable[[], None] | None] = SimpleQueue()
        self._put_jobs = 0
        self._done_jobs = 0
        self._put_bytes = 0
        self._done_bytes = 0
        self._refused: dict[str, Path] = {}
        self._failed: dict[str, Path] = {}
        self._troubled: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="store", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """What is put, and not done yet."""
        return self._put_bytes - self._done_bytes

    @property
    def ticket(self) -> int:
        """What ``has_kept`` is asked with, later: all that was put so far."""
        return self._put_jobs

    def has_kept(self, owner: str, ticket: int) -> bool:
        """Tell whether all of it that was put before ``ticket`` was taken is on the disk."""
        return self._done_jobs >= ticket and owner not in self._troubled

    def create(self, owner: str, path: Path, make: Make, size: int) -> None:
        """Begin a file with what ``make`` returns, about ``size`` bytes."""
        self._refused.pop(owner, None)
        self._put(Job(owner, path, lambda: self._disk.create(path, make()), size, begins=True))

    def append(self, owner: str, path: Path, make: Make, size: int) -> None:
        """Go on with a file, unless something of it is missing."""
        self._put(Job(owner, path, lambda: self._disk.append(path, make()), size, adds=True))

    def replace(self, owner: str, path: Path, make: Make) -> None:
        """Make a small file anew."""
        self._put(Job(owner, path, lambda: self._disk.replace(path, make())))

    def remove(self, owner: str, path: Path) -> None:
        self._put(Job(owner, path, lambda: self._disk.remove(path)))

    def remove_folder(self, owner: str, path: Path) -> None:
        self._put(Job(owner, path, lambda: self._disk.remove_folder(path)))

    def when_reached(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` in the loop's thread when all that was put so far is done."""

        def reached() -> None:
            self._hand(callback)

        self._jobs.put(reached)

    def close(self, within_s: float) -> bool:
        """Finish what was put; False if the disk did not get there in time."""
        self._jobs.put(None)
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _put(self, job: Job) -> None:
        if job.adds and self._refused.get(job.owner) == job.path:
            return
        if job.size and self.waiting_bytes + job.size > self._limit_bytes:
            self._refused[job.owner] = job.path
            self._give_up(job, "the disk is too slow")
            return
        self._put_bytes += job.size
        self._put_jobs += 1
        self._jobs.put(job)

    # What follows runs in the thread, except for ``_give_up``, which either may call.

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if isinstance(job, Job):
                self._do(job)
                self._done_bytes += job.size
                self._done_jobs += 1
            else:
                job()

    def _do(self, job: Job) -> None:
        if job.adds and self._failed.get(job.owner) == job.path:
            return
        if job.begins:
            self._failed.pop(job.owner, None)
        try:
            job.run()
        except OSError as error:
            self._failed[job.owner] = job.path
            self._give_up(job, error.strerror or str(error))
        except Exception as error:  # our own mistake: it costs a segment, and not the thread
            self._failed[job.owner] = job.path
            self._give_up(job, repr(error))
        else:
            self._recover(job)

    def _give_up(self, job: Job, reason: str) -> None:
        self.given_up += 1
        if job.owner not in self._troubled:
            self._troubled.add(job.owner)
            log.error("the stream goes on, but is not kept", stream=job.owner, reason=reason)

    def _recover(self, job: Job) -> None:
        if job.begins and job.owner in self._troubled:
            self._troubled.discard(job.owner)
            log.info("the stream is kept again", stream=job.owner)
