"""What a service manager is told: the protocol of sd_notify(3), as far as an edge needs it.

A datagram of ``NAME=value`` lines to the socket that the environment names. Without one nobody
waits for it, and nothing is sent; a manager that has gone is no reason to fail.

The manager listens to the process that it has started (NotifyAccess=main): the supervisor where
there is one, never its workers.
"""

import contextlib
import os
import socket
import time

READY = "READY=1"
STOPPING = "STOPPING=1"


def notify(*lines: str) -> None:
    """Tell the service manager, if there is one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    name = "\0" + address[1:] if address.startswith("@") else address  # "@": no file, just a name
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to_manager,
    ):
        to_manager.sendto("\n".join(lines).encode(), name)


def reloading() -> None:
    """Say that a reload begins; ``READY`` says that it is over."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
