"""A tap on the line between an edge and its origin: it counts requests and changes nothing."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.support.turns import close_door, settle

REQUEST_LINE = re.compile(rb"^(?:GET|HEAD) (\S+) HTTP/1\.1\r$", re.MULTILINE)
READ_SIZE = 65_536


class Tap:
    """Forwards connections to ``port``, and keeps a count by address asked for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.requests: Counter[str] = Counter()
        self.url = ""
        self._talks: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection in a task of its own."""
        self._ends.add(writer)
        task = asyncio.create_task(self._forward(reader, writer))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def hang_up(self) -> None:
        """End all connections."""
        talks = tuple(self._talks)
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for end in self._ends:
            end.transport.abort()
        await settle()  # transports close their sockets in the turns after

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            writer.transport.abort()
            return
        self._ends.add(there_writer)
        asked = asyncio.create_task(self._carry(reader, there_writer, is_counted=True))
        answered = asyncio.create_task(self._carry(there_reader, writer, is_counted=False))
        try:
            await asyncio.wait([asked, answered], return_when=asyncio.FIRST_COMPLETED)
        finally:
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
    server = await asyncio.start_server(tap.meet, "127.0.0.1", 0)
    tap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tap
    finally:
        await close_door(server)
        await tap.hang_up()
