"""``tidecast bench herd``: everybody waits for the same thing, and gets it at once.

That is what every part of a low-latency broadcast does to a cache: all viewers hold a request
for the same playlist, one answer releases them, and the last of them decides how far behind the
live edge all must stay. Here a single release is looked at by itself, of the next playlist or of
the hinted part.
"""

import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from origin.bench.compiler import load_generator
from origin.bench.errors import CannotMeasure
from origin.bench.figures import Figures
from origin.bench.held_origin import RELEASE_PATH
from origin.bench.resources import check_descriptors, source_addresses
from origin.bench.running import run_load, target_options
from origin.bench.target import Target


class Spread(Figures):
    """Milliseconds until the first, most, and the last were answered."""

    first: float
    p50: float
    p90: float
    p99: float
    last: float


class HerdReport(Figures):
    """What became of a herd."""

    connections: int
    """How many were wanted."""
    opened: int
    answered: int
    """Whole, whatever the status."""
    status_200: int
    """With 200, or another status of success."""
    early: int
    """Answered before everybody had asked: if there are any, the figures mean little."""
    lost: int
    """Connections that ended before they had an answer."""
    bytes: int
    """Received, heads included."""
    load_cpu_s: float
    """Of the load generator itself."""
    after_first_ms: Spread | None = None
    after_publication_ms: Spread | None = None
    """Only with the test origin, which says when it published."""

    @property
    def is_whole(self) -> bool:
        """Whether everybody held the request, and everybody was answered well."""
        return self.status_200 == self.connections and self.early == 0


@dataclass(frozen=True, slots=True)
class Herd:
    """How many, and what they hold."""

    number: int = 10_000
    holds_part: bool = False
    """The hinted part, instead of the next playlist."""
    release_port: int | None = None
    """Where the test origin listens; None: a live stream releases them."""
    settle_s: float = 2.0
    """How long everybody waits before the test origin is told to publish."""
    addresses: int | None = None
    """Loopback addresses to come from; None: as many as are needed."""
    timeout_s: float = 30.0
    """For the answer."""


def run_herd(target: Target, herd: Herd) -> HerdReport:
    """Let a herd wait; return how long it took to release it."""
    if not target.is_low_latency:
        raise CannotMeasure(
            f"{target.url} is not a low-latency playlist: nothing on it can be held."
        )
    check_descriptors(herd.number)
    options = [
        *target_options(target, source_addresses(target, herd.number, herd.addresses)),
        *("--number", str(herd.number), "--seconds", str(herd.settle_s)),
        *("--timeout", str(herd.timeout_s)),
    ]
    if herd.holds_part:
        options.append("--hint")
    if herd.release_port is not None:
        options += ["--release-port", str(herd.release_port), "--release-path", RELEASE_PATH]
    return HerdReport.model_validate_json(run_load(load_generator(), "herd", options))


@contextmanager
def held_origin(port: int, part_bytes: int) -> Generator[None]:
    """Run the test origin in a process of its own."""
    command = [sys.executable, "-m", "origin.bench.held_origin"]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--part-bytes", str(part_bytes)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise CannotMeasure(f"The test origin cannot listen on port {port}.")
        yield
    finally:
        process.terminate()
        process.communicate()


def describe_herd(report: HerdReport) -> Iterator[str]:
    """Say it in lines for people."""
    yield f"{report.status_200} of {report.connections} were answered with 200"
    if report.early or report.lost:
        yield f"early        {report.early}; lost {report.lost}: the figures below mean little"
    for name, spread in (
        ("after first", report.after_first_ms),
        ("after publ.", report.after_publication_ms),
    ):
        if spread is not None:
            yield (
                f"{name}  p50 {spread.p50:.1f}  p99 {spread.p99:.1f}  "
                f"last {spread.last:.1f} ms  (first {spread.first:.1f})"
            )
