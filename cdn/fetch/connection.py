"""One connection to the origin: one question at a time, each with an answer of its own.

    IDLE ──ask()──> ASKED ──piece() ...──> whole ──settle()──> IDLE, if both sides agree
                      └── lost, broken, or left in the middle ──> closed

A connection is used again only if the answer was whole, asked for it, and nothing followed it.
Anything that comes in while nobody has asked closes it: an answer to no question must not become
the answer to the next one (RFC 9112, 9.2).

One task asks and reads; the event loop calls the rest. A body that nobody takes makes the
transport stop reading, so that the kernel, and then the origin, wait.
"""

import asyncio
from typing import cast

from cdn.errors import OriginFailed
from cdn.fetch.answer import Answer, Stage

MOST_HELD_BYTES = 256 * 1024
"""What may wait here for whoever reads."""


class Connection(asyncio.Protocol):
    """A protocol of asyncio's on one side, ``ask`` and ``piece`` on the other."""

    def __init__(self) -> None:
        self.is_open = False
        self.has_heard = False
        """Whether anything has come in since the last question."""
        self.idle_since = 0.0
        """When the last answer was done with, on the loop's clock; the pool's to say."""
        self._transport: asyncio.Transport | None = None
        self._answer: Answer | None = None
        self._failure: OriginFailed | None = None
        self._is_paused = False
        self._news: asyncio.Future[None] | None = None
        self._is_gone = asyncio.get_running_loop().create_future()

    async def ask(self, request: bytes) -> Answer:
        """Send a request; return its answer once the head is there."""
        assert self._answer is None, "one question at a time"
        answer = self._answer = Answer()
        self.has_heard = False
        if self._transport is not None and self.is_open:
            self._transport.write(request)
        while answer.stage is Stage.HEAD:
            await self._something_new()
        return answer

    async def piece(self) -> bytes:
        """Return what comes in next of the body; nothing at its end."""
        while (piece := self.piece_at_hand()) is None:
            await self._something_new()
        return piece

    def piece_at_hand(self) -> bytes | None:
        """Return what there is of the body, nothing at its end, None if it has to be waited for."""
        assert self._answer is not None, "ask() comes first"
        if not self._answer.held_bytes:
            return b"" if self._answer.stage is Stage.WHOLE else None
        if self._is_paused and self._transport is not None:
            self._transport.resume_reading()
            self._is_paused = False
        return self._answer.take()

    def settle(self) -> bool:
        """Be done with an answer; say whether the connection may be asked again, else close it."""
        answer, self._answer = self._answer, None
        is_whole = answer is not None and answer.stage is Stage.WHOLE and answer.is_reusable
        if not (is_whole and self.is_open and not self._is_paused):
            self.close()
        return self.is_open

    def close(self) -> None:
        """Close it now: nothing that is still to be sent or read matters any more."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    async def until_gone(self) -> None:
        """Wait until the transport has let go of it."""
        await asyncio.shield(self._is_gone)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own derive from nothing
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self.has_heard = True
        if self._answer is None:
            self.close()
            return
        try:
            self._answer.receive(data)
        except OriginFailed as failure:
            self._failure = failure
            self.close()
        if self._answer.held_bytes > MOST_HELD_BYTES and not self._is_paused and self.is_open:
            assert self._transport is not None
            self._transport.pause_reading()
            self._is_paused = True
        self._tell()

    def eof_received(self) -> bool:
        self.is_open = False
        return False  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if self._failure is None:
            why = f": {exc}" if exc is not None else ""
            self._failure = OriginFailed(f"the origin failed: it hung up before the end{why}")
        self._tell()
        if not self._is_gone.done():
            self._is_gone.set_result(None)

    async def _something_new(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._news = asyncio.get_running_loop().create_future()
        try:
            await self._news
        finally:
            self._news = None

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
