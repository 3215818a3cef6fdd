"""The least that an edge in Python can do: it tells how fast the machine is, not how good it is.

A protocol under uvloop that takes what stands between the first two blanks for the key, answers
from a dictionary, asks the origin once for many, and keeps everything for a minute but plain
playlists. It checks nothing, limits nothing, counts nothing and survives nothing. What our edge
costs beyond this is what its promises cost; what this costs is the kernel's and Python's.

    python -m benchmarks.support.least ORIGIN_URL PORT
"""

import asyncio
import socket
import sys
import time
from typing import cast

import aiohttp
import uvloop

ACCEPTORS = 32
PLAYLIST_S, MEDIA_S = 0.25, 60.0
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\naccess-control-allow-origin: *\r\n\r\n"


class Answers:
    """What is there, and who waits for what is not."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self._session = session
        self._origin = origin
        self._known: dict[bytes, tuple[float, tuple[bytes, bytes]]] = {}
        self._waiting: dict[bytes, list[asyncio.Transport]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def give(self, key: bytes, viewer: asyncio.Transport) -> None:
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            viewer.writelines(known[1])
        elif key in self._waiting:
            self._waiting[key].append(viewer)
        else:
            self._waiting[key] = [viewer]
            task = asyncio.create_task(self._fetch(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fetch(self, key: bytes) -> None:
        async with self._session.get(self._origin + key.decode()) as answer:
            body = await answer.read()
        fresh_s = PLAYLIST_S if key.endswith(b".m3u8") else MEDIA_S
        buffers = (HEAD % len(body), body)
        self._known[key] = (time.monotonic() + fresh_s, buffers)
        for viewer in self._waiting.pop(key):
            viewer.writelines(buffers)


class Viewer(asyncio.Protocol):
    """One connection; a request is expected to come in one piece."""

    __slots__ = ("_answers", "_transport")

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._answers.give(data[4 : data.index(b" ", 4)], self._transport)


async def serve(origin: str, port: int) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", port), backlog=4096)
    connector = aiohttp.TCPConnector(limit=512)
    async with aiohttp.ClientSession(connector=connector) as session:
        answers = Answers(session, origin)
        for _ in range(ACCEPTORS):
            await loop.create_server(lambda: Viewer(answers), sock=listener.dup())
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
