"""``tidecast bench ingest``: publishers in real time, and whether the server keeps up with them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from origin.bench.broadcast import prepare
from origin.bench.clip import make_clip
from origin.bench.cpu import Sample, sample
from origin.bench.errors import CannotMeasure
from origin.bench.figures import Figures
from origin.bench.greeting import parse_address
from origin.bench.publishers import Crowd, Outcome
from origin.bench.resources import check_descriptors


class Lag(Figures):
    """Milliseconds from when a frame was due to when the server had room for it."""

    p50: float
    p99: float
    max: float


class IngestReport(Figures):
    """What became of the publishers."""

    publishers: int
    accepted: int
    refused: dict[str, int]
    """How many, by the server's own words."""
    lost: dict[str, int]
    """How many after they had been let in, by what ended them."""
    seconds: float
    """From the first connection to the end."""
    mbit_per_s: float
    """All of them together, over that time."""
    lag_ms: Lag
    own_cpu_percent: float
    """Of one core, like the server's."""
    server_cpu_percent: float | None = None
    """None where no process was named."""
    server_memory_mib: float | None = None
    """Proportional set size of all its processes at the end."""

    @property
    def is_flawless(self) -> bool:
        """Whether everybody was let in, and stayed."""
        return self.accepted == self.publishers and not self.lost


@dataclass(frozen=True, slots=True)
class Ingest:
    """How many publish, what, and for how long."""

    number: int = 1
    seconds: float = 30.0
    """Once everybody is in."""
    file: Path | None = None
    """An FLV file (H.264, AAC); None: a clip is made."""
    bitrate: int = 2_500_000
    """Bits per second of the clip that is made."""
    pid: int | None = None
    """The server's, on this machine, to see what it uses."""


def run_ingest(url: str, ingest: Ingest) -> IngestReport:
    """Publish; return what came of it."""
    address = parse_address(url, ingest.number)
    check_descriptors(ingest.number)
    broadcast = prepare(_media(ingest))
    watcher = _ServerWatcher(ingest.pid, ingest.seconds)
    crowd = Crowd(address, broadcast, ingest.number)
    began, cpu_before = time.monotonic(), time.process_time()
    outcome = crowd.run(ingest.seconds, watcher.start)
    took_s = time.monotonic() - began
    own = (time.process_time() - cpu_before) / took_s * 100
    used = watcher.finish()
    return IngestReport(
        publishers=ingest.number,
        accepted=outcome.accepted,
        refused=dict(outcome.refused),
        lost=dict(outcome.lost),
        seconds=round(took_s, 2),
        mbit_per_s=round(outcome.sent_bytes * 8 / took_s / 1e6, 2),
        lag_ms=_lag(outcome),
        own_cpu_percent=round(own, 1),
        server_cpu_percent=None if used is None else round(used.cpu_percent, 2),
        server_memory_mib=None if used is None else round(used.pss_mib, 1),
    )


def _media(ingest: Ingest) -> bytes:
    if ingest.file is None:
        return make_clip(ingest.bitrate)
    try:
        return ingest.file.read_bytes()
    except OSError as error:
        raise CannotMeasure(f"{ingest.file} cannot be read: {error.strerror}") from error


def _lag(outcome: Outcome) -> Lag:
    each = sorted(outcome.lags_s) or [0.0]
    p50, p99, last = (each[int(share * (len(each) - 1))] * 1000 for share in (0.5, 0.99, 1.0))
    return Lag(p50=round(p50, 2), p99=round(p99, 2), max=round(last, 2))


class _ServerWatcher:
    """Reads what the server uses while everybody publishes, in a thread of its own."""

    def __init__(self, pid: int | None, seconds: float) -> None:
        if pid is not None and not Path(f"/proc/{pid}").exists():
            raise CannotMeasure(f"There is no process {pid} on this machine.")
        self._pid = pid
        self._seconds = max(0.5, seconds - 1)
        self._used: Sample | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        if self._pid is not None:
            self._thread.start()

    def finish(self) -> Sample | None:
        if self._thread.ident is not None:
            self._thread.join()
        return self._used

    def _watch(self) -> None:
        assert self._pid is not None
        self._used = sample(self._pid, self._seconds)


def describe_ingest(report: IngestReport) -> Iterator[str]:
    """Say it in lines for people."""
    yield f"{report.accepted} of {report.publishers} publishers were let in"
    for reason, count in report.refused.items():
        yield f"refused      {count}: {reason}"
    for reason, count in report.lost.items():
        yield f"lost         {count}: {reason}"
    yield f"sent         {report.mbit_per_s:.1f} Mbit/s for {report.seconds:.0f} s"
    lag = report.lag_ms
    yield f"lag          p50 {lag.p50:.1f}  p99 {lag.p99:.1f}  max {lag.max:.1f} ms"
    if report.server_cpu_percent is not None:
        yield (
            f"server       {report.server_cpu_percent:.1f} % of a core, "
            f"{report.server_memory_mib:.0f} MiB"
        )
    yield f"the load's own {report.own_cpu_percent:.0f} % of a core"
