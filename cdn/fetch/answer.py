"""One answer of the origin as it comes in: bytes in; a head, pieces of a body, and its end out.

The parser is llhttp (httptools), strict as it comes: what RFC 9112 calls invalid is an error there,
and so are the things that smuggle (two lengths, a length beside chunks, bare line feeds, 6.3). What
it leaves to others is here: interim answers (1xx) are passed over (RFC 9110, 15.2), an answer
without a frame is refused, memory for what is not body is bounded, and bytes behind the end
disqualify the connection from being used again.

    HEAD ──final head──> BODY ──last byte──> WHOLE
      └── the connection ends, or is broken ──┴──> OriginFailed

Each answer has a parser of its own, so nothing of one can turn up in the next.
"""

from enum import Enum, auto

import httptools

from cdn.errors import OriginFailed

LARGEST_HEAD_BYTES = 65_536
"""Most of an answer that comes before its first byte of body, or between two of them: interim
answers, fields, sizes of chunks, trailers. An origin's heads have about 1 KB."""

NO_BODY = frozenset([204, 304])
"""Final answers that end with their head (RFC 9112, 6.3)."""


class Stage(Enum):
    """How far an answer has come."""

    HEAD = auto()
    BODY = auto()
    WHOLE = auto()


class Answer:
    """Feed it what comes in with ``receive``; ``take`` what there is of the body."""

    def __init__(self) -> None:
        self.stage = Stage.HEAD
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        """Names in lower case, in the order in which they came."""
        self.length: int | None = None
        """What was announced; None is a body in chunks."""
        self.is_reusable = False
        """Whether the connection may be used for another one; known when this one is whole."""
        self.held_bytes = 0
        """What of the body has come in and was not taken yet."""
        self._pieces: list[bytes] = []
        self._beside_bytes = 0
        self._refusal: str | None = None
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def receive(self, data: bytes) -> None:
        """Take bytes from the connection; raise ``OriginFailed`` where they are no answer."""
        parser = self._parser
        if parser is None:
            self.is_reusable = False
            return
        held = self.held_bytes
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refusal = "the origin failed: it changed the protocol, which nobody had asked for"
        except httptools.HttpParserError as error:
            self._garbled(error)
        self._beside_bytes = 0 if self.held_bytes > held else self._beside_bytes + len(data)
        if self._beside_bytes > LARGEST_HEAD_BYTES and self.stage is not Stage.WHOLE:
            self._refusal = f"the origin failed: over {LARGEST_HEAD_BYTES} bytes that are no body"
        if self._refusal is not None or self.stage is Stage.WHOLE:
            self._parser = None  # it knows this object, too: a circle would wait for the collector
        if self._refusal is not None:
            raise OriginFailed(self._refusal)

    def take(self) -> bytes:
        """Return what has come in of the body since the last time."""
        pieces, self._pieces, self.held_bytes = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    # What the parser calls, in the order in which it does.

    def on_message_begin(self) -> None:
        if self.stage is Stage.WHOLE:
            self.is_reusable = False  # something follows the end, and nobody has asked for it

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.stage is Stage.HEAD:  # trailers are left out: nothing is kept that comes too late
            self.headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if self.stage is not Stage.HEAD or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers.clear()
            return
        self.stage = Stage.BODY
        if self._is_framed(self._parser.get_http_version()):
            self.is_reusable = self._parser.should_keep_alive()
        else:
            self._refusal = "the origin framed its answer with neither a length nor chunks"

    def on_body(self, body: bytes) -> None:
        if self.stage is Stage.BODY:  # not what an answer that nobody asked for brings along
            self._pieces.append(body)
            self.held_bytes += len(body)

    def on_message_complete(self) -> None:
        if self.stage is Stage.BODY:
            self.stage = Stage.WHOLE

    def _is_framed(self, version: str) -> bool:
        """Note how long the body will be; say whether its end can be told from a broken one.

        A body that ends with its connection looks the same whole and broken (RFC 9112, 8). Chunks
        under HTTP/1.0 come from a program that does not know what it says (RFC 9112, 6.1).
        """
        fields = dict(self.headers)
        coding = fields.get(b"transfer-encoding")
        announced = fields.get(b"content-length", b"")
        if self.status in NO_BODY:
            self.length = 0
        elif coding is not None:
            return coding.lower() == b"chunked" and version == "1.1"
        elif announced.isdigit():
            self.length = int(announced)
        else:
            return False
        return True

    def _garbled(self, error: httptools.HttpParserError) -> None:
        if self.stage is Stage.WHOLE:
            self.is_reusable = False  # the answer stands; what follows it is the next one's trouble
        else:
            self._refusal = f"the origin failed: {error}"
