"""The memory that the origin may use, and what happens when it is nearly used up.

Every connection, frame and window has a bound of its own, but their number has not: it is the
publishers that memory is for. So it is they who are counted against the budget: from 80 % of it
on, new ones are refused with a reason, and those who are live go on. Nothing is ever taken away
from a stream that is on the air.
"""

import os
from pathlib import Path

FULL_AT = 0.8
"""Of the budget. A publisher who comes just below needs room for its window, which grows to its
size within a minute: 40 MB at 6 Mbit/s."""

SHORTAGE = "The server is short of memory and takes no new streams: try again later."

_STATM = Path("/proc/self/statm")
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MIB = 1024 * 1024


class MemoryBudget:
    """A budget in bytes; 0 stands for no limit but the machine's or the container's."""

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes or _granted_bytes()

    def shortage(self) -> str | None:
        """Why no new publisher can be taken in; None if one can."""
        return SHORTAGE if used_bytes() >= FULL_AT * self.budget_bytes else None


def mib(count: int) -> int:
    """So many MiB in bytes."""
    return count * _MIB


def used_bytes() -> int:
    """Resident memory of this process, less what it shares: the listing of pages costs 10 us."""
    _, resident, shared, *_ = map(int, _STATM.read_text().split())
    return (resident - shared) * _PAGE_BYTES


def _granted_bytes() -> int:
    """What the machine has, or the container may use."""
    machine = os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES
    try:
        return min(machine, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # no cgroup of its own, or "max"
        return machine
