"""A whole edge inside of a test's own event loop, and viewers who ask it over real connections."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cdn.server import Edge, http_server
from cdn.settings import EdgeSettings, Flags, load
from tests.support.clocks import FakeClock


@dataclass(frozen=True, slots=True)
class Seen:
    """What a viewer got; ``is_whole`` is what its HTTP client would make of the body."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool

    @property
    def cache(self) -> str:
        return self.headers["cache-status"]


class RunningEdge:
    """An edge on a port of its own; time stands still unless the test moves it."""

    def __init__(self, edge: Edge, port: int, clock: FakeClock) -> None:
        self.edge = edge
        self.port = port
        self.clock = clock

    async def get(self, path: str, method: str = "GET", **headers: str) -> Seen:
        """Ask on a connection of one's own; underscores in header names stand for hyphens."""
        reader, writer = await self.ask(path, method, **headers)
        try:
            return await read_answer(reader, method)
        finally:
            writer.close()
            await writer.wait_closed()

    async def ask(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send a request and leave the answer to be read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/1.1", "Host: viewers.example"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return reader, writer


@asynccontextmanager
async def running_edge(
    origin_url: str, clock: FakeClock, flags: Flags | None = None
) -> AsyncGenerator[RunningEdge]:
    """Run an edge; everything of it is gone afterwards."""
    settings: EdgeSettings = load(None, {"origin": {"url": origin_url}, **(flags or {})})
    edge = Edge(settings, clock)
    server = http_server(edge, settings)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    listener = socket.create_server(("127.0.0.1", 0))
    await edge.open()
    await server.startup(sockets=[listener])
    try:
        yield RunningEdge(edge, listener.getsockname()[1], clock)
    finally:
        await edge.close()
        await server.shutdown(sockets=[listener])


async def read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    fields = (line.split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split(" ")[1]), {name.lower(): value for name, value in fields}


async def read_answer(reader: asyncio.StreamReader, method: str = "GET") -> Seen:
    status, headers = await read_head(reader)
    if method == "HEAD" or status in (204, 304):
        return Seen(status, headers, b"", is_whole=True)
    if "content-length" in headers:
        body, is_whole = await _read_exactly(reader, int(headers["content-length"]))
    else:
        body, is_whole = await _read_chunks(reader)
    return Seen(status, headers, body, is_whole)


async def _read_exactly(reader: asyncio.StreamReader, size: int) -> tuple[bytes, bool]:
    try:
        return await reader.readexactly(size), True
    except asyncio.IncompleteReadError as error:
        return error.partial, False


async def _read_chunks(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    body = b""
    while True:
        try:
            size = int(await reader.readuntil(b"\r\n"), 16)
            body += (await reader.readexactly(size + 2))[:-2]
        except asyncio.IncompleteReadError:
            return body, False
        if size == 0:
            return body, True
