"""The simple handshake (RTMP 1.0, section 5.2): 1 + 1536 + 1536 bytes each way.

::

    AWAITING_HELLO --C0 C1 / S0 S1 S2--> AWAITING_ECHO --C2--> DONE

S2 must echo C1 byte by byte, its time fields included (5.2.4): OBS compares all of it and logs a
signature mismatch where a server put its own clock into bytes 4 to 7. FFmpeg offers the digest
handshake of Flash Player (C1 with a version and an HMAC) and accepts the simple one in return,
and so does every other encoder that was tried; it protects nothing, so it is not spoken here.
C2 is read and not compared: encoders fill it freely.
"""

from enum import Enum, auto

from origin.errors import ProtocolError

VERSION = 3
FIRST_PRINTABLE = 32
"""A C0 of 32 or above is a text protocol's first letter, and never RTMP (5.2.2)."""

TLS_HANDSHAKE = 0x16
"""The first byte of TLS (RFC 8446, 5.1), which RTMP has never used as a version."""

ECHO_SIZE = 1536
HELLO_SIZE = 1 + ECHO_SIZE
NONCE_SIZE = 1528
"""S1 is four bytes of time, four of zeros, and this much that the caller makes up."""


_HTTP_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"DELETE", b"PRI")


class _State(Enum):
    AWAITING_HELLO = auto()
    AWAITING_ECHO = auto()
    DONE = auto()


class Handshake:
    """Feed it what the client sends; send the client what it returns."""

    def __init__(self, nonce: bytes) -> None:
        assert len(nonce) == NONCE_SIZE
        self._s1 = bytes(8) + nonce
        self._inbox = bytearray()
        self._state = _State.AWAITING_HELLO

    @property
    def done(self) -> bool:
        return self._state is _State.DONE

    def receive(self, data: bytes | memoryview) -> bytes:
        """Take bytes from the client; return the bytes to send back."""
        self._inbox += data
        reply = b""
        if self._state is _State.AWAITING_HELLO:
            self._refuse_other_protocols()
            if len(self._inbox) >= HELLO_SIZE:
                c1 = self._take(HELLO_SIZE)[1:]
                reply = bytes([VERSION]) + self._s1 + c1
                self._state = _State.AWAITING_ECHO
        if self._state is _State.AWAITING_ECHO and len(self._inbox) >= ECHO_SIZE:
            self._take(ECHO_SIZE)
            self._state = _State.DONE
        return reply

    def leftover(self) -> bytes:
        """What came after C2: the first bytes of the chunk stream."""
        return self._take(len(self._inbox)) if self.done else b""

    def _refuse_other_protocols(self) -> None:
        """Say what it looks like: a wrong port is the likeliest reason, and easily mended."""
        if not self._inbox:
            return
        first = self._inbox[0]
        if first == TLS_HANDSHAKE:
            raise ProtocolError("this looks like TLS: rtmps:// has a port of its own")
        if first < FIRST_PRINTABLE:
            return
        word = bytes(self._inbox[:8]).split(b" ")[0]
        if word in _HTTP_METHODS:
            raise ProtocolError("this looks like HTTP: viewers have a port of their own")
        raise ProtocolError(f"not RTMP: the first byte is {first:#04x}")

    def _take(self, size: int) -> bytes:
        taken = bytes(self._inbox[:size])
        del self._inbox[:size]
        return taken
