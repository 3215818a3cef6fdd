"""Writing behind: one thread does everything to the disk, and nobody ever waits for it.

::

    begin, append, ...  --put-->  [ jobs, at most ``limit_bytes`` ]  --thread-->  Disk
    when_reached(callback)  ........................................>  callback, in the loop

The event loop puts jobs and goes on. If the disk is slower than the streams, jobs pile up; past
the limit they are refused. If it is full, they fail. Either way the segment that this happens to
is given up: nothing more is written to its file, so that no file has a hole, and the stream is
kept again from its next segment on. Viewers notice nothing of it: they are served from memory.
What went wrong is counted by its kind, and what is kept is reckoned along (``stock``): operators
see both.

What the thread has taken, it finishes: jobs are done in the order in which they were put, so a
job that was reached tells of all before it.

``put`` and everything public belong to the loop's thread. Each counter is written by one thread
only, which is why there is no lock.
"""

import errno
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

import structlog

from origin.store.disk import Disk
from origin.store.journal import Pieces
from origin.store.stock import Stock

log = structlog.get_logger()

LIMIT_BYTES = 64 * 1024 * 1024
"""What may wait to be written: it is in memory anyway, as the window, for most of a minute."""

Make: TypeAlias = Callable[[], Pieces]
"""Makes what is to be written, in the thread: the loop has other things to do. So it must not look
at anything that changes."""

Hand: TypeAlias = Callable[[Callable[[], None]], object]
"""Has a callback called in the loop's thread, as ``call_soon_threadsafe`` does."""

SLOW, OTHER = "slow", "other"
KINDS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO", SLOW, OTHER)
"""Of what goes wrong: names of errno, more than ``LIMIT_BYTES`` waiting, and all the rest."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong last."""

    at_s: float
    """Seconds since 1970."""
    reason: str


class Work(Enum):
    """What a job does to the disk, and thereby to what is known of its stream."""

    CREATE = auto()
    """A file begins with it: whatever went wrong before is over."""
    APPEND = auto()
    """It is of no use if something before it is missing in the file."""
    REPLACE = auto()
    REMOVE = auto()
    REMOVE_FOLDER = auto()
    """All of it is gone afterwards: whatever was missing is missing no more."""


def _nothing() -> Pieces:
    return ()


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to be done to the disk."""

    work: Work
    owner: str
    """The stream that it is for: what the log names, and what is given up together."""
    path: Path
    make: Make = _nothing
    size: int = 0
    """Bytes that count as waiting until it is done."""


class Writer:
    """The thread, and what waits for it."""

    def __init__(
        self,
        disk: Disk,
        hand: Hand,
        limit_bytes: int = LIMIT_BYTES,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.given_up: dict[str, int] = dict.fromkeys(KINDS, 0)
        """Segments and notes that could not be written whole, by what was in the way."""
        self.last_failure: Failure | None = None
        self.stock = Stock()
        self._now = now
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
    def troubled(self) -> int:
        """Streams that go on and are not kept."""
        return len(self._troubled)

    @property
    def notice(self) -> str | None:
        """Say that streams are not kept now, and why; None where all is well."""
        count, failure = self.troubled, self.last_failure
        if not count or failure is None:
            return None
        streams = "1 stream is" if count == 1 else f"{count} streams are"
        return f"{streams} not kept for a restart: {failure.reason}"

    @property
    def ticket(self) -> int:
        """What ``has_kept`` is asked with, later: all that was put so far."""
        return self._put_jobs

    def has_kept(self, owner: str, ticket: int) -> bool:
        """Tell whether all of it that was put before ``ticket`` was taken is on the disk."""
        return self._done_jobs >= ticket and owner not in self._troubled

    def take_stock(self, find: Callable[[], Mapping[str, Mapping[Path, int]]]) -> None:
        """Count what is there already, by stream; ``find`` is called in the thread, and first."""

        def take() -> None:
            for owner, files in find().items():
                self.stock.find(owner, files)

        self._jobs.put(take)

    def create(self, owner: str, path: Path, make: Make, size: int) -> None:
        """Begin a file with what ``make`` returns, about ``size`` bytes."""
        self._refused.pop(owner, None)
        self._put(Job(Work.CREATE, owner, path, make, size))

    def append(self, owner: str, path: Path, make: Make, size: int) -> None:
        """Go on with a file, unless something of it is missing."""
        self._put(Job(Work.APPEND, owner, path, make, size))

    def replace(self, owner: str, path: Path, make: Make) -> None:
        """Make a small file anew."""
        self._put(Job(Work.REPLACE, owner, path, make))

    def remove(self, owner: str, path: Path) -> None:
        """Remove a file; it need not be there."""
        self._put(Job(Work.REMOVE, owner, path))

    def remove_folder(self, owner: str, path: Path) -> None:
        """Remove a session's folder with all its files; it need not be there."""
        self._put(Job(Work.REMOVE_FOLDER, owner, path))

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
        if job.work is Work.APPEND and self._refused.get(job.owner) == job.path:
            return
        if job.size and self.waiting_bytes + job.size > self._limit_bytes:
            self._refused[job.owner] = job.path
            self._give_up(job, SLOW, "the disk is too slow")
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
        if job.work is Work.APPEND and self._failed.get(job.owner) == job.path:
            return
        if job.work is Work.CREATE:
            self._failed.pop(job.owner, None)
        try:
            self._carry_out(job)
        except OSError as error:
            self._failed[job.owner] = job.path
            self._give_up(job, _kind(error), error.strerror or str(error))
        except Exception as error:  # our own mistake: it costs a segment, and not the thread
            self._failed[job.owner] = job.path
            self._give_up(job, OTHER, repr(error))
        else:
            self._recover(job)

    def _carry_out(self, job: Job) -> None:
        """Do it to the disk first, and to the books where the disk has done it."""
        owner, path, pieces = job.owner, job.path, job.make()
        match job.work:
            case Work.CREATE:
                self._disk.create(path, pieces)
                self.stock.create(owner, path, sum(map(len, pieces)))
            case Work.APPEND:
                self._disk.append(path, pieces)
                self.stock.append(owner, path, sum(map(len, pieces)))
            case Work.REPLACE:
                self._disk.replace(path, pieces)
            case Work.REMOVE:
                self._disk.remove(path)
                self.stock.remove(owner, path)
            case Work.REMOVE_FOLDER:
                self._disk.remove_folder(path)
                self.stock.remove(owner, path)

    def _give_up(self, job: Job, kind: str, reason: str) -> None:
        self.given_up[kind] += 1  # ``SLOW`` is the loop's thread's, the others are this one's
        self.last_failure = Failure(self._now(), reason)
        if job.owner not in self._troubled:
            self._troubled.add(job.owner)
            log.error("the stream goes on, but is not kept", stream=job.owner, reason=reason)

    def _recover(self, job: Job) -> None:
        if job.work is Work.REMOVE_FOLDER:
            self._troubled.discard(job.owner)
        elif job.work is Work.CREATE and job.owner in self._troubled:
            self._troubled.discard(job.owner)
            log.info("the stream is kept again", stream=job.owner)


def _kind(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, OTHER)
    return name if name in KINDS else OTHER
