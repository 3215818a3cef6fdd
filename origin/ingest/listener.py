"""The RTMP listener: makes a ``Connection`` for every socket that comes in, and ends them all."""

import asyncio
import secrets
import socket
import ssl
from collections.abc import Callable

from origin.ingest.agreement import TlsAcceptor
from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Objection, Shared
from origin.observe.durations import Durations
from origin.rtmp.handshake import NONCE_SIZE
from origin.streams.audience import Audience
from origin.streams.door import Door

BACKLOG = 4096
"""Connections that wait in the kernel to be accepted. The event loop listens once more on a socket
that listens already, with 100 unless it is told otherwise; the 101st then waits for seconds."""

KERNEL_REPLIES_BYTES = 64 * 1024
"""Of replies that the kernel holds for a peer that does not read; connections inherit it. Left to
itself it would hold 4 MiB for each, and 2,000 such peers would cost 8 GiB that no budget sees."""


class RtmpListener:
    """Listens on sockets that are bound already, so that whoever starts it knows the ports."""

    def __init__(
        self,
        door: Door,
        settings: IngestSettings | None = None,
        objection: Objection | None = None,
    ) -> None:
        self.counters = Counters()
        self._shared = Shared(
            door, settings or IngestSettings(), self.counters, objection=objection
        )
        self._listening: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        self._servers: list[asyncio.Server] = []
        self._acceptors: list[TlsAcceptor] = []  # those that are paused, too

    @property
    def gaps(self) -> Durations:
        """How long live publishers went unread."""
        return self._shared.beat.gaps

    def refuse_publishers_when(self, shortage: Callable[[], str | None]) -> None:
        """Ask ``shortage`` before each publish; what it says is told to the streamer."""
        self._shared.shortage = shortage

    def let_watch(self, audience_of: Callable[[str], Audience | None]) -> None:
        """Let players in to the streams that ``audience_of`` knows."""
        self._shared.audience_of = audience_of

    async def start(self, *listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections from now on; with ``tls``, they are RTMPS."""
        for sock in listening:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_REPLIES_BYTES)
            self._listening.append((sock, tls))
            await self._accept(sock, tls)

    def pause(self) -> None:
        """Accept nobody for now; who comes waits in the kernel's queue."""
        for server in self._servers:
            server.close()
        for acceptor in self._acceptors:
            acceptor.close()
        self._servers.clear()

    async def resume(self) -> None:
        """Accept again, those who have waited first."""
        self._acceptors = [each for each in self._acceptors if not each.is_over]
        for sock, tls in self._listening:
            await self._accept(sock, tls)

    async def _accept(self, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
        sock = listening.dup()  # a server closes its own when it is closed
        make = self._make_connection
        if tls is not None:
            self._acceptors.append(TlsAcceptor(sock, tls, self._shared, make))
            return
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(make, sock=sock, backlog=BACKLOG))

    def ask_to_reconnect(self, reason: str) -> None:
        """Tell all who understand it that this process is going."""
        for member in list(self._shared.members):
            member.ask_to_reconnect(reason)

    async def close(self) -> None:
        """Accept nothing more, tell every publisher, and return when the last one is gone."""
        self.pause()
        for sock, _ in self._listening:
            sock.close()
        await asyncio.gather(*(acceptor.abandon() for acceptor in self._acceptors))
        members = list(self._shared.members)
        for member in members:
            member.send_away("The server is shutting down.")
        await asyncio.gather(*(member.gone for member in members))

    def _make_connection(self) -> Connection:
        return Connection(self._shared, secrets.token_bytes(NONCE_SIZE))
