"""Listening sockets, bound before anything else happens.

The supervisor binds them and hands them down, for two reasons: a port that is taken is found out
before anything has started, and while the origin is restarted the kernel keeps new connections
waiting instead of refusing them.
"""

import errno
import socket
from dataclasses import dataclass

from origin.errors import SettingsError

BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class OriginSockets:
    """The listening sockets of the origin process."""

    rtmp: socket.socket
    rtmps: socket.socket | None
    """None where there is no certificate."""
    control: socket.socket


def listen(host: str, port: int, *, what: str, flag: str) -> socket.socket:
    """Bind a listening TCP socket.

    Raises:
        SettingsError: the address cannot be used; says what it is for and which flag moves it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SettingsError(explain(error, f"{host}:{port}", what, flag)) from error
    listener.setblocking(False)
    return listener


def check_free(host: str, port: int, *, what: str, flag: str) -> None:
    """Raise ``SettingsError`` if somebody else listens there; the port stays free."""
    listen(host, port, what=what, flag=flag).close()


def explain(error: Exception, where: str, what: str, flag: str) -> str:
    """Say why ``what`` cannot listen there, and what to do about it."""
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"{where} is in use, so {what} cannot listen there: choose another port with {flag}"
    if code == errno.EACCES:
        return f"{where} needs more rights than this user has: choose a port above 1023 with {flag}"
    if code == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        other = "--control-host" if flag == "--control-port" else "--host"
        return f"{where} is no address here, so {what} cannot listen there: choose one with {other}"
    return f"{what} cannot listen on {where}: {error}"
