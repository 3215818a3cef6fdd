"""The RTMP listener: makes a ``Connection`` for every socket that comes in, and ends them all."""

import asyncio
import secrets
import socket

from origin.ingest.connection import Connection
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Counters, Shared
from origin.rtmp.handshake import NONCE_SIZE
from origin.streams.door import Door


class RtmpListener:
    """Listens on sockets that are bound already, so that whoever starts it knows the ports."""

    def __init__(self, door: Door, settings: IngestSettings | None = None) -> None:
        self.counters = Counters()
        self._shared = Shared(door, settings or IngestSettings(), self.counters)
        self._servers: list[asyncio.Server] = []

    async def start(self, *listening: socket.socket) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        for sock in listening:
            self._servers.append(await loop.create_server(self._make_connection, sock=sock))

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
