"""File descriptors: as many as the system grants, and what happens when they run out.

A process that has none left can take nobody in; libuv, at that point, accepts newcomers and hangs
up on them at once, and an encoder takes that for a refusal. So accepting RTMP is paused a little
before: newcomers wait in the kernel's queue, those who are connected go on, files can still be
written, and readiness says why. It resumes by itself.

Looking costs two system calls: a copy of a descriptor gets the lowest number that is free, and
when that is close to the limit, all below are taken.
"""

import asyncio
import contextlib
import fcntl
import os
import resource
from collections.abc import Awaitable, Callable

import structlog

LOOK_EVERY_S = 0.1

SPARE = 32
"""Left for files and for edges when accepting is paused; twice as many must be free again before
it resumes."""

SHORTAGE = "file descriptors have run out: new connections wait"

log = structlog.get_logger()


def raise_limit() -> None:
    """Have as many as the system grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(OSError, ValueError):  # a container may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def are_short() -> bool:
    """Say whether nearly all descriptors are taken."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        lowest_free = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 0)
    except OSError:
        return True
    os.close(lowest_free)
    return limit != resource.RLIM_INFINITY and lowest_free >= limit - SPARE


def are_plenty() -> bool:
    """Say whether accepting may resume; counts, which takes milliseconds, and so not often."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        taken = len(os.listdir("/proc/self/fd"))
    except OSError:
        return False
    return limit == resource.RLIM_INFINITY or taken <= limit - 2 * SPARE


class DescriptorWatch:
    """Pauses and resumes accepting; ``shortage`` says why nobody is accepted, if so."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], Awaitable[None]]) -> None:
        self.shortage: str | None = None
        self._pause = pause
        self._resume = resume
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more; accepting stays as it is."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.shortage is None and are_short():
                self.shortage = SHORTAGE
                self._pause()
                log.error(SHORTAGE)
            elif self.shortage is not None and are_plenty():
                self.shortage = None
                await self._resume()
                log.info("file descriptors are free again: connections are accepted")
