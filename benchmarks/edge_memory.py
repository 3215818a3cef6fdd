"""What 10,000 idle viewers cost the edge, beside nginx: memory of the process tree.

Each viewer connects, asks for a playlist of 1 KB that is in the cache, reads it, and stays. PSS
without and with them; what the process costs without viewers stands beside what they add. nginx
sets room for all its connections aside when it starts (worker_connections), so what it costs with
no viewers is measured with a configuration for few of them.

    python -m benchmarks.edge_memory [--viewers 10000] [--rounds 1] [--json]

Target: at most 2.0 of what nginx adds.
"""

import resource
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.edge_hit import OBJECTS, edge, nginx, serving_origin
from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit
from origin.bench.cpu import sample

SCRIPT = "benchmarks/edge_memory.py"
TARGET = 2.0
REQUEST = b"GET /main/v0/index.m3u8 HTTP/1.1\r\nHost: edge\r\nAccept-Encoding: gzip\r\n\r\n"
SPARE = 64


def main() -> None:
    """Measure both, and print the table."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--viewers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    raise_descriptor_limit(given.viewers + SPARE)
    used: dict[str, list[tuple[float, float]]] = {}
    with serving_origin() as origin, tempfile.TemporaryDirectory() as name:
        for _ in range(given.rounds):
            for server in ("edge", "nginx"):
                before, after = measure(server, origin, Path(name), given.viewers)
                used.setdefault(server, []).append((before, after))
                each = (after - before) * 1024 / given.viewers
                print(f"  {server:<5} {each:.2f} KiB for each viewer", file=sys.stderr)
    emit([judged(used, given.viewers)], as_json=given.json)


def judged(used: dict[str, list[tuple[float, float]]], viewers: int) -> Result:
    """Compare what viewers add; the totals stand beside it."""
    ours, theirs = (
        tuple(statistics.median(column) for column in zip(*used[server], strict=True))
        for server in ("edge", "nginx")
    )
    ratio = (ours[1] - ours[0]) / (theirs[1] - theirs[0])
    return Result(
        f"memory that {viewers:,} idle connections add",
        f"{ours[1] - ours[0]:.1f} MiB (to {ours[0]:.0f} of the process without them)",
        f"nginx {theirs[1] - theirs[0]:.1f} MiB (to {theirs[0]:.0f}; {ratio:.2f} x)",
        f"at most {TARGET} x nginx",
        ratio <= TARGET,
        SCRIPT,
    )


def measure(server: str, origin: str, folder: Path, viewers: int) -> tuple[float, float]:
    """Return MiB without viewers (but having served one) and with them, idle."""
    if server == "edge":
        with edge(origin, folder, None) as (pid, port):
            return memory(pid, port, 0), memory(pid, port, viewers)
    with nginx(origin, folder, None) as (pid, port):
        before = memory(pid, port, 0)
    with nginx(origin, folder, None, viewers + SPARE) as (pid, port):
        return before, memory(pid, port, viewers)


def memory(pid: int, port: int, viewers: int) -> float:
    """Return MiB with so many viewers, and after having served one."""
    attend(port).close()
    connections = [attend(port) for _ in range(viewers)]
    time.sleep(0.5)
    used = sample(pid, 0.1).pss_mib
    for connection in connections:
        connection.close()
    return used


def attend(port: int) -> socket.socket:
    """Connect, ask, read the answer, and stay."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(REQUEST)
    received, size = b"", OBJECTS["/main/v0/index.m3u8"]
    while (end := received.find(b"\r\n\r\n")) < 0 or len(received) < end + 4 + size:
        more = connection.recv(65536)
        if not more:
            raise SystemExit(f"a viewer was sent away: {received[:200]!r}")
        received += more
    return connection


def raise_descriptor_limit(needed: int) -> None:
    """Take as many descriptors as the system lets us have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"{needed} descriptors are needed (ulimit -Hn says {hard})")


if __name__ == "__main__":
    main()
