"""The caches that are compared, each as good as it gets: Tidecast's edge, nginx, Varnish.

What their settings are for, since a comparison with a badly set-up peer is worth nothing:

- nginx keys by path and delivery directives only, keeps its cache in memory with its files held
  open, and asks once for many (``proxy_cache_lock``; for what has expired
  ``proxy_cache_use_stale updating`` with ``proxy_cache_background_update``, since the lock does not
  cover that). Its lock looks every 500 ms (nginx/nginx#1189): no setting changes that.
- Varnish streams, keeps objects in memory, has its threads started beforehand and a long queue of
  connections; playlists get a short grace. Its waiters are woken as its designers had it.
- All three follow the origin's Cache-Control; one worker each, pinned to one core.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support.servers import PINNED, running
from tests.support.servers import free_ports

NGINX = """
worker_processes 1; daemon off; error_log {folder}/error.log crit; pid {folder}/pid;
worker_rlimit_nofile 19000;
events {{ worker_connections 18000; }}
http {{
  sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 75s;
  open_file_cache max=10000 inactive=60s; open_file_cache_valid 60s; open_file_cache_min_uses 1;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp; uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  proxy_cache_path {folder}/cache keys_zone=hls:10m use_temp_path=off;
  map $args $msn  {{ default ""; "~(?:^|&)(_HLS_msn=[0-9]+)"  $1; }}
  map $args $part {{ default ""; "~(?:^|&)(_HLS_part=[0-9]+)" "&$1"; }}
  map $upstream_addr $was_asked {{ default 1; "" 0; }}
  log_format asked "$uri?$msn$part";
  access_log {folder}/asked.log asked if=$was_asked;
  upstream origin {{ server {origin}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin$uri?$msn$part; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Accept-Encoding "";
      proxy_read_timeout 15s;
      proxy_cache hls; proxy_cache_key $uri?$msn$part;
      proxy_cache_lock on; proxy_cache_lock_timeout 15s; proxy_cache_lock_age 15s;
      proxy_cache_use_stale updating error timeout http_500 http_502 http_503 http_504;
      proxy_cache_background_update on; proxy_cache_valid 404 1s; proxy_ignore_headers Vary;
    }}
  }}
}}
"""
VARNISH = """
vcl 4.1;
import std;
backend origin {{ .host = "{host}"; .port = "{port}"; .first_byte_timeout = 15s; }}
sub vcl_recv {{
  set req.http.X-Msn = regsub(req.url, "^[^?]*(?:\\?(?:.*&)?(_HLS_msn=[0-9]+).*)?.*$", "\\1");
  set req.http.X-Part = regsub(req.url, "^[^?]*(?:\\?(?:.*&)?(_HLS_part=[0-9]+).*)?.*$", "\\1");
  set req.url = regsub(req.url, "\\?.*$", "");
  if (req.http.X-Msn) {{ set req.url = req.url + "?" + req.http.X-Msn; }}
  if (req.http.X-Part) {{ set req.url = req.url + "&" + req.http.X-Part; }}
  unset req.http.X-Msn; unset req.http.X-Part;
  unset req.http.Cookie; unset req.http.Accept-Encoding;
  return (hash);
}}
sub vcl_backend_response {{
  set beresp.do_stream = true;
  unset beresp.http.Vary;
  if (bereq.url ~ "\\.m3u8") {{ set beresp.grace = 1s; }}
  if (beresp.status == 404) {{ set beresp.ttl = 0.5s; }}
  if (beresp.uncacheable) {{ set beresp.ttl = 1s; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A cache that is being measured."""

    pid: int
    port: int
    origin_requests: Callable[[], int]
    """How often it has asked the origin so far, by its own count."""


Engine = Callable[[str, Path], AbstractContextManager[Running]]
"""Given the origin's ``host:port`` and an empty folder."""


@contextmanager
def tidecast(origin: str, folder: Path) -> Generator[Running]:
    """Run the edge with one worker."""
    port, metrics = free_ports(2)
    command = [
        *(*PINNED, sys.executable, "-m", "cdn", "--origin", f"http://{origin}"),
        *("--host", "127.0.0.1", "--http-port", str(port), "--metrics-port", str(metrics)),
    ]
    with running(command, port) as pid:
        yield Running(pid, port, lambda: _edge_fetches(metrics))


@contextmanager
def nginx(origin: str, folder: Path) -> Generator[Running]:
    """Run nginx with one worker; its worker is another user, who needs the folder, too."""
    (port,) = free_ports(1)
    folder.chmod(0o777)
    configuration, asked = folder / "nginx.conf", folder / "asked.log"
    asked.unlink(missing_ok=True)
    configuration.write_text(NGINX.format(folder=folder, port=port, origin=origin))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([*PINNED, binary, "-c", str(configuration)], port) as pid:
        yield Running(pid, port, lambda: len(asked.read_text().splitlines()))


@contextmanager
def varnish(origin: str, folder: Path) -> Generator[Running]:
    """Run Varnish with its threads started."""
    (port,) = free_ports(1)
    host, _, origin_port = origin.rpartition(":")
    vcl = folder / "edge.vcl"
    vcl.write_text(VARNISH.format(host=host, port=origin_port))
    name = folder / "varnish"
    binary = shutil.which("varnishd") or "/usr/sbin/varnishd"
    command = [
        *(*PINNED, binary, "-F", "-j", "none", "-n", str(name), "-f", str(vcl)),
        *("-a", f"127.0.0.1:{port}", "-s", "malloc,512m", "-p", "listen_depth=4096"),
        *("-p", "thread_pools=1", "-p", "thread_pool_min=200", "-p", "timeout_idle=75"),
    ]
    with running(command, port) as pid:
        yield Running(pid, port, lambda: _varnish_fetches(name))


@contextmanager
def least(origin: str, _folder: Path) -> Generator[Running]:
    """Run the least that could be called an edge: no peer, but a measure of the machine."""
    (port,) = free_ports(1)
    command = [
        *(*PINNED, sys.executable, "-m", "benchmarks.support.least"),
        *(f"http://{origin}", str(port)),
    ]
    with running(command, port) as pid:
        yield Running(pid, port, lambda: 0)


ENGINES: dict[str, Engine] = {"tidecast": tidecast, "nginx": nginx, "varnish": varnish}


def _edge_fetches(metrics_port: int) -> int:
    return int(metric_sum(metrics_port, "tidecast_edge_origin_fetch_seconds_count"))


def metric_sum(port: int, name: str) -> float:
    """Add up all samples of a metric, whatever their labels."""
    url = f"http://127.0.0.1:{port}/metrics"
    said = subprocess.run(["curl", "-sf", url], capture_output=True, text=True, check=True).stdout
    rows = [line for line in said.splitlines() if line.split("{")[0].split(" ")[0] == name]
    return sum(float(line.rsplit(" ", 1)[1]) for line in rows)


def _varnish_fetches(name: Path) -> int:
    command = ["varnishstat", "-n", str(name), "-1", "-f", "MAIN.backend_req"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(said.split()[1])
