"""Viewers with the least of an HTTP client: they show what came, whole or not."""

import asyncio
from dataclasses import dataclass


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


class Viewers:
    """Everybody who watches through one port, each on a connection of their own."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def get(self, path: str, method: str = "GET", **headers: str) -> Seen:
        """Ask and read the answer; underscores in header names stand for hyphens."""
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
