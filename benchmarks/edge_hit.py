"""What a cached answer costs the edge, beside nginx's proxy_cache: CPU per request.

One origin, and in front of it in turns, on one core, one worker of the edge and one of nginx; on
the other core wrk asks over 100 kept connections for a playlist of 1 KB and a segment of 160 KB,
which both have in their caches. Once in the clear and once over TLS 1.3, several rounds in one run,
CPU time from /proc.

    python -m benchmarks.edge_hit [--seconds 2] [--rounds 3] [--json]

Prints lowest, middle and highest of the rounds, and the ratio of the middles. Targets: at most 1.0
of nginx's CPU in the clear, 1.3 over TLS.
"""

import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import LOAD_CORE, PINNED, running
from origin.bench.cpu import sample
from tests.support.certificates import Pair, self_signed
from tests.support.servers import free_ports

SCRIPT = "benchmarks/edge_hit.py"
TARGETS = {"http": 1.0, "https": 1.3}
CONNECTIONS = 100
OBJECTS = {"/main/v0/index.m3u8": 1_024, "/main/v0/ab-1.m4s": 160 * 1024}
NGINX = """
worker_processes 1; daemon off; error_log {folder}/error.log; pid {folder}/pid;
worker_rlimit_nofile 20000;
events {{ worker_connections {connections}; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp; uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  proxy_cache_path {folder}/cache keys_zone=hls:10m use_temp_path=off;
  server {{
    listen 127.0.0.1:{port} {ssl} backlog=4096;
    {certificate}
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
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed (Debian: apt-get install wrk)")
    results: dict[tuple[str, str, str], list[float]] = {}
    with serving_origin() as origin, tempfile.TemporaryDirectory() as name:
        pair = self_signed(Path(name), "edge")
        for _ in range(given.rounds):
            for scheme, server in product(TARGETS, SERVERS):
                certificate = pair if scheme == "https" else None
                with SERVERS[server](origin, Path(name), certificate) as (pid, port):
                    for path in OBJECTS:
                        url = f"{scheme}://127.0.0.1:{port}{path}"
                        cost = cpu_per_request(pid, url, given.seconds)
                        results.setdefault((scheme, path, server), []).append(cost)
    emit(judged(results), as_json=given.json)


def judged(results: dict[tuple[str, str, str], list[float]]) -> list[Result]:
    """Say what each kind of hit costs, and compare the middles of the rounds."""
    found: list[Result] = []
    for (scheme, target), (path, size) in product(TARGETS.items(), OBJECTS.items()):
        ours, theirs = sorted(results[scheme, path, "edge"]), sorted(results[scheme, path, "nginx"])
        ratio = statistics.median(ours) / statistics.median(theirs)
        found.append(
            Result(
                f"CPU of a hit, {size // 1024} KB, {scheme}",
                spread(ours),
                f"nginx {spread(theirs)} ({ratio:.2f} x)",
                f"at most {target} x nginx",
                ratio <= target,
                SCRIPT,
            )
        )
    return found


def spread(costs: list[float]) -> str:
    """Lowest, middle and highest."""
    return f"{costs[0]:.0f} / {statistics.median(costs):.0f} / {costs[-1]:.0f} µs"


def cpu_per_request(pid: int, url: str, seconds: int) -> float:
    """Return microseconds of the server's CPU for each request."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # it is our own, on loopback
    with urllib.request.urlopen(url, context=trust) as answer:
        answer.read()
    load = subprocess.Popen(
        [*("taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds + 2}s"), url],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)  # connections are made, handshakes are over
    used = sample(pid, seconds)
    said, _ = load.communicate()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None or "Non-2xx" in said:
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
def edge(origin: str, _folder: Path, pair: Pair | None) -> Iterator[tuple[int, int]]:
    """Run the edge with one worker; give its pid and port."""
    (port,) = free_ports(1)
    tls = {}
    if pair is not None:
        tls = {
            "TIDECAST_EDGE__LISTEN__TLS_CERTIFICATE": str(pair.certificate),
            "TIDECAST_EDGE__LISTEN__TLS_KEY": str(pair.key),
        }
    command = [
        *("env", *(f"{name}={value}" for name, value in tls.items())),
        *(*PINNED, sys.executable, "-m", "cdn", "--origin", origin),
        *("--host", "127.0.0.1", "--http-port", str(port)),
    ]
    with running(command, port) as pid:
        yield pid, port


@contextmanager
def nginx(
    origin: str, folder: Path, pair: Pair | None, connections: int = 512
) -> Iterator[tuple[int, int]]:
    """Run nginx with one worker and a cache; give its pid and port."""
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    (port,) = free_ports(1)
    folder.chmod(0o777)  # nginx's worker is another user
    configuration = folder / "nginx.conf"
    certificate = ""
    if pair is not None:
        certificate = f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};"
    text = NGINX.format(
        folder=folder,
        port=port,
        origin=origin,
        connections=connections,
        ssl="ssl" if pair else "",
        certificate=certificate,
    )
    configuration.write_text(text)
    command = [*PINNED, binary, "-c", str(configuration)]
    with running(command, port) as pid:
        yield pid, port


Server = Callable[[str, Path, Pair | None], AbstractContextManager[tuple[int, int]]]
SERVERS: dict[str, Server] = {"edge": edge, "nginx": nginx}


if __name__ == "__main__":
    main()
