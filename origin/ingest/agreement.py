"""Accepting RTMPS: who comes has to agree on TLS before there is a connection like any other.

An agreement that is never finished costs as much as a handshake that is not, so it is bounded
alike: in time, in number for one address, and in all. A server of the loop's own would tell of a
socket only when TLS stands; sockets are accepted here one by one instead, and handed to the loop
with the certificate.
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable

import structlog

from origin.ingest.shared import Shared

_log = structlog.get_logger(__name__)

PAUSE_AFTER_ERROR_S = 0.1
"""When accepting fails: descriptors have run out, and come back as others leave."""

NO_TLS = "WRONG_VERSION_NUMBER"
"""What OpenSSL says of a first byte that is none of TLS's: RTMP's is one."""


class TlsAcceptor:
    """Accepts on one listening socket, and lets ``make`` take over what has agreed."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        shared: Shared,
        make: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        listening.setblocking(False)
        self._listening = listening
        self._context = context
        self._shared = shared
        self._make = make
        self._agreeing: set[asyncio.Task[None]] = set()
        self._addresses: Counter[str] = Counter()  # of those who agree now
        self._accepting = asyncio.get_running_loop().create_task(self._accept())
        self._accepting.add_done_callback(lambda task: listening.close())  # begun or not

    @property
    def is_over(self) -> bool:
        """Whether nobody is left of it."""
        return self._accepting.done() and not self._agreeing

    def close(self) -> None:
        """Accept nobody any more; those who are agreeing may go on."""
        self._accepting.cancel()

    async def abandon(self) -> None:
        """Close what has not agreed yet, and return when it is gone."""
        self.close()
        tasks = [self._accepting, *self._agreeing]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, peer = await loop.sock_accept(self._listening)
            except OSError as error:
                _log.warning("RTMPS cannot accept", reason=str(error))
                await asyncio.sleep(PAUSE_AFTER_ERROR_S)
                continue
            self._let_agree(sock, peer[0])

    def _let_agree(self, sock: socket.socket, address: str) -> None:
        settings, counters = self._shared.settings, self._shared.counters
        is_full = counters.open + len(self._agreeing) >= settings.connections
        if is_full or self._addresses[address] >= settings.strangers_per_address:
            _log.warning("connection refused: too many at once", peer=address)
            counters.refused += 1
            sock.close()
            return
        self._addresses[address] += 1
        task = asyncio.get_running_loop().create_task(self._agree(sock, address))
        self._agreeing.add(task)
        task.add_done_callback(self._agreeing.discard)

    async def _agree(self, sock: socket.socket, address: str) -> None:
        limits = self._shared.settings.limits
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make,
                sock,
                ssl=self._context,
                ssl_handshake_timeout=limits.handshake_s,
                ssl_shutdown_timeout=limits.closing_s,
            )
        except OSError as error:  # ssl.SSLError and time-outs are
            if getattr(error, "reason", None) == NO_TLS:
                _log.warning(
                    "connection closed: this port is for rtmps://, and that was no TLS",
                    peer=address,
                )
            else:
                _log.debug("no agreement on TLS", peer=address, reason=str(error))
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
