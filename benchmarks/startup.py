"""How soon `tidecast serve` speaks, can be published to and watched, and has a killed edge back.

    python -m benchmarks.startup [--rounds 5]

Prints the median and the worst of some cold starts: until the words that say what to type into OBS
are printed (target: one second), until origin and edge are ready, and, after its edge was killed,
until the next one answers (target: one second), with the processor time that this one took: on a
machine that is busy with other things, that says more than the clock.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from benchmarks.support.arguments import arguments
from tests.support.servers import free_ports

TARGET_S = 1.0

GROWN_UP_S = 10.0
"""Who dies younger is started again after a pause (``origin.service.supervisor``)."""


class Took(NamedTuple):
    """Seconds of one start, and of one edge after another."""

    words: float
    ready: float
    edge_back: float
    edge_cpu: float


def main() -> None:
    """Start it some times, and print what it took."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = [start() for _ in range(parser.parse_args().rounds)]
    for label, times in zip(Took._fields, zip(*rounds, strict=True), strict=True):
        words = label.replace("_", " ")
        print(f"  {words:9}  {statistics.median(times):.2f} s, at worst {max(times):.2f} s")
    back_ms = statistics.median(took.edge_back for took in rounds) * 1000
    print(f"  A killed edge is back in {back_ms:.0f} ms. (Target, as for the words: {TARGET_S} s.)")


def start() -> Took:
    """Start it once, and have its edge killed."""
    rtmp, http, control = free_ports(3)
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "origin", "serve", "--host", "127.0.0.1"),
            *("--data-dir", str(Path(folder) / "data"), "--rtmp-port", str(rtmp)),
            *("--http-port", str(http), "--control-port", str(control)),
        ]
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            if not any("Ctrl-C" in line for line in process.stdout):
                raise SystemExit("it ended without saying what to type into OBS")
            words = time.monotonic() - began
            for port in (control, http):
                wait_until_ready(port)
            ready = time.monotonic() - began
            time.sleep(GROWN_UP_S)
            return Took(words, ready, *kill_edge(process.pid, http))
        finally:
            process.terminate()
            process.communicate(timeout=15)


def kill_edge(supervisor: int, port: int) -> tuple[float, float]:
    """Kill the edge; return the seconds until the next one answers, and those of its processor."""
    killed = edge_of(supervisor)
    assert killed is not None, "no edge was started"
    os.kill(killed, signal.SIGKILL)
    began = time.monotonic()
    wait_until_ready(port)
    took = time.monotonic() - began
    edge = edge_of(supervisor)
    assert edge not in (None, killed), "what answered was not the next edge"
    fields = Path(f"/proc/{edge}/stat").read_text().rpartition(")")[2].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime
    return took, cpu


def edge_of(supervisor: int) -> int | None:
    """Return the edge's process, if there is one."""
    for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if command[1:3] == [b"-m", b"cdn"]:
            return int(pid)
    return None


def wait_until_ready(port: int) -> None:
    """Wait up to ten seconds until /readyz says 200."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise SystemExit(f"nothing is ready on port {port}")


if __name__ == "__main__":
    main()
