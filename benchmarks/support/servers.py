"""Servers under measurement: started, waited for, and gone at the end."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.servers import free_ports

SERVER_CORE, LOAD_CORE = "0", "1"
"""Who is measured has a core of its own, as `taskset -c` names it."""

PINNED = ("taskset", "-c", SERVER_CORE)


class Tidecast(NamedTuple):
    """`tidecast serve` under measurement: its supervisor's pid, and its ports on loopback."""

    pid: int
    rtmp: int
    control: int


@contextmanager
def tidecast_serve(data: Path, *flags: str, pinned: bool = True) -> Iterator[Tidecast]:
    """Run `tidecast serve`, open to any name; with an edge, unless ``flags`` say otherwise."""
    rtmp, http, control = free_ports(3)
    command = [
        *(PINNED if pinned else ()),
        *(sys.executable, "-m", "origin", "serve", "--open", "--host", "127.0.0.1"),
        *("--data-dir", str(data), "--rtmp-port", str(rtmp), "--http-port", str(http)),
        *("--control-port", str(control), *flags),
    ]
    with running(command, rtmp) as pid:
        yield Tidecast(pid, rtmp, control)


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """Run a server until it is not needed any more; give its pid once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        time.sleep(2)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            print(f"  it did not end within 15 s: {command}", file=sys.stderr)
            process.kill()
            process.wait()


def wait_for_port(port: int) -> None:
    """Wait up to 20 seconds until somebody listens."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


def wait_for_playlist(url: str) -> None:
    """Wait up to 20 seconds until a stream is live there."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"no playlist at {url}")
