"""Whether everybody who needed a processor got one: what a busy machine did to a test.

::

    async with watched_for_scarcity() as scarcity:
        ...
        began_s = scarcity.now_s()
        ...                                     # something that lives in real time
        scarcity.longest_wait_s(since_s=began_s)

Linux counts for each thread how long it was ready to run and had to wait for a processor
(``/proc/PID/task/TID/schedstat``, the second number, in nanoseconds). This looks at the threads of
all processes that the test has started, and of those that they have started, and keeps the longest
that one of them waited between two looks. Where Linux does not count, nobody ever waits, and the
tests are as strict as they can be.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

EVERY_S = 0.5
LONG_S = 0.2
"""So long in half a second nobody waits where there are processors enough. What lives in real time
may have been late by this, and shows nothing about us."""
TRIES = 3
"""So often is tried what failed while somebody waited for long."""
PROC = Path("/proc")


class Scarcity:
    """Looks twice a second for as long as its block lasts."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._waited_s: dict[int, float] = {}
        self._longest: list[tuple[float, float]] = []
        """When it was looked, and the longest that a thread had waited since the look before."""

    @staticmethod
    def now_s() -> float:
        return time.monotonic()

    def longest_wait_s(self, *, since_s: float = 0.0) -> float:
        """The longest that one thread waited in half a second, of all since then."""
        self.look()
        return max((wait_s for at_s, wait_s in self._longest if at_s >= since_s), default=0.0)

    def was_there(self, *, since_s: float = 0.0) -> bool:
        """Whether somebody waited for long."""
        return self.longest_wait_s(since_s=since_s) > LONG_S

    def look(self) -> None:
        """Note how long each thread has waited until now."""
        waited_s = {thread: seconds for pid in family(self._root) for thread, seconds in waits(pid)}
        if self._waited_s:
            known = self._waited_s.get
            news = [seconds - known(thread, 0.0) for thread, seconds in waited_s.items()]
            self._longest.append((self.now_s(), max(news, default=0.0)))
        self._waited_s = waited_s

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(EVERY_S)  # the pace is part of what is measured


def family(root: int) -> Iterator[int]:
    """A process and all that have come from it."""
    yield root
    with contextlib.suppress(OSError):  # it has just ended
        for task in (PROC / str(root) / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


def waits(pid: int) -> Iterator[tuple[int, float]]:
    """How long each thread of a process has waited in its life."""
    with contextlib.suppress(OSError):
        for task in (PROC / str(pid) / "task").iterdir():
            yield int(task.name), int((task / "schedstat").read_text().split()[1]) / 1e9


@asynccontextmanager
async def watched_for_scarcity(root: int | None = None) -> AsyncIterator[Scarcity]:
    """Watch the family of a process, of this one unless told otherwise."""
    scarcity = Scarcity(os.getpid() if root is None else root)
    task = asyncio.create_task(scarcity.watch())
    try:
        yield scarcity
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
