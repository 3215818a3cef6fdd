"""A run of inputs: counted, timed in CPU, and with every finding told by its number."""

import logging
import os
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TypeAlias

import structlog

from tests.fuzz.inputs import Input, make
from tests.fuzz.target import Outcome, feed

Feed: TypeAlias = Callable[[Input, int], Outcome]

LONGEST_CPU_S = 0.05
"""What one input may cost. A machine with other work on it makes some look slow that are not, so
each is believed only when a second try says the same."""

STUCK_S = 10.0
"""After so much CPU an input is given up: it may never end."""

SETTLED_AFTER = 500
"""Inputs after which a process has what it needs; from then on its memory is compared."""


@dataclass
class Report:
    """What came of a run, or of several put together."""

    inputs: int = 0
    bytes: int = 0
    cpu_s: float = 0.0
    outcomes: Counter[Outcome] = field(default_factory=lambda: Counter[Outcome]())
    slowest_s: float = 0.0
    slowest: int = -1
    memory: dict[int, tuple[int, int]] = field(default_factory=lambda: dict[int, tuple[int, int]]())
    """Of each process, by its number: the highest memory (KiB) once it had settled, and of all."""
    findings: dict[int, str] = field(default_factory=lambda: dict[int, str]())

    def add(self, other: "Report") -> None:
        self.inputs += other.inputs
        self.bytes += other.bytes
        self.cpu_s += other.cpu_s
        self.outcomes += other.outcomes
        self.findings |= other.findings
        for pid, (settled, highest) in other.memory.items():
            self.memory[pid] = self.memory.get(pid, (settled, 0))[0], highest
        if other.slowest_s > self.slowest_s:
            self.slowest_s, self.slowest = other.slowest_s, other.slowest

    @property
    def grown_kib(self) -> int:
        """By how much the highest memory of a process grew since it had settled, at most."""
        return max((highest - settled for settled, highest in self.memory.values()), default=0)


def run(seed: int, numbers: range, *, times: bool = True, target: Feed = feed) -> Report:
    """Feed ``target`` the inputs with these numbers; without ``times`` none is too slow."""
    report, settled_kib = Report(), 0
    with quiet():
        for number in numbers:
            _feed_one(report, seed, number, target, times=times)
            if report.inputs == SETTLED_AFTER:
                settled_kib = _highest_kib()
    if settled_kib:
        report.memory[os.getpid()] = settled_kib, _highest_kib()
    return report


def _feed_one(report: Report, seed: int, number: int, target: Feed, *, times: bool) -> None:
    given = make(seed, number)
    report.inputs += 1
    report.bytes += len(given.data)
    try:
        began = time.thread_time()
        with ends_in_time():
            outcome = target(given, number)
        took_s = time.thread_time() - began
        report.cpu_s += took_s
        if times and took_s > LONGEST_CPU_S:
            began = time.thread_time()
            target(given, number)
            took_s = min(took_s, time.thread_time() - began)
    except Exception:
        report.findings[number] = traceback.format_exc()
        return
    report.outcomes[outcome] += 1
    if took_s > report.slowest_s:
        report.slowest_s, report.slowest = took_s, number
    if times and took_s > LONGEST_CPU_S:
        report.findings[number] = f"{took_s * 1000:.0f} ms of CPU"


def _highest_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def ends_in_time() -> Iterator[None]:
    """Raise ``TimeoutError`` in whatever goes on for ``STUCK_S`` of CPU."""

    def complain(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"stuck for {STUCK_S} s of CPU")

    before = signal.signal(signal.SIGVTALRM, complain)
    signal.setitimer(signal.ITIMER_VIRTUAL, STUCK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def quiet() -> Iterator[None]:
    """No log while inputs are fed: there would be millions of lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.reset_defaults()
