"""Connections to one host and port, over whichever of its addresses answers first (RFC 8305).

A name may have an IPv6 address that leads nowhere. So addresses are tried by turns of their
families, the next one ``STAGGER_S`` after the one before if that has neither connected nor failed,
and the first that connects is used. What a name resolves to is remembered for ``RESOLVED_FOR_S``,
which is how soon a name that moves is followed.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, zip_longest
from urllib.parse import urlsplit

from cdn.fetch.connection import Connection

STAGGER_S = 0.25
"""The Connection Attempt Delay that RFC 8305, 5 recommends."""

RESOLVED_FOR_S = 10.0

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where an origin is, as its URL says."""

    host: str
    port: int
    is_tls: bool

    @property
    def authority(self) -> str:
        """What the Host field says (RFC 9110, 7.2): no port where it goes without saying."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        default = DEFAULT_PORTS["https" if self.is_tls else "http"]
        return name if self.port == default else f"{name}:{self.port}"


def address_of(url: str) -> Address:
    """Read an origin's URL; the settings have seen to it that it is one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna" if not url.isascii() else "ascii").decode("ascii")
    return Address(host, parts.port or DEFAULT_PORTS[parts.scheme], parts.scheme == "https")


def by_turns(addresses: Iterable[str]) -> list[str]:
    """Return the addresses with their families alternating, the first one's first (RFC 8305, 4)."""
    known = list(dict.fromkeys(addresses))
    first = [each for each in known if (":" in each) is (":" in known[0])]
    second = [each for each in known if each not in first]
    pairs = chain.from_iterable(zip_longest(first, second))
    return [each for each in pairs if each is not None]


class Dialer:
    """Makes connections; how long that may take is for the caller to say."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._tls = _tls_context() if address.is_tls else None
        self._resolved: list[str] = []
        self._resolved_until = 0.0

    async def dial(self) -> Connection:
        """Connect to whichever address answers first; raise ``OSError`` if none does."""
        addresses = await self._addresses()
        if len(addresses) == 1:
            return await self._connect(addresses[0])
        return await self._race(addresses)

    async def _race(self, addresses: list[str]) -> Connection:
        running: set[asyncio.Task[Connection]] = set()
        failures: list[BaseException] = []
        waiting = list(addresses)
        try:
            while waiting or running:
                if waiting:
                    running.add(asyncio.create_task(self._connect(waiting.pop(0))))
                patience_s = STAGGER_S if waiting else None
                first = await _first(running, failures, patience_s)
                if first is not None:
                    return first
        finally:
            await _call_off(running)
        raise failures[0] if failures else OSError(f"{self._address.host} has no address")

    async def _connect(self, address: str) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            Connection,
            address,
            self._address.port,
            ssl=self._tls,
            server_hostname=self._address.host if self._tls is not None else None,
        )
        return connection

    async def _addresses(self) -> list[str]:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._resolved_until:
            found = await loop.getaddrinfo(
                self._address.host, self._address.port, type=socket.SOCK_STREAM
            )
            self._resolved = by_turns(str(each[4][0]) for each in found)
            self._resolved_until = loop.time() + RESOLVED_FOR_S
        return self._resolved


def _tls_context() -> ssl.SSLContext:
    # Made when there is a use for it: reading the system's certificates takes 0.1 s and more.
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _first(
    running: set[asyncio.Task[Connection]], failures: list[BaseException], patience_s: float | None
) -> Connection | None:
    """Wait for an attempt to end; return its connection, or note its failure, or time is over."""
    done, _ = await asyncio.wait(running, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        running.discard(task)
        failure = task.exception()
        if failure is None:
            running |= done - {task}
            return task.result()
        failures.append(failure)
    return None


async def _call_off(running: set[asyncio.Task[Connection]]) -> None:
    """End the attempts that are not needed; one that succeeds all the same is hung up on."""
    for task in running:
        task.cancel()
    for task in running:
        with contextlib.suppress(asyncio.CancelledError, OSError):
            (await task).close()
