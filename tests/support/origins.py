"""An origin under the test's control: it says what the test wants, when the test wants it.

It speaks HTTP/1.1 over real sockets with as little code as will do, because half of what it is for
(bodies that break off, answers that never begin, a port that is dead) is what servers are built
not to do. It counts what it is asked for: that is how the edge's promise is checked.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from tests.support.turns import close_door

REASONS = {200: "OK", 304: "Not Modified", 404: "Not Found", 503: "Service Unavailable"}


@dataclass
class Resource:
    """What the origin says about one address; a gate is an event that somebody has to set."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    is_chunked: bool = False
    announced: int | None = None
    """Content-Length, where it is not the truth."""
    gate: asyncio.Event | None = None
    """Held before the head."""
    middle_gate: asyncio.Event | None = None
    """Held in the middle of the body."""
    breaks_off: bool = False
    """The connection is closed in the middle of the body."""


class FakeOrigin:
    """A server with a script; ``requests`` counts by target, ``heads`` keeps what was asked."""

    def __init__(self) -> None:
        self.resources: dict[str, Resource] = {}
        self.requests: Counter[str] = Counter()
        self.heads: list[str] = []
        self.asked = asyncio.Event()
        self._port = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def serve(self, target: str, resource: Resource) -> None:
        self.resources[target] = resource

    async def start(self) -> None:
        """Listen; after ``die`` on the same port as before."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def die(self) -> None:
        """Take the port away and reset every connection, as a killed process does."""
        assert self._server is not None
        await close_door(self._server)
        for writer in self._connections:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while await self._answer((await reader.readuntil(b"\r\n\r\n")).decode(), writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; say whether the connection lives on."""
        target = head.split(" ")[1]
        self.requests[target] += 1
        self.heads.append(head)
        self.asked.set()
        resource = self.resources.get(target, Resource(b"no such thing", 404))
        if resource.gate is not None:
            await resource.gate.wait()
        etag = resource.headers.get("ETag")
        if etag is not None and f"if-none-match: {etag}".lower() in head.lower():
            fields = "".join(f"{name}: {value}\r\n" for name, value in resource.headers.items())
            writer.write(f"HTTP/1.1 304 Not Modified\r\n{fields}\r\n".encode())
            return True
        writer.write(_head(resource))
        return await self._send_body(resource, writer)

    async def _send_body(self, resource: Resource, writer: asyncio.StreamWriter) -> bool:
        middle = len(resource.body) // 2
        writer.write(_framed(resource, resource.body[:middle]))
        if resource.middle_gate is not None:
            await writer.drain()
            await resource.middle_gate.wait()
        if resource.breaks_off:
            return False
        writer.write(_framed(resource, resource.body[middle:]))
        if resource.is_chunked:
            writer.write(b"0\r\n\r\n")
        return True


def _head(resource: Resource) -> bytes:
    fields = dict(resource.headers)
    if resource.is_chunked:
        fields["Transfer-Encoding"] = "chunked"
    elif resource.announced is not None:
        fields["Content-Length"] = str(resource.announced)
    else:
        fields["Content-Length"] = str(len(resource.body))
    lines = [f"HTTP/1.1 {resource.status} {REASONS.get(resource.status, 'As The Test Wants')}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _framed(resource: Resource, piece: bytes) -> bytes:
    if not resource.is_chunked:
        return piece
    return b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
