"""A hand-driven RTMP client over TCP: sends what the test says, and keeps what it hears."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from origin.rtmp.amf0 import Amf0Reader
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type
from tests.support.encoders import ECHO, HELLO, SERVER_HELLO_SIZE, Encoder, read_replies


class RtmpClient:
    """One connection to a listener."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.encoder = Encoder()
        self.reader = reader
        self.writer = writer
        self.heard = b""

    async def shake_hands(self) -> None:
        self.writer.write(HELLO)
        assert (await self.reader.readexactly(SERVER_HELLO_SIZE))[1537:] == HELLO[1:]
        self.writer.write(ECHO)

    async def begin(self, name: str = "key") -> None:
        """Everything up to the publish; the answer to that is not awaited."""
        await self.shake_hands()
        self.publish(name)

    def publish(self, name: str = "key") -> None:
        """The commands up to the publish, after the handshake."""
        encoder = self.encoder
        self.writer.write(encoder.connect() + encoder.create_stream() + encoder.publish(name))

    async def hear(self, code: str) -> str:
        """Wait for an ``onStatus`` with this code; its description."""
        while True:
            statuses = self.statuses()
            if code in statuses:
                return statuses[code]
            data = await self.reader.read(65536)
            assert data, f"closed; heard {statuses}"
            self.heard += data

    async def closed(self) -> None:
        """Wait until the server has nothing more to say."""
        try:
            while data := await self.reader.read(65536):
                self.heard += data
        except ConnectionError:
            pass

    async def write_until_broken(self, data: bytes) -> None:
        """Go on sending until the connection breaks, which it raises."""
        while True:
            self.writer.write(data)
            await self.writer.drain()

    def statuses(self) -> dict[str, str]:
        """Codes and descriptions of all ``onStatus`` so far."""
        found = {}
        for message in read_replies(self.heard):
            if message.type_id != Type.AMF0_COMMAND:
                continue
            name, *values = Amf0Reader(message.payload, Limits().metadata).read_rest()
            if name == "onStatus" and isinstance(values[2], dict):
                found[str(values[2]["code"])] = str(values[2]["description"])
        return found

    def reset(self) -> None:
        """Break off without a goodbye."""
        self.writer.transport.abort()


@asynccontextmanager
async def rtmp_client(
    port: int, tls: ssl.SSLContext | None = None, *, local: str = "127.0.0.1"
) -> AsyncIterator[RtmpClient]:
    """A client that connects from ``local``, an address of this machine."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=tls, local_addr=(local, 0)
    )
    client = RtmpClient(reader, writer)
    try:
        yield client
    finally:
        client.reset()
