"""What it costs to keep the window over restarts: CPU per stream with and without.

Publishers of 6 Mbit/s (1080p60, GOP of 2 s, AAC) push to an origin that writes its streams to the
data directory, and to one that does not, in turns, rounds in one run; the origin on one core, the
publishers on the other. The directory is on /dev/shm, or where ``--folder`` says.

    python -m benchmarks.keeping [--publishers 20] [--seconds 20] [--rounds 3] [--folder DIR]

Prints lowest, median and highest, and how much dearer a stream is.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.publishers import make_media, publishing
from benchmarks.support.servers import tidecast_serve, wait_for_playlist
from origin.bench.cpu import sample
from tests.support.servers import NO_EDGE

WAYS = {"not kept": "no", "kept": "yes"}


def main() -> None:
    """Measure both, and print them."""
    parser = arguments(__doc__)
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
    flags = (*NO_EDGE, "--keep-over-restarts", keeps)
    with (
        tidecast_serve(folder, *flags) as server,
        publishing(server.rtmp, media, given.publishers, given.seconds + 15),
    ):
        wait_for_playlist(f"http://127.0.0.1:{server.control}/cam1/index.m3u8")
        busy = sample(server.pid, given.seconds)
    return float(busy.cpu_percent / given.publishers)


if __name__ == "__main__":
    main()
