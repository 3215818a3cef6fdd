"""What it costs to keep the window over restarts: CPU per stream with and without.

Publishers of 6 Mbit/s (1080p60, GOP of 2 s, AAC) push to an origin that writes its streams to the
data directory, and to one that does not, in turns, rounds in one run; the origin on one core, the
publishers on the other. The directory is on /dev/shm, or where ``--folder`` says.

    python -m benchmarks.keeping [--publishers 20] [--seconds 20] [--rounds 3] [--folder DIR]

Prints lowest, median and highest, and how much dearer a stream is.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ingest import make_media
from benchmarks.support.cpu import sample
from benchmarks.support.servers import LOAD_CORE, SERVER_CORE, running, wait_for_playlist
from origin.bench.ingest import IngestReport
from tests.support.servers import free_ports

WAYS = {"not kept": "no", "kept": "yes"}


def main() -> None:
    """Measure both, and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    given = parser.parse_args()
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        media = make_media(folder / "1080p60.flv")
        for _ in range(given.rounds):
            for way, keeps in WAYS.items():
                found[way].append(measure(folder / way, keeps, media, given))
    medians = {way: statistics.median(each) for way, each in found.items()}
    print(f"{given.publishers} publishers of 6 Mbit/s; CPU of one core per stream")
    for way, each in found.items():
        print(f"  {way:<9} {min(each):.3f} / {medians[way]:.3f} / {max(each):.3f} %")
    print(f"  ratio {medians['kept'] / medians['not kept']:.2f}")


def measure(folder: Path, keeps: str, media: Path, given: argparse.Namespace) -> float:
    """Let publishers push; return the origin's CPU per stream, in per cent of a core."""
    with origin(folder, keeps) as (pid, port, control):
        load = subprocess.Popen(
            [
                *("taskset", "-c", LOAD_CORE, sys.executable, "-m", "origin", "bench", "ingest"),
                *(f"rtmp://127.0.0.1:{port}/live/cam{{n}}", "--flv", str(media), "--json"),
                *("-n", str(given.publishers), "--seconds", str(given.seconds + 15)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_for_playlist(f"http://127.0.0.1:{control}/cam1/index.m3u8")
        busy = sample(pid, given.seconds)
        report = IngestReport.model_validate_json(load.communicate(timeout=90)[0])
    if not report.is_flawless:
        raise SystemExit(f"publishers failed, so nothing was measured: {report}")
    return float(busy.cpu_percent / given.publishers)


@contextmanager
def origin(folder: Path, keeps: str) -> Iterator[tuple[int, int, int]]:
    """Run the origin without an edge; give its pid, its RTMP and its control port."""
    folder.mkdir(exist_ok=True)
    rtmp, http, control = free_ports(3)
    command = [
        *("taskset", "-c", SERVER_CORE, sys.executable, "-m", "origin", "serve", "--open"),
        *("--data-dir", str(folder), "--edge-workers", "0", "--keep-over-restarts", keeps),
        *("--rtmp-port", str(rtmp), "--http-port", str(http), "--control-port", str(control)),
    ]
    with running(command, rtmp) as pid:
        yield pid, rtmp, control


if __name__ == "__main__":
    main()
