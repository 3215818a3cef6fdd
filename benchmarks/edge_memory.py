"""What 10,000 idle viewers cost the edge, beside nginx: memory of the process tree.

Each viewer connects, asks for a playlist of 1 KB that is in the cache, reads it, and stays. PSS
without and with them; what the process costs without viewers stands beside what they add. nginx
sets room for all its connections aside when it starts (worker_connections), so what it costs with
no viewers is measured with a configuration for few of them.

    python -m benchmarks.edge_memory [--viewers 10000] [--rounds 1]

Target: at most 2.0 of what nginx adds.
"""

import argparse
import resource
import socket
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.edge_hit import OBJECTS, edge, nginx, serving_origin
from benchmarks.support.cpu import sample

TARGET = 2.0
REQUEST = b"GET /main/v0/index.m3u8 HTTP/1.1\r\nHost: edge\r\nAccept-Encoding: gzip\r\n\r\n"
SPARE = 64


def main() -> None:
    """Measure both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    raise_descriptor_limit(given.viewers + SPARE)
    added: dict[str, list[float]] = {}
    with serving_origin() as origin, tempfile.TemporaryDirectory() as name:
        for _ in range(given.rounds):
            for server in ("edge", "nginx"):
                before, after = measure(server, origin, Path(name), given.viewers)
                added.setdefault(server, []).append(after - before)
                each = (after - before) * 1024 / given.viewers
                print(
                    f"{server:<5} {before:6.1f} MiB without viewers, {after:6.1f} with "
                    f"{given.viewers}: {after - before:.1f} more, {each:.2f} KiB each"
                )
    ratio = statistics.median(added["edge"]) / statistics.median(added["nginx"])
    print(f"ratio of what viewers add: {ratio:.2f} (target: at most {TARGET})")


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
