"""A low-latency release: 10,000 connections hold one request, and all are answered at once.

The cache under measurement and a test origin share one core; the herd has the other. Tidecast's
edge, nginx with its lock and Varnish take turns, three rounds in one run; a round holds the next
playlist (1 KB), then the hinted part (40 KB).

    python -m benchmarks.herd [-n 10000] [--rounds 3] [--json]

Takes about 3 minutes. The figures are milliseconds from publication to the last answer.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.engines import ENGINES
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import LOAD_CORE, PINNED, running
from origin.bench.held_origin import PLAYLIST_PATH
from origin.bench.herd import Herd, HerdReport, run_herd
from origin.bench.target import inspect
from tests.support.servers import free_ports

SCRIPT = "benchmarks/herd.py"
PART_BYTES = 40 * 1024
LAST_MS = 150
Times = dict[tuple[str, bool], list[float]]
"""Milliseconds until the last answer, by engine and by whether it was the part."""


def main() -> None:
    """Measure all three, and print the results."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("-n", "--number", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    times: Times = {}
    asked: dict[str, int] = {}
    for _ in range(given.rounds):
        for name in ENGINES:
            for holds_part in (False, True):
                report, most = measure(name, given.number, holds_part)
                check(name, report)
                asked[name] = max(asked.get(name, 0), most)
                assert report.after_publication_ms is not None
                last = report.after_publication_ms.last
                times.setdefault((name, holds_part), []).append(last)
                kind = "part" if holds_part else "playlist"
                spread = report.after_publication_ms
                print(
                    f"  {name:<9} {kind:<8} p50 {spread.p50:.0f} p99 {spread.p99:.0f} "
                    f"last {last:.0f} ms, origin requests {most}",
                    file=sys.stderr,
                )
    emit(results(times, asked, given.number), as_json=given.json)


def measure(name: str, number: int, holds_part: bool) -> tuple[HerdReport, int]:
    """One herd; its report, and how often the origin was asked for the same thing."""
    (port,) = free_ports(1)
    origin = [
        *(*PINNED, sys.executable, "-m", "origin.bench.held_origin"),
        *("--port", str(port), "--part-bytes", str(PART_BYTES)),
    ]
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, running(origin, port):
        with ENGINES[name](f"127.0.0.1:{port}", Path(folder)) as engine:
            target = inspect(f"http://127.0.0.1:{engine.port}{PLAYLIST_PATH}")
            report = run_herd(target, Herd(number, holds_part, port))
        return report, most_asked(port)


def most_asked(port: int) -> int:
    """How often the origin was asked for what was asked for most, of what can be held."""
    url = f"http://127.0.0.1:{port}/requests"
    said = subprocess.run(["curl", "-sf", url], capture_output=True, text=True, check=True).stdout
    counts: dict[str, int] = json.loads(said)
    held = [count for target, count in counts.items() if "_HLS_msn" in target or "m4s" in target]
    return max(held)


def check(name: str, report: HerdReport) -> None:
    """A herd that was not answered whole is no measurement of anything."""
    if report.status_200 != report.connections:
        print(f"  {name}: only {report.status_200} answered well: {report}", file=sys.stderr)


def results(times: Times, asked: dict[str, int], number: int) -> list[Result]:
    """Judge the medians by the targets."""
    median = {key: statistics.median(each) for key, each in times.items()}
    found = []
    for holds_part, what, of_nginx, of_varnish in (
        (False, "playlist", 0.25, 0.33),
        (True, "40 KB part", 0.4, None),
    ):
        ours, lock, theirs = (median[name, holds_part] for name in ENGINES)
        met = ours <= of_nginx * lock and (of_varnish is None or ours <= of_varnish * theirs)
        target = f"at most {of_nginx} x nginx"
        if of_varnish is not None:
            met = met and ours <= LAST_MS
            target += f", {of_varnish} x Varnish, {LAST_MS} ms"
        found.append(
            Result(
                f"{number:,} connections hold one {what}: released after",
                f"{ours:.0f} ms",
                f"nginx {lock:.0f} ms ({ours / lock:.2f} x), "
                f"Varnish {theirs:.0f} ms ({ours / theirs:.2f} x)",
                target,
                met,
                SCRIPT,
            )
        )
    ours, lock, theirs = (asked[name] for name in ENGINES)
    peers = f"nginx {lock}, Varnish {theirs}"
    name = "origin requests for what a herd holds"
    found.append(Result(name, str(ours), peers, "1", ours == 1, SCRIPT))
    return found


if __name__ == "__main__":
    main()
