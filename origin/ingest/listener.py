"""The RTMP listener: makes a ``Connection`` for every socket that comes in, and ends them all."""

import asyncio
import secrets
import socket
import ssl

from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Objection, Shared
from origin.rtmp.handshake import NONCE_SIZE
from origin.streams.door import Door


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
        self._servers: list[asyncio.Server] = []

    async def start(self, *listening: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Accept connections from now on; with ``tls``, they are RTMPS."""
        loop = asyncio.get_running_loop()
        limits = self._shared.settings.limits
        for sock in listening:
            if tls is None:
                server = await loop.create_server(self._make_connection, sock=sock)
            else:
                server = await loop.create_server(
                    self._make_connection,
                    sock=sock,
                    ssl=tls,
                    ssl_handshake_timeout=limits.handshake_s,
                    ssl_shutdown_timeout=limits.closing_s,
                )
            self._servers.append(server)

    async def close(self) -> None:
        """Accept nothing more, tell every publisher, and return when the last one is gone."""
        for server in self._servers:
            server.close()
        members = list(self._shared.members)
        for member in members:
            member.send_away("The server is shutting down.")
        await asyncio.gather(*(member.gone for member in members))

    def _make_connection(self) -> Connection:
        return Connection(self._shared, secrets.token_bytes(NONCE_SIZE))
