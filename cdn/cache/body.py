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
from typing import Protocol

from cdn.errors import OriginFailed

PIECE_BYTES = 64 * 1024
"""What a finished body is regrouped into: few enough pieces to write cheaply, small enough that a
TLS connection does not hold a second copy of a whole segment while it is encrypted."""


class Reader(Protocol):
    """Who wants to know that there is more."""

    def on_body(self) -> None: ...


class Body:
    """A growing sequence of pieces, with those who wait for the next."""

    __slots__ = ("_pieces", "_readers", "complete", "failure", "length", "size")

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        """Size of the whole as the origin announced it; None while nobody can know."""
        self.size = 0
        self.complete = False
        self.failure: OriginFailed | None = None
        """Why there will never be more; None while all is well."""
        self._pieces: list[bytes] = []
        self._readers: dict[Reader, None] = {}

    @property
    def pieces(self) -> Sequence[bytes]:
        """What is here. A list of its own before and after the end: keep the one you walk along."""
        return self._pieces

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece)
        self._tell()

    def finish(self) -> None:
        """Close the body as whole. Readers under way keep the pieces that they walk along."""
        self._pieces = _regroup(self._pieces)
        self.length = self.size
        self.complete = True
        self._tell()

    def fail(self, failure: OriginFailed) -> None:
        self.failure = failure
        self._tell()

    def join(self, reader: Reader) -> None:
        """Tell ``reader`` of every change from now on, until it leaves."""
        self._readers[reader] = None

    def leave(self, reader: Reader) -> None:
        """Tell ``reader`` nothing any more."""
        self._readers.pop(reader, None)

    async def read(self) -> AsyncIterator[bytes]:
        """Yield every piece; raise ``OriginFailed`` where the fetch broke off."""
        pieces, at, waker = self._pieces, 0, _Waker()
        self.join(waker)
        try:
            while True:
                waker.news.clear()
                while at < len(pieces):
                    yield pieces[at]
                    at += 1
                if self.complete:
                    return
                if self.failure is not None:
                    raise OriginFailed(str(self.failure)) from self.failure
                await waker.news.wait()
        finally:
            self.leave(waker)

    def _tell(self) -> None:
        # Whoever is told may leave, or cause another to.
        for reader in tuple(self._readers):
            if reader in self._readers:
                reader.on_body()


class _Waker:
    """A reader that is a coroutine."""

    __slots__ = ("news",)

    def __init__(self) -> None:
        self.news = asyncio.Event()

    def on_body(self) -> None:
        self.news.set()


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
