"""Reading bit fields and Exp-Golomb codes out of bytes that a stranger sent.

Decoder configurations are the only part of the media that we take apart bit by bit. They come
from the network, so the reader's one promise is that it ends: every read is bounded by the
bytes that are there, and what is missing raises ``MediaError``, never ``IndexError``.
"""

from origin.errors import MediaError

LONGEST_GOLOMB_PREFIX = 32  # ue(v) codes no value above 2**32 - 2 (ITU-T H.264, 9.1)


class BitReader:
    """Reads bits from the most significant one on; the caller names what is read in errors."""

    __slots__ = ("_bits", "_data", "_position", "_subject")

    def __init__(self, data: bytes, subject: str) -> None:
        self._data = data
        self._bits = len(data) * 8
        self._position = 0
        self._subject = subject

    @property
    def bits_left(self) -> int:
        return self._bits - self._position

    def read(self, count: int) -> int:
        """Read an unsigned field of ``count`` bits."""
        start = self._position
        end = start + count
        if end > self._bits:
            raise MediaError(f"{self._subject} ends after {len(self._data)} bytes, too early")
        self._position = end
        last = (end + 7) // 8
        window = int.from_bytes(self._data[start // 8 : last], "big")
        return window >> (last * 8 - end) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read(1) == 1

    def skip(self, count: int) -> None:
        self.read(count)

    def unsigned_golomb(self) -> int:
        """Read ``ue(v)`` (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > LONGEST_GOLOMB_PREFIX:
                raise MediaError(f"{self._subject} holds an Exp-Golomb code without an end")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_golomb(self) -> int:
        """Read ``se(v)``: 1, -1, 2, -2, ... for the codes 1, 2, 3, 4 (ITU-T H.264, 9.1.1)."""
        code = self.unsigned_golomb()
        return (code + 1) // 2 if code % 2 else -(code // 2)
