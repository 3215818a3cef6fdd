"""CPU time and memory of process trees, read from /proc over a window of time."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process tree used."""

    cpu_percent: float
    """Of one core, user and system, children that began meanwhile included."""
    pss_mib: float
    """Proportional set size at the end: shared pages are counted once."""


def sample(root: int, seconds: float) -> Sample:
    """Watch the tree of ``root`` for ``seconds``."""
    first = {pid: _ticks(pid) for pid in tree(root)}
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    last = {pid: _ticks(pid) for pid in tree(root)}
    used = sum(max(0, ticks - first.get(pid, 0)) for pid, ticks in last.items())
    return Sample(used / TICKS_PER_SECOND / took * 100, _pss_mib(last))


def tree(root: int) -> list[int]:
    """The pids of ``root`` and everything below it."""
    children: dict[int, list[int]] = {}
    for pid, fields in _all_stats():
        children.setdefault(int(fields[1]), []).append(pid)
    found, todo = list[int](), [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def _all_stats() -> Iterator[tuple[int, list[str]]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            yield int(entry), fields


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the command's name; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _pss_mib(pids: Iterable[int]) -> float:
    kib = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kib / 1024
