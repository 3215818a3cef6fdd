"""How soon `tidecast serve` speaks, and how soon it can be published to and watched.

    python -m benchmarks.startup [--rounds 5]

Prints the median and the worst of some cold starts: until the words that say what to type into OBS
are printed (target: one second), and until origin and edge are ready.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.servers import free_ports

TARGET_S = 1.0


def main() -> None:
    """Start it some times, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = [start() for _ in range(parser.parse_args().rounds)]
    for label, times in zip(("words", "ready"), zip(*rounds, strict=True), strict=True):
        print(f"  {label}  {statistics.median(times):.2f} s, at worst {max(times):.2f} s")
    print(f"  (target for the words: {TARGET_S} s)")


def start() -> tuple[float, float]:
    """Start it once; return the seconds until the words, and until everything answers."""
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
            return words, time.monotonic() - began
        finally:
            process.terminate()
            process.communicate(timeout=15)


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
