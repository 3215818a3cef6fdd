"""The connections to one origin: how many there are, and which one is asked next.

The one used last is asked first, so that those which a crowd needed grow old and are closed. A
connection that has been idle may be closed by the origin in the moment in which it is asked: then
nothing comes back, and the request, which has no effect but its answer, is sent once more on a new
connection (RFC 9112, 9.3.1). Where a single byte came back it is not, nor on a connection that was
new: that is an origin that fails.
"""

import asyncio
import contextlib

from cdn.errors import OriginFailed
from cdn.fetch.answer import Answer
from cdn.fetch.connection import Connection
from cdn.fetch.dial import Dialer

IDLE_S = 15.0
"""How long a connection is kept for the next question. Servers close theirs after 5 s (uvicorn) to
75 s (nginx); who is first matters little, since a question that came too late is asked again."""

FAREWELL_S = 1.0
"""What closing all of them may take; they are hung up on, and wait for nobody."""


class Pool:
    """Connections of one event loop to one origin."""

    def __init__(self, dialer: Dialer, most: int, connect_timeout_s: float) -> None:
        self._dialer = dialer
        self._connect_timeout_s = connect_timeout_s
        self._places = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        """Those who wait for a question, the one used last at the end."""
        self._busy: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes) -> tuple[Connection, Answer]:
        """Send a request over a connection; whoever gets it brings it back with ``give_back``."""
        await self._places.acquire()
        try:
            return await self._ask_again(request) or await self._ask_anew(request)
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Take a connection back, whatever has become of it."""
        self._busy.discard(connection)
        if connection.settle():
            loop = asyncio.get_running_loop()
            connection.idle_since = loop.time()
            self._idle.append(connection)
            if self._sweeping is None:
                self._sweeping = loop.call_later(IDLE_S, self._sweep)
        self._places.release()

    async def close(self) -> None:
        """Hang up on all of them."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        connections = [*self._idle, *self._busy]
        self._idle.clear()
        for connection in connections:
            connection.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                for connection in connections:
                    await connection.until_gone()

    async def _ask_again(self, request: bytes) -> tuple[Connection, Answer] | None:
        """Ask one that is idle; None if there is none, or it was about to be closed."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_open:
                continue
            try:
                return connection, await self._ask(connection, request)
            except OriginFailed:
                if connection.has_heard:
                    raise
                return None
        return None

    async def _ask_anew(self, request: bytes) -> tuple[Connection, Answer]:
        async with asyncio.timeout(self._connect_timeout_s or None):
            connection = await self._dialer.dial()
        return connection, await self._ask(connection, request)

    async def _ask(self, connection: Connection, request: bytes) -> Answer:
        self._busy.add(connection)
        try:
            return await connection.ask(request)
        except BaseException:
            self._busy.discard(connection)
            connection.close()
            raise

    def _sweep(self) -> None:
        """Close those that nobody has needed for a while; the oldest are at the front."""
        loop = asyncio.get_running_loop()
        self._sweeping = None
        while self._idle and (
            not self._idle[0].is_open or self._idle[0].idle_since <= loop.time() - IDLE_S
        ):
            self._idle.pop(0).close()
        if self._idle:
            self._sweeping = loop.call_at(self._idle[0].idle_since + IDLE_S, self._sweep)
