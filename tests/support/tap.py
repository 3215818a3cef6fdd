"""A tap on the line between an edge and its origin: it counts requests and changes nothing."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

REQUEST_LINE = re.compile(rb"^(?:GET|HEAD) (\S+) HTTP/1\.1\r$", re.MULTILINE)
READ_SIZE = 65_536


class Tap:
    """Forwards connections to ``port``, and keeps a count by address asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.requests: Counter[str] = Counter()
        self.url = ""

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection, both ways, until either side ends it."""
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        asked = asyncio.create_task(self._carry(reader, there_writer, is_counted=True))
        answered = asyncio.create_task(self._carry(there_reader, writer, is_counted=False))
        await asyncio.wait([asked, answered], return_when=asyncio.FIRST_COMPLETED)
        for task, end in ((asked, there_writer), (answered, writer)):
            task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await task
            end.close()

    async def _carry(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_counted: bool
    ) -> None:
        while data := await source.read(READ_SIZE):
            if is_counted:  # a request of ours has no body and comes in one piece
                self.requests.update(path.decode() for path in REQUEST_LINE.findall(data))
            target.write(data)
            await target.drain()


@asynccontextmanager
async def tapped(port: int) -> AsyncIterator[Tap]:
    """A tap in front of ``port``."""
    tap = Tap(port)
    server = await asyncio.start_server(tap.forward, "127.0.0.1", 0)
    tap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tap
    finally:
        server.close()
