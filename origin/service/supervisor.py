"""Keeps the processes of ``tidecast serve`` running, and ends them together.

The supervisor imports little and does nothing but wait for signals, so that it is there when
everything else is not. A child that dies is started again: at once if it has lived for a while,
else after pauses that double up to ``LONGEST_PAUSE_S`` for as long as it keeps dying young.

Children live in process groups of their own, so that Ctrl-C reaches the supervisor alone and
they are ended in order; and they ask the kernel to end them should the supervisor vanish, so
that no orphan keeps a port.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

log = structlog.get_logger()

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
GROWN_UP_S = 10.0
"""A child that has lived this long is restarted without a pause."""
STOP_WITHIN_S = 10.0

_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass(slots=True)
class Child:
    """A process to be kept running; ``start`` makes it and returns its pid."""

    name: str
    start: Callable[[], int]
    reloads: bool = False
    """Whether it reads its files again on SIGHUP, which ends any other process."""
    pid: int | None = None
    started_at: float = 0.0
    pause_s: float = 0.0
    due_at: float = 0.0
    """When to start it, on the monotonic clock, while it does not run."""


def supervise(children: Sequence[Child]) -> int:
    """Run ``children`` until SIGTERM or SIGINT; return the exit status.

    SIGHUP is handed on to those who know what to do with it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # in children, until they have a use for it
    while True:
        now = time.monotonic()
        for child in children:
            if child.pid is None and child.due_at <= now:
                child.pid, child.started_at = child.start(), now
        received = signal.sigtimedwait(_WATCHED, _until_next_start(children, now))
        if received is not None and received.si_signo == signal.SIGHUP:
            _reload(children)
        elif received is not None and received.si_signo != signal.SIGCHLD:
            return _stop(children)
        _reap(children)


def fork(run: Callable[[], None]) -> int:
    """Run ``run`` in a forked process; return its pid.

    Only to be used while this process has a single thread and no event loop.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setpgid(0, 0)
        _end_with_parent()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        run()
        status = 0
    except Exception:
        log.exception("process failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def spawn(arguments: Sequence[str]) -> int:
    """Run this Python with ``arguments`` as a new program; return its pid."""
    command = [sys.executable, *arguments]
    return os.posix_spawn(command[0], command, os.environ, setpgroup=0, setsigmask=[])


def _reload(children: Sequence[Child]) -> None:
    for child in children:
        if child.reloads and child.pid is not None:
            os.kill(child.pid, signal.SIGHUP)


def _until_next_start(children: Sequence[Child], now: float) -> float:
    waits = [child.due_at - now for child in children if child.pid is None]
    return max(0.0, min(waits, default=3600.0))


def _reap(children: Sequence[Child]) -> None:
    """Note which children have died, and when each is to be started again."""
    for child in children:
        if child.pid is None or not _has_exited(child.pid):
            continue
        now = time.monotonic()
        child.pause_s = pause_after(now - child.started_at, child.pause_s)
        child.due_at = now + child.pause_s
        child.pid = None
        log.error("process died, starting it again", process=child.name, in_s=child.pause_s)


def pause_after(lived_s: float, last_pause_s: float) -> float:
    """How long to wait before a child that lived so long is started again."""
    if lived_s > GROWN_UP_S:
        return 0.0
    return min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, last_pause_s * 2))


def _stop(children: Sequence[Child]) -> int:
    """End all children; return 0 if they all went by themselves."""
    deadline = time.monotonic() + STOP_WITHIN_S
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, signal.SIGTERM)
    while (left_s := deadline - time.monotonic()) > 0:
        if not _still_running(children):
            return 0
        signal.sigtimedwait({signal.SIGCHLD}, min(left_s, 0.2))
    for child in _still_running(children):
        log.error("process did not end in time and was killed", process=child.name)
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    return 1


def _still_running(children: Sequence[Child]) -> list[Child]:
    for child in children:
        if child.pid is not None and _has_exited(child.pid):
            child.pid = None
    return [child for child in children if child.pid is not None]


def _has_exited(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies, however it dies."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we had asked
        os._exit(1)
