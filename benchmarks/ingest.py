"""What taking a stream in costs, beside nginx with libnginx-mod-rtmp: CPU per stream.

Twenty publishers of 6 Mbit/s (1080p60, GOP of 2 s, AAC) push to each server in turns, three rounds
in one run, the server on one core and the publishers on the other. Both servers package HLS with
segments of two seconds; nginx writes them to memory (/dev/shm), Tidecast holds them there.

    python -m benchmarks.ingest [--publishers 20] [--seconds 20] [--rounds 3]

Prints a table and the ratio of the medians. Target: at most 0.6 of nginx's CPU.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.support.cpu import Sample, sample
from benchmarks.support.servers import LOAD_CORE, SERVER_CORE, running
from origin.bench.ingest import IngestReport
from tests.support.servers import free_ports

TARGET = 0.6
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


def main() -> None:
    """Measure both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publishers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.exists() else None) as name:
        folder = Path(name)
        media = make_media(folder / "1080p60.flv")
        results: dict[str, list[Sample]] = {"tidecast": [], "nginx-rtmp": []}
        for _ in range(given.rounds):
            for server, start in (("tidecast", tidecast), ("nginx-rtmp", nginx)):
                with start(folder) as (pid, port):
                    taken = measure(pid, port, media, given.publishers, given.seconds)
                results[server].append(taken)
    report(results, given.publishers)


def report(results: dict[str, list[Sample]], publishers: int) -> None:
    """Print CPU per stream (lowest, median, highest) and memory, and the ratio."""
    print(f"{publishers} publishers of 6 Mbit/s, HLS on; CPU of one core per stream")
    medians = dict[str, float]()
    for server, samples in results.items():
        each = sorted(entry.cpu_percent / publishers for entry in samples)
        medians[server] = statistics.median(each)
        memory = statistics.median(entry.pss_mib for entry in samples)
        print(
            f"  {server:<11} {each[0]:.3f} / {medians[server]:.3f} / {each[-1]:.3f} %"
            f"   {memory:.0f} MiB"
        )
    ratio = medians["tidecast"] / medians["nginx-rtmp"]
    print(f"  ratio {ratio:.2f} (target: at most {TARGET})")


def measure(pid: int, port: int, media: Path, publishers: int, seconds: float) -> Sample:
    """Sample the server with and without ``publishers``; return the difference."""
    idle = sample(pid, 3)
    load = subprocess.Popen(
        [
            *("taskset", "-c", LOAD_CORE, sys.executable, "-m", "origin", "bench", "ingest"),
            *(f"rtmp://127.0.0.1:{port}/live/cam{{n}}", "--flv", str(media), "--json"),
            *("-n", str(publishers), "--seconds", str(seconds + 8)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(6)
    busy = sample(pid, seconds)
    report = IngestReport.model_validate_json(load.communicate(timeout=60)[0])
    if not report.is_flawless:
        raise SystemExit(f"publishers failed, so nothing was measured: {report}")
    return Sample(busy.cpu_percent - idle.cpu_percent, busy.pss_mib)


@contextmanager
def tidecast(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the origin without an edge; give its pid and RTMP port."""
    rtmp, http, control = free_ports(3)
    command = [
        *("taskset", "-c", SERVER_CORE, sys.executable, "-m", "origin", "serve", "--open"),
        *("--data-dir", str(folder / "data"), "--edge-workers", "0"),
        *("--rtmp-port", str(rtmp), "--http-port", str(http), "--control-port", str(control)),
    ]
    with running(command, rtmp) as pid:
        yield pid, rtmp


@contextmanager
def nginx(folder: Path) -> Iterator[tuple[int, int]]:
    """Run nginx with its RTMP module and HLS; give its pid and RTMP port."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    (port,) = free_ports(1)
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port))
    (folder / "hls").mkdir(exist_ok=True)
    os.chmod(folder, 0o777)
    os.chmod(folder / "hls", 0o777)
    command = ["taskset", "-c", SERVER_CORE, binary, "-c", str(configuration)]
    with running(command, port) as pid:
        yield pid, port


def make_media(path: Path) -> Path:
    """Ten seconds of 1080p60 at 6 Mbit/s with audio, as FLV."""
    video = "-c:v libx264 -preset ultrafast -b:v 5872k -maxrate 5872k -bufsize 5872k"
    gop = "-g 120 -keyint_min 120 -sc_threshold 0 -bf 2 -pix_fmt yuv420p"
    command = (
        "ffmpeg -v error -y -f lavfi -i testsrc2=size=1920x1080:rate=60 "
        "-f lavfi -i sine=frequency=440:sample_rate=48000 -t 10 -vf noise=alls=12:allf=t "
        f"{video} {gop} -c:a aac -b:a 128k -ac 2 {path}"
    )
    subprocess.run(command.split(), check=True)
    return path


if __name__ == "__main__":
    main()
