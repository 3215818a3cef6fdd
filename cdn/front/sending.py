"""A body that cannot be written at once: because it still grows, or because of TLS.

Under TLS everything that is handed to the transport is encrypted at once, into memory of this
connection's own; a viewer who takes a segment slowly would hold a copy of it. So bodies go out in
pieces of at most ``PIECE_BYTES``, the next one when the last has left.
"""

from cdn.cache.body import PIECE_BYTES
from cdn.cache.entry import Found


class Sending:
    """How far one viewer has got with one body."""

    __slots__ = ("_at", "_from", "_pieces", "body", "found", "is_chunked", "sent_bytes", "status")

    def __init__(self, found: Found, *, is_chunked: bool, status: int) -> None:
        self.found = found
        self.body = found.entry.body
        self.is_chunked = is_chunked
        self.status = status
        self.sent_bytes = 0
        self._pieces = self.body.pieces
        self._at = 0
        self._from = 0

    def next(self) -> list[bytes | memoryview] | None:
        """Return what is to be written next, or None if nothing is there yet, or any more."""
        pieces = self._pieces
        while self._at < len(pieces) and not pieces[self._at]:
            self._at += 1  # in chunks, nothing would mean the end
        if self._at >= len(pieces):
            return None
        piece: bytes | memoryview = pieces[self._at]
        whole = len(piece)
        if whole > PIECE_BYTES:
            piece = memoryview(piece)[self._from : self._from + PIECE_BYTES]
        self._from += len(piece)
        if self._from == whole:
            self._at, self._from = self._at + 1, 0
        self.sent_bytes += len(piece)
        return [b"%x\r\n" % len(piece), piece, b"\r\n"] if self.is_chunked else [piece]
