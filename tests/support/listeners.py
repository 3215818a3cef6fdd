"""A real listener on a free port, for as long as a block lasts."""

import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from origin.ingest.listener import RtmpListener
from origin.ingest.settings import IngestSettings
from origin.ingest.shared import Objection
from origin.streams.door import Door


class Listening:
    """The listener and where it listens."""

    def __init__(self, listener: RtmpListener, port: int) -> None:
        self.listener = listener
        self.counters = listener.counters
        self.port = port

    def url(self, key: str) -> str:
        return f"rtmp://127.0.0.1:{self.port}/live/{key}"


@asynccontextmanager
async def listening(
    door: Door,
    settings: IngestSettings | None = None,
    tls: ssl.SSLContext | None = None,
    *,
    objection: Objection | None = None,
) -> AsyncIterator[Listening]:
    """Nothing of it may be left at the end of the block. With ``tls``, it is RTMPS."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    bound.listen()
    listener = RtmpListener(door, settings or IngestSettings(), objection)
    await listener.start(bound, tls=tls)
    try:
        yield Listening(listener, bound.getsockname()[1])
    finally:
        await listener.close()
        assert listener.counters.open == 0
