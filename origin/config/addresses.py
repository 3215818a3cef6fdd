"""Which addresses this machine has, as far as settings and printed addresses need to know."""

import ipaddress
import socket

LOOPBACK = "127.0.0.1"
# Any global address will do: connecting a datagram socket sends nothing, it only makes the kernel
# choose the local address that would be used (192.0.2.0/24 is TEST-NET-1, RFC 5737).
SOMEWHERE_ELSE = ("192.0.2.1", 9)


def own_address() -> str:
    """The address under which others on the network find this machine; loopback if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE_ELSE)
        except OSError:
            return LOOPBACK
        address: str = probe.getsockname()[0]
        return address


def reachable_host(host: str) -> str:
    """What to print for somebody who wants to reach a server that listens on ``host``."""
    return own_address() if is_unspecified(host) else host


def is_public(host: str) -> bool:
    """Whether the internet could reach a server that listens on ``host``.

    A name counts as public, unless it is ``localhost``; "all addresses" is as public as the
    machine is.
    """
    if is_unspecified(host):
        host = own_address()
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return host != "localhost"


def is_unspecified(host: str) -> bool:
    """Whether ``host`` stands for every address of the machine."""
    return host in ("", "0.0.0.0", "::")
