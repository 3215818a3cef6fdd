"""What taking a stream in costs, beside nginx with libnginx-mod-rtmp: CPU per stream, and memory.

1, 20 and 100 publishers of 6 Mbit/s (1080p60, GOP of 2 s, AAC) push to each server in turns, some
rounds in one run, the server on one core and the publishers on the other. Both servers package HLS
with segments of two seconds; nginx writes them to memory (/dev/shm), Tidecast holds them there and
writes them behind to the same place. What nginx has written counts as its memory.

    python -m benchmarks.ingest [--publishers 1 20 100] [--seconds 20] [--rounds 3] [--json]

Prints a table and the ratios of the medians. Target: at most 0.6 of nginx's CPU at 20 publishers.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.support.arguments import arguments
from benchmarks.support.publishers import make_media, publishing
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import PINNED, running, tidecast_serve
from origin.bench.cpu import Sample, sample
from tests.support.servers import NO_EDGE, free_ports

TARGET, TARGET_AT = 0.6, 20
MIB = 1 << 20
SCRIPT = "benchmarks/ingest.py"
SETTLING_S = 32.0
"""Until both servers' windows are full: before that neither takes memory that it has had already,
and the system clears every page. Sooner, Tidecast seemed dearer, and both seemed smaller."""
STARTING_LOOKS, IDLE_PERCENT = 10, 3.0
ONE_COMES_IN_S = 0.06
LONE_PUBLISHER_SECONDS = 3
"""Times as long: the system counts CPU in hundredths of a second, and one stream takes few."""
NGINX = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
worker_processes 1; daemon off; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 1024; }}
rtmp {{
  server {{
    listen 127.0.0.1:{port}; chunk_size 60000;
    application live {{
      live on; hls on; hls_path {folder}/hls; hls_fragment 2s; hls_playlist_length 12s;
    }}
  }}
}}
"""


class Used(NamedTuple):
    """What a server used for its publishers."""

    cpu_percent: float
    memory_mib: float


def main() -> None:
    """Measure both, and print what was found."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--publishers", type=int, nargs="+", default=[1, 20, 100])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.exists() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        media = make_media(folder / "1080p60.flv")
        for publishers in given.publishers:
            seconds = given.seconds * (LONE_PUBLISHER_SECONDS if publishers == 1 else 1)
            found = compare(folder, media, publishers, seconds, given.rounds)
            emit(results(publishers, *found), as_json=given.json)


def compare(
    folder: Path, media: Path, publishers: int, seconds: float, rounds: int
) -> tuple[list[Used], list[Used]]:
    """Measure Tidecast and nginx in turns."""
    ours, theirs = list[Used](), list[Used]()
    for _ in range(rounds):
        for start, into in ((tidecast, ours), (nginx, theirs)):
            with tempfile.TemporaryDirectory(dir=folder) as name, start(Path(name)) as (pid, port):
                into.append(measure(pid, port, media, publishers, seconds, Path(name)))
    return ours, theirs


def results(publishers: int, ours: list[Used], theirs: list[Used]) -> Iterator[Result]:
    """Put the medians side by side: CPU per stream, and where there are 20, memory."""
    cpu, other_cpu = ([used.cpu_percent / publishers for used in each] for each in (ours, theirs))
    ratio = statistics.median(cpu) / statistics.median(other_cpu)
    is_judged = publishers == TARGET_AT
    yield Result(
        name=f"CPU per stream of 6 Mbit/s, {publishers} publishing",
        value=f"{_spread(cpu)} % of a core",
        peers=f"nginx-rtmp {_spread(other_cpu)} % ({ratio:.2f} x)",
        target=f"at most {TARGET} x nginx-rtmp" if is_judged else "",
        met=ratio <= TARGET if is_judged else None,
        script=SCRIPT,
    )
    if not is_judged:
        return
    memory, other_memory = (
        statistics.median(used.memory_mib for used in each) for each in (ours, theirs)
    )
    yield Result(
        name=f"memory with {publishers} publishing, window of 24 s and 12 s",
        value=f"{memory:.0f} MiB",
        peers=f"nginx-rtmp {other_memory:.0f} MiB with its files ({memory / other_memory:.2f} x)",
        target="",
        met=None,
        script=SCRIPT,
    )


def _spread(values: list[float]) -> str:
    """The lowest, the median, the highest."""
    each = sorted(values)
    return f"{each[0]:.3f} / {statistics.median(each):.3f} / {each[-1]:.3f}"


def measure(
    pid: int, port: int, media: Path, publishers: int, seconds: float, folder: Path
) -> Used:
    """Sample the server with and without ``publishers``; return what they cost."""
    idle = settled(pid)
    coming_in = SETTLING_S + publishers * ONE_COMES_IN_S
    with publishing(port, media, publishers, coming_in + seconds + 2):
        time.sleep(coming_in)
        busy = sample(pid, seconds)
        files = sum(file.stat().st_size for file in (folder / "hls").glob("*")) / MIB
    return Used(busy.cpu_percent - idle.cpu_percent, busy.pss_mib + files)


def settled(pid: int) -> Sample:
    """Wait until a server has done with starting, and sample it idle."""
    idle = sample(pid, 3)
    for _ in range(STARTING_LOOKS):
        if idle.cpu_percent < IDLE_PERCENT:
            return idle
        idle = sample(pid, 3)
    raise SystemExit(f"a server without publishers takes {idle.cpu_percent:.0f} % of a core")


@contextmanager
def tidecast(folder: Path) -> Generator[tuple[int, int]]:
    """Run the origin without an edge; give its pid and RTMP port."""
    with tidecast_serve(folder / "data", *NO_EDGE) as server:
        yield server.pid, server.rtmp


@contextmanager
def nginx(folder: Path) -> Generator[tuple[int, int]]:
    """Run nginx with its RTMP module and HLS; give its pid and RTMP port."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    (port,) = free_ports(1)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port))
    (folder / "hls").mkdir(exist_ok=True)
    os.chmod(folder, 0o777)
    os.chmod(folder / "hls", 0o777)
    command = [*PINNED, binary, "-c", str(configuration)]
    with running(command, port) as pid:
        yield pid, port


if __name__ == "__main__":
    main()
