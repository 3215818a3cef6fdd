"""What a start of ``tidecast serve`` would find here; looking changes nothing.

Ports are bound for a moment and let go, as a start does before it says anything. A Tidecast that
runs here already has them, and is recognised by what its control port says: then they are in good
hands.
"""

import ctypes
import json
import os
import resource
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

from origin.auth.keyfile import parse_keys
from origin.config.addresses import LOOPBACK, is_unspecified
from origin.config.settings import Settings
from origin.doctor.findings import Finding, problem, warning, well
from origin.errors import SettingsError
from origin.service.publishing import KEY_FILE
from origin.service.sockets import check_free

ASK_WITHIN_S = 2.0
SPARE_DESCRIPTORS = 512
"""Beside a publisher's or player's each: files, edges, and what Python itself has open."""
SPARE_BYTES = 1 << 30
"""Some twenty streams of 6 Mbit/s keep their last 50 s in that."""
UNSYNCHRONISED = 5  # TIME_ERROR, adjtimex(2)
TIMEX_BYTES = 512  # struct timex has 208


def check_all(settings: Settings) -> Iterator[Finding]:
    """Look at everything, in the order in which a start would come to it."""
    yield from check_directory(settings.data_dir)
    yield from check_keys(settings.data_dir / KEY_FILE, is_open=settings.rtmp.open)
    yield from check_ports(settings)
    yield check_descriptors(settings.limits.connections, resource.getrlimit(resource.RLIMIT_NOFILE))
    yield check_clock(clock_state())


def check_directory(directory: Path) -> Iterator[Finding]:
    """Whether what lasts can be kept, and whether there is room."""
    there = directory
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield problem(f"{directory} cannot be written: choose another place with --data-dir")
        return
    free = shutil.disk_usage(there).free
    if free < SPARE_BYTES:
        yield warning(
            f"{directory} has {free >> 20} MiB left: a stream keeps 40 MB at 6 Mbit/s for a restart"
        )
    else:
        yield well(f"{directory} can be written, {free >> 30} GiB are free")


def check_keys(file: Path, *, is_open: bool) -> Iterator[Finding]:
    """Whether the keys can be read, and by nobody else."""
    if is_open or not file.exists():
        yield well("no key is needed" if is_open else f"{file} is made, with a key, by the start")
        return
    try:
        keys = parse_keys(file.read_text(encoding="utf-8"))
    except (SettingsError, OSError, UnicodeDecodeError) as error:
        yield problem(f"{file}: {error}")
        return
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warning(f"{file} can be read by others: chmod 600 {file}")
    streams = len({key.stream for key in keys})
    yield well(f"{file}: keys for {streams} stream{'' if streams == 1 else 's'}")


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Whether all ports are free, or Tidecast's own."""
    if is_running(settings):
        yield well(f"Tidecast is running here already, at port {settings.control.port}")
        return
    server, rtmp, control = settings.server, settings.rtmp, settings.control
    wanted = [
        (server.host, rtmp.port, "RTMP", "--rtmp-port"),
        (control.host, control.port, "the control API", "--control-port"),
    ]
    if server.edge_workers:
        wanted.append((server.host, server.http_port, "the edge", "--http-port"))
    if rtmp.has_tls:
        wanted.append((server.host, rtmp.tls_port, "RTMPS", "--rtmp-tls-port"))
    free: list[str] = []
    for host, port, what, flag in wanted:
        try:
            check_free(host, port, what=what, flag=flag)
        except SettingsError as error:
            yield problem(str(error))
        else:
            free.append(f"{port} ({what})")
    if free:
        yield well(f"free ports: {', '.join(free)}")


def is_running(settings: Settings) -> bool:
    """Whether the control port says that it is Tidecast's."""
    host, port = settings.control.host, settings.control.port
    host = LOOPBACK if is_unspecified(host) else f"[{host}]" if ":" in host else host
    try:
        with urlopen(f"http://{host}:{port}/healthz", timeout=ASK_WITHIN_S) as answer:
            return bool(json.loads(answer.read(1000)) == {"status": "ok"})
    except (OSError, ValueError):
        return False


def check_descriptors(connections: int, limits: tuple[int, int]) -> Finding:
    """Whether as many can come as the settings let in; the soft limit is raised by a start."""
    _, hard = limits
    needed = connections + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        return warning(
            f"{hard} open files (ulimit -Hn) are too few for limits.connections = {connections}: "
            f"allow {needed} (LimitNOFILE= in a unit), or lower the limit"
        )
    said = "any number of" if hard == resource.RLIM_INFINITY else hard
    return well(f"{said} open files for {connections} RTMP connections; viewers: `tidecast plan`")


def check_clock(state: int) -> Finding:
    """Whether somebody keeps the clock right: playlists tell viewers its time."""
    if state == UNSYNCHRONISED:
        return warning("the clock is not kept right by anybody: timedatectl set-ntp true")
    return well("the clock is kept right" if state >= 0 else "the clock's state is not told here")


def clock_state() -> int:
    """What the kernel says of its clock (adjtimex(2)); -1 where it may not be asked."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)))
    except (OSError, AttributeError):
        return -1
