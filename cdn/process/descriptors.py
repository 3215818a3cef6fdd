"""File descriptors: as many as the system grants, and what happens when they run out.

A process that has none left can neither take a viewer in nor ask the origin for those whom it has.
libuv, at that point, accepts newcomers and hangs up on them at once; a balancer takes that for a
broken edge. So accepting is paused a little before: newcomers wait in the kernel's queue, those who
are connected go on, fetches still find a descriptor, and readiness says why. It resumes by itself.

The limit on connections (``listen.connections``) is lower than the number of descriptors unless
somebody sets it higher, and then this is never needed; it is the second line.

Looking costs two system calls: a copy of a descriptor gets the lowest number that is free, and
when that is close to the limit, all below are taken.
"""

import asyncio
import fcntl
import os
import resource
from collections.abc import Awaitable, Callable

import structlog

from cdn.front.door import RESERVED_DESCRIPTORS
from cdn.health import Health

LOOK_EVERY_S = 0.1

SPARE = 32
"""Descriptors that are left for fetches when accepting is paused; twice as many are free again
before it resumes."""

LOG_EVERY_S = 10.0
"""At the edge of the limit connections come and go; one line in this time is enough."""

SHORTAGE = "File descriptors have run out; new connections wait."


def raise_limit() -> int:
    """Raise the soft limit to the hard one; return what there is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # a container may forbid it
            return soft
    return hard


def too_many(connections: int, origin_connections: int, limit: int) -> str | None:
    """Say that the connections that were asked for cannot all be had, or nothing."""
    needed = connections + origin_connections + RESERVED_DESCRIPTORS
    if not connections or limit == resource.RLIM_INFINITY or needed <= limit:
        return None
    return (
        f"{connections} connections need {needed} file descriptors, and there are {limit}; "
        "raise the limit (ulimit -n, LimitNOFILE=) or lower listen.connections"
    )


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


class Watch:
    """Pauses and resumes accepting."""

    def __init__(
        self, health: Health, pause: Callable[[], None], resume: Callable[[], Awaitable[None]]
    ) -> None:
        self._health = health
        self._pause = pause
        self._resume = resume
        self._logged_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._health.shortage is None and are_short():
                self._health.shortage = SHORTAGE
                self._pause()
                self._say("file descriptors have run out: new connections wait")
            elif self._health.shortage is not None and are_plenty():
                self._health.shortage = None
                await self._resume()

    def _say(self, event: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._logged_at is None or now - self._logged_at >= LOG_EVERY_S:
            self._logged_at = now
            structlog.get_logger("edge").error(event)
