"""Ten thousand viewers of one live stream, as they go on: low latency, and classic.

A real publisher (500 kbit/s, keyframes every 2 s) pushes to Tidecast's origin. The cache under
measurement and the origin share one core; viewers and publisher have the other. Tidecast's edge,
nginx with its lock and Varnish take turns, three rounds in one run, first with low-latency
viewers (0.5 s parts, blocking reloads), then with classic ones (2 s segments). A dictionary on a
socket (``support.least``) stands beside them: it tells what the machine had to give.

    python -m benchmarks.steady [-n 10000] [--seconds 40] [--rounds 3] [--json]

Takes about 25 minutes: 21 measurements of 40 s, and half a minute around each.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.engines import ENGINES, Engine, Running, least
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import LOAD_CORE, tidecast_serve, wait_for_playlist
from origin.bench.cpu import sample
from origin.bench.target import inspect
from origin.bench.viewers import Audience, ViewersReport, run_viewers
from tests.support.servers import NO_EDGE

SCRIPT = "benchmarks/steady.py"
LATE_MS, OF_NGINX_LATE, OF_NGINX_CPU = 400, 0.3, 1.0
AUDIENCE = 10_000
SOURCES = 4
LEAST = "least"


@dataclass(frozen=True, slots=True)
class Round:
    """One engine under one audience."""

    report: ViewersReport
    cpu_percent: float
    """Of one core: the cache alone, not the origin beside it."""
    origin_requests_per_s: float


Rounds = dict[tuple[str, bool], list[Round]]
"""By engine, and by whether the audience was a low-latency one."""


def main() -> None:
    """Measure all three, and print the results."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("-n", "--number", type=int, default=AUDIENCE)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    rounds: Rounds = {}
    for _ in range(given.rounds):
        for low_latency in (True, False):
            for name in ENGINES:
                done = measure(ENGINES[name], given.number, given.seconds, low_latency)
                rounds.setdefault((name, low_latency), []).append(done)
                tell(name, low_latency, done)
        done = measure(least, given.number, given.seconds, low_latency=True)
        rounds.setdefault((LEAST, True), []).append(done)
        tell(LEAST, True, done)
    found = results(rounds, given.number)
    if given.number != AUDIENCE:  # whose figures stand beside those of this one, not in their place
        found = [replace(each, script=f"{SCRIPT} -n {given.number}") for each in found]
    emit(found, as_json=given.json)


def measure(engine: Engine, number: int, seconds: float, low_latency: bool) -> Round:
    """One audience in front of one engine, with an origin and a publisher of its own."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name_of_folder:
        folder = Path(name_of_folder)
        with (
            live_origin(folder / "data") as origin,
            engine(origin, folder) as cache,
        ):
            url = f"http://127.0.0.1:{cache.port}/main/index.m3u8"
            wait_for_playlist(url)
            audience = Audience(number, seconds, low_latency=low_latency, addresses=SOURCES)
            watcher = Watcher(cache, seconds)
            report = run_viewers(inspect(url), audience, watcher.start)
            return Round(report, *watcher.finish())


class Watcher:
    """Watches the engine while the audience is measured, in a thread of its own."""

    def __init__(self, engine: Running, seconds: float) -> None:
        self._engine = engine
        self._seconds = max(1.0, seconds - 2)
        self._found = (0.0, 0.0)
        self._thread = threading.Thread(target=self._watch)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> tuple[float, float]:
        """CPU in per cent of a core, and origin requests per second."""
        self._thread.join()
        return self._found

    def _watch(self) -> None:
        before = self._engine.origin_requests()
        cpu = sample(self._engine.pid, self._seconds).cpu_percent
        asked = self._engine.origin_requests() - before
        self._found = (cpu, asked / self._seconds)


@contextmanager
def live_origin(data: Path) -> Generator[str]:
    """Run the origin and a publisher; give its control address as ``host:port``."""
    with tidecast_serve(data, *NO_EDGE) as server:
        publisher = subprocess.Popen(publish_command(f"rtmp://127.0.0.1:{server.rtmp}/live/main"))
        try:
            wait_for_playlist(f"http://127.0.0.1:{server.control}/main/index.m3u8")
            yield f"127.0.0.1:{server.control}"
        finally:
            publisher.terminate()
            publisher.wait(timeout=15)


def publish_command(url: str) -> list[str]:
    """FFmpeg on the load's core: a small picture, encoded as cheaply as can be."""
    rate = "-b:v 436k -maxrate 436k -bufsize 436k"
    return (
        "ffmpeg -v error -re -f lavfi -i testsrc2=size=320x180:rate=30,noise=alls=20 "
        f"-re -f lavfi -i sine=sample_rate=48000 -c:v libx264 -preset ultrafast {rate} "
        "-pix_fmt yuv420p -g 60 -keyint_min 60 -sc_threshold 0 -bf 0 -threads 1 "
        f"-c:a aac -b:a 64k -f flv {url}"
    ).split()


def tell(name: str, low_latency: bool, done: Round) -> None:
    """Show a round on standard error, as it ends."""
    report = done.report
    times = report.late_ms.part if low_latency else report.media_ms
    print(
        f"  {name:<9} {'low latency' if low_latency else 'classic':<11} "
        f"p50 {times.p50:.0f} p99 {times.p99:.0f} max {times.max:.0f} ms, "
        f"stalls {report.stalls.count} of {report.stalls.viewers} viewers, "
        f"{report.requests_per_s:.0f} requests/s, {report.gbit_per_s:.2f} Gbit/s, "
        f"cpu {done.cpu_percent:.0f} %, origin {done.origin_requests_per_s:.1f}/s, "
        f"load {report.load.cpu_percent:.0f} %, errors {report.errors}",
        file=sys.stderr,
    )


def results(rounds: Rounds, number: int) -> list[Result]:
    """Judge the medians by the targets; stalls and errors of all rounds count."""
    found = [
        *low_latency_results(rounds, number),
        floor_result(rounds, number),
        *classic_results(rounds, number),
    ]
    asked = {
        name: statistics.median(each.origin_requests_per_s for each in rounds[name, True])
        for name in ENGINES
    }
    peers = ", ".join(f"{name} {asked[name]:.1f}/s" for name in ("nginx", "varnish"))
    name = f"{number:,} low-latency viewers: requests to the origin"
    found.append(Result(name, f"{asked['tidecast']:.1f}/s", peers, "", None, SCRIPT))
    return found


def low_latency_results(rounds: Rounds, number: int) -> list[Result]:
    """How late parts are, and who stalled."""
    late = {
        name: statistics.median(each.report.late_ms.part.p99 for each in rounds[name, True])
        for name in ENGINES
    }
    stalls = count_stalls(rounds, low_latency=True)
    ours, lock = late["tidecast"], late["nginx"]
    met = ours <= LATE_MS and ours <= OF_NGINX_LATE * lock
    who = f"{number:,} low-latency viewers, 0.5 s parts, 500 kbit/s"
    peers = f"nginx {lock:.0f} ms ({ours / lock:.2f} x), Varnish {late['varnish']:.0f} ms"
    target = f"at most {LATE_MS} ms, {OF_NGINX_LATE} x nginx"
    return [
        Result(f"{who}: part complete, p99", f"{ours:.0f} ms", peers, target, met, SCRIPT),
        stall_result(who, stalls),
    ]


def floor_result(rounds: Rounds, number: int) -> Result:
    """Show what the machine had to give: the same audience before a dictionary on a socket."""
    done = rounds[LEAST, True]
    late = statistics.median(each.report.late_ms.part.p99 for each in done)
    cpu = statistics.median(each.cpu_percent for each in done)
    stalls = sum(each.report.stalls.count for each in done)
    ours = statistics.median(each.cpu_percent for each in rounds["tidecast", True])
    return Result(
        f"{number:,} low-latency viewers: CPU of one core",
        f"{ours:.0f} %",
        f"the least that Python can do on this machine (`support/least.py`): {cpu:.0f} %, "
        f"p99 {late:.0f} ms, {stalls} stalls",
        "",
        None,
        SCRIPT,
    )


def classic_results(rounds: Rounds, number: int) -> list[Result]:
    """What classic viewers cost, and who stalled."""
    cpu = {
        name: statistics.median(each.cpu_percent for each in rounds[name, False])
        for name in ENGINES
    }
    ours, theirs = cpu["tidecast"], max(cpu["nginx"], 0.1)
    who = f"{number:,} classic viewers, 2 s segments, 500 kbit/s"
    peers = f"nginx {theirs:.0f} % ({ours / theirs:.2f} x), Varnish {cpu['varnish']:.0f} %"
    target, met = f"at most {OF_NGINX_CPU} x nginx", ours <= OF_NGINX_CPU * theirs
    return [
        Result(f"{who}: CPU of one core", f"{ours:.0f} %", peers, target, met, SCRIPT),
        stall_result(who, count_stalls(rounds, low_latency=False)),
    ]


def count_stalls(rounds: Rounds, *, low_latency: bool) -> dict[str, int]:
    """Add up the stalls of all rounds, by engine."""
    return {
        name: sum(each.report.stalls.count for each in rounds[name, low_latency])
        for name in ENGINES
    }


def stall_result(who: str, stalls: dict[str, int]) -> Result:
    """None is the only number that is good enough."""
    peers = f"nginx {stalls['nginx']}, Varnish {stalls['varnish']}"
    ours = stalls["tidecast"]
    return Result(f"{who}: stalls", str(ours), peers, "0", ours == 0, SCRIPT)


if __name__ == "__main__":
    main()
