"""What a fetch from the origin costs the edge, beside the same with aiohttp's client.

    python -m benchmarks.fetch [--fetches 2000] [--rounds 3]

Prints the processor time per fetch of a playlist and of a segment, over connections that are kept,
and its ratio. aiohttp's client does nothing here but get the bytes: what the edge made of its
answers (limits, fields left out, time for each read) came on top.
"""

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import aiohttp
import uvloop

from benchmarks.support.arguments import arguments
from cdn.fetch.upstream import Upstream
from cdn.http.keys import Key
from cdn.settings import Origin

SIZES = {"playlist, 1 kB": 1_000, "segment, 160 kB": 160_000}

Get = Callable[[], Awaitable[int]]


class Watcher:
    """What the upstream tells its owner; nobody listens here."""

    def answered(self) -> None: ...
    def failed(self, reason: str) -> None: ...


class Server(asyncio.Protocol):
    """Answers whatever is asked with the same bytes, for next to nothing."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._asked = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *asked, self._asked = (self._asked + data).split(b"\r\n\r\n")
        for _ in asked:
            self._transport.write(self._answer)  # type: ignore[attr-defined]  # uvloop's own


def main() -> None:
    """Measure both in turns, in each round, for each size."""
    parser = arguments(__doc__)
    parser.add_argument("--fetches", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for label, size in SIZES.items():
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(size, there), daemon=True)
        server.start()
        url = f"http://127.0.0.1:{here.recv()}"
        rounds = [uvloop.run(compare(url, size, given.fetches)) for _ in range(given.rounds)]
        server.terminate()
        own, other = (statistics.median(times) for times in zip(*rounds, strict=True))
        ratio = statistics.median(mine / aiohttps for mine, aiohttps in rounds)
        print(f"  {label:16} {own:4.0f} us, aiohttp {other:4.0f} us: {ratio:.2f} x")


def serve(size: int, to_parent: "Connection[int, int]") -> None:
    """Be the origin, in a process of its own."""
    head = (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: video/mp4\r\n"
        b'Cache-Control: public, max-age=31536000, immutable\r\nETag: "x"\r\n'
        b"X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n" % size
    )

    async def listen() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Server(head + b"x" * size), "127.0.0.1", 0)
        to_parent.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(listen())


async def compare(url: str, size: int, fetches: int) -> tuple[float, float]:
    """Return the microseconds of this process per fetch: the edge's own, and aiohttp's."""
    upstream = Upstream(Origin.model_validate({"url": url}), url, Watcher())
    await upstream.open()
    key = Key("/main/v0/x-1.m4s", gzip=False)

    async def own() -> int:
        async with upstream.fetch(key, None) as reply:
            return sum([len(piece) async for piece in reply.pieces()])

    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def other() -> int:
            async with session.get(url + key.target) as answer:
                return sum([len(piece) async for piece in answer.content.iter_any()])

        spent = [await cost(get, size, fetches) for get in (own, other)]
    await upstream.close()
    return spent[0], spent[1]


async def cost(get: Get, size: int, fetches: int) -> float:
    """Return the microseconds of processor time that one fetch takes."""
    assert await get() == size
    began = time.process_time()
    for _ in range(fetches):
        await get()
    return (time.process_time() - began) / fetches * 1e6


if __name__ == "__main__":
    main()
