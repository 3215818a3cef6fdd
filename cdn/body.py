"""The bytes of one answer, while they come in and afterwards.

One fetch writes a body (``feed``, then ``finish`` or ``fail``); any number of viewers read it, each
from the first byte on and at its own pace, whether the fetch is over or not. So the second viewer
of a segment that is still on its way need not wait for its end, as behind nginx's cache.

A body that breaks off is told apart from one that ends: its readers get ``OriginFailed`` after
the last byte that came, and must not let their viewer take what they have for the whole.

Everything happens on one event loop; nothing here may be touched from another thread.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from cdn.errors import OriginFailed

PIECE_BYTES = 64 * 1024
"""What a finished body is regrouped into: few enough pieces to write cheaply, small enough that a
TLS connection does not hold a second copy of a whole segment while it is encrypted."""


class Body:
    """A growing sequence of pieces, with those who wait for the next."""

    __slots__ = ("_failure", "_pieces", "_waiters", "complete", "length", "size")

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        """Size of the whole as the origin announced it; None while nobody can know."""
        self.size = 0
        self.complete = False
        self._pieces: list[bytes] = []
        self._failure: OriginFailed | None = None
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def pieces(self) -> Sequence[bytes]:
        return self._pieces

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)
        self._wake()

    def finish(self) -> None:
        """Close the body as whole. Readers under way keep the pieces that they walk along."""
        self._pieces = _regroup(self._pieces)
        self.length = self.size
        self.complete = True
        self._wake()

    def fail(self, failure: OriginFailed) -> None:
        self._failure = failure
        self._wake()

    async def read(self) -> AsyncIterator[bytes]:
        """Yield every piece; raise ``OriginFailed`` where the fetch broke off."""
        pieces, at = self._pieces, 0
        while True:
            while at < len(pieces):
                yield pieces[at]
                at += 1
            if self.complete:
                return
            if self._failure is not None:
                raise OriginFailed(str(self._failure)) from self._failure
            await self._change()

    async def _change(self) -> None:
        # A future for each waiter: cancelling the task of a viewer who left would cancel a
        # future that it shared with others.
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def cut(pieces: Sequence[bytes], first: int, last: int) -> list[memoryview]:
    """Return the bytes from ``first`` to ``last``, both included, without copying them."""
    views: list[memoryview] = []
    start = 0
    for piece in pieces:
        view = memoryview(piece)[max(0, first - start) : max(0, last + 1 - start)]
        if view:
            views.append(view)
        start += len(piece)
    return views


def _regroup(pieces: list[bytes]) -> list[bytes]:
    regrouped: list[bytes] = []
    group: list[bytes] = []
    room = PIECE_BYTES
    for piece in pieces:
        if group and len(piece) > room:
            regrouped.append(_joined(group))
            group, room = [], PIECE_BYTES
        group.append(piece)
        room -= len(piece)
    if group:
        regrouped.append(_joined(group))
    return regrouped


def _joined(group: list[bytes]) -> bytes:
    return group[0] if len(group) == 1 else b"".join(group)
