"""``python -m tests.fuzz``: mutated input by the million, reproducible by seed and number.

::

    python -m tests.fuzz --inputs 1000000 --processes 2     in process
    python -m tests.fuzz --sessions 10000                   over TCP, against a server of its own
    python -m tests.fuzz --seed 1 --number 4711 --keep tests/corpus/fuzz/what-it-did

Exit status 1 if there was anything to mend.
"""

import argparse
import asyncio
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.fuzz.inputs import make
from tests.fuzz.run import Report, quiet, run
from tests.fuzz.target import feed
from tests.fuzz.tcp import attack_own_server

BATCH = 5_000
GROWTH_ALLOWED_KIB = 64 * 1024
"""The largest input needs some memory once more than the first five hundred did."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--inputs", type=int, default=10_000, help="inputs fed in process")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--sessions", type=int, default=0, help="sessions over TCP instead")
    parser.add_argument("--number", type=int, help="feed this one alone, and let it raise")
    parser.add_argument("--keep", type=Path, help="where to keep it, without an ending")
    options = parser.parse_args()
    if options.number is not None:
        return _one(options.seed, options.number, options.keep)
    if options.sessions:
        return _attack(options.seed, options.first, options.sessions)
    return _many(options.seed, options.first, options.inputs, options.processes)


def _one(seed: int, number: int, keep: Path | None) -> int:
    given = make(seed, number)
    print(f"{given.kind.name}, {len(given.data)} bytes")
    if keep is not None:
        keep.with_suffix(f".{given.kind.value}").write_bytes(given.data)
    with quiet():
        print(feed(given, number).value)
    return 0


def _attack(seed: int, first: int, sessions: int) -> int:
    harm = asyncio.run(attack_own_server(seed, first, sessions))
    print(f"{harm.sessions:,} sessions over TCP beside a healthy publisher")
    print(f"  the publisher went unread for over 0.5 s {harm.long_gaps} times; of late", end=" ")
    print(f"for {harm.read_gap_s:.3f} s at the longest")
    print(f"  the event loop was late by {harm.loop_lag_s:.3f} s, this program by", end=" ")
    print(f"{harm.own_lag_s:.3f} s (all of the last minute)")
    complaints = harm.complaints()
    print("\n".join(["  " + complaint for complaint in complaints] or ["  no harm done"]))
    return int(bool(complaints))


def _many(seed: int, first: int, inputs: int, processes: int) -> int:
    end = first + inputs
    batches = [range(at, min(at + BATCH, end)) for at in range(first, end, BATCH)]
    total, began = Report(), time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        for report in pool.map(run, [seed] * len(batches), batches):
            total.add(report)
            _tell_findings(seed, report)
            took_s = time.monotonic() - began
            found = f"{len(total.findings)} findings, {took_s:.0f} s"
            print(f"{total.inputs:,} inputs, {found}", file=sys.stderr, flush=True)
    _print(seed, total)
    return int(bool(total.findings) or total.grown_kib > GROWTH_ALLOWED_KIB)


def _print(seed: int, report: Report) -> None:
    print(f"{report.inputs:,} inputs, {report.bytes / 1e6:,.0f} MB, {report.cpu_s:,.0f} s of CPU")
    for outcome, count in report.outcomes.most_common():
        print(f"  {count:>9,}  {outcome.value}")
    print(f"  slowest: {report.slowest_s * 1000:.1f} ms (number {report.slowest})")
    print(f"  memory grew by {report.grown_kib / 1024:.1f} MiB at most in one process")
    print(f"  findings: {len(report.findings)}")


def _tell_findings(seed: int, report: Report) -> None:
    for number, what in sorted(report.findings.items())[:20]:
        print(f"\n--seed {seed} --number {number}\n{what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
