"""What a cached answer costs the edge, beside nginx's proxy_cache: CPU per request.

One origin, and in front of it in turns, on one core, one worker of the edge and one of nginx; on
the other core wrk asks over 100 kept connections for a playlist of 1 KB and a segment of 160 KB,
which both have in their caches. Two rounds in one run, CPU time from /proc.

    python -m benchmarks.edge_hit [--seconds 1] [--rounds 2]

Prints a table and the ratios. Target: at most 1.0 of nginx's CPU.
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.support.cpu import sample
from benchmarks.support.servers import LOAD_CORE, SERVER_CORE, running
from tests.support.servers import free_ports

TARGET = 1.0
CONNECTIONS = 100
OBJECTS = {"/main/v0/index.m3u8": 1_024, "/main/v0/ab-1.m4s": 160 * 1024}
NGINX = """
worker_processes 1; daemon off; error_log {folder}/error.log; pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp; uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  proxy_cache_path {folder}/cache keys_zone=hls:10m use_temp_path=off;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass {origin}; proxy_http_version 1.1; proxy_cache hls; proxy_cache_key $uri;
      proxy_cache_lock on;
    }}
  }}
}}
"""


class Origin(BaseHTTPRequestHandler):
    """Everything may be kept for an hour."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"x" * OBJECTS[self.path]
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=3600")
        self.send_header("ETag", f'"{len(body)}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Measure both, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed (Debian: apt-get install wrk)")
    results: dict[tuple[str, str], list[float]] = {}
    with serving_origin() as origin, tempfile.TemporaryDirectory() as name:
        for _ in range(given.rounds):
            for server, start in (("edge", edge), ("nginx", nginx)):
                with start(origin, Path(name)) as (pid, port):
                    for path in OBJECTS:
                        cost = cpu_per_request(pid, port, path, given.seconds)
                        results.setdefault((path, server), []).append(cost)
    report(results)


def report(results: dict[tuple[str, str], list[float]]) -> None:
    """Print CPU per request (lowest, median, highest), and the ratios of the medians."""
    print(f"a cached answer over {CONNECTIONS} connections; CPU of the server per request")
    for path, size in OBJECTS.items():
        medians = dict[str, float]()
        for server in ("edge", "nginx"):
            each = sorted(results[path, server])
            medians[server] = statistics.median(each)
            costs = f"{each[0]:.1f} / {medians[server]:.1f} / {each[-1]:.1f} us"
            print(f"  {size / 1024:5.0f} KB  {server:<6} {costs}")
        ratio = medians["edge"] / medians["nginx"]
        print(f"  {size / 1024:5.0f} KB  ratio  {ratio:.2f} (target: at most {TARGET})")


def cpu_per_request(pid: int, port: int, path: str, seconds: int) -> float:
    """Return the microseconds of CPU that the server spends on one request."""
    url = f"http://127.0.0.1:{port}{path}"
    with urllib.request.urlopen(url, timeout=5) as answer:  # from here on it is in the cache
        answer.read()
    load = subprocess.Popen(
        [
            *("taskset", "-c", LOAD_CORE, "wrk", "-t", "1", "-c", str(CONNECTIONS)),
            *("-d", str(seconds + 1), url),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    used = sample(pid, seconds)
    said = load.communicate(timeout=60)[0]
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"wrk could not measure {url}:\n{said}")
    return used.cpu_percent / 100 / float(rate[1]) * 1e6


@contextmanager
def serving_origin() -> Iterator[str]:
    """Run the origin, in a thread: it has next to nothing to do."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def edge(origin: str, _folder: Path) -> Iterator[tuple[int, int]]:
    """Run the edge with one worker; give its pid and port."""
    (port,) = free_ports(1)
    command = [
        *("taskset", "-c", SERVER_CORE, sys.executable, "-m", "cdn", "--origin", origin),
        *("--host", "127.0.0.1", "--http-port", str(port)),
    ]
    with running(command, port) as pid:
        yield pid, port


@contextmanager
def nginx(origin: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run nginx with one worker and a cache; give its pid and port."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    (port,) = free_ports(1)
    folder.chmod(0o777)  # nginx's worker is another user
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=port, origin=origin))
    command = ["taskset", "-c", SERVER_CORE, binary, "-c", str(configuration)]
    with running(command, port) as pid:
        yield pid, port


if __name__ == "__main__":
    main()
