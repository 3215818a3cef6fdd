"""The second viewer of an object that is still arriving: when does he get its first byte?

An origin sends 8 KB of a segment at once and the rest in two seconds. One viewer begins, another
asks for the same half a second later; Tidecast's edge, nginx with its lock and Varnish take turns.

    python -m benchmarks.inflight [--rounds 5] [--json]

Takes about a minute. The figures are milliseconds from the second request to its first bytes of
the body.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.engines import ENGINES
from benchmarks.support.results import Result, emit

SCRIPT = "benchmarks/inflight.py"
TARGET_MS = 20
PIECE, PIECES, PAUSE_S, APART_S = 8 * 1024, 20, 0.1, 0.5


def main() -> None:
    """Measure all three, and print the results."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    times = asyncio.run(measure_all(given.rounds))
    ours, lock, theirs = (statistics.median(times[name]) for name in ENGINES)
    result = Result(
        "second viewer of an object in flight: first byte after",
        f"{ours:.1f} ms",
        f"nginx {lock:.0f} ms, Varnish {theirs:.1f} ms",
        f"at most {TARGET_MS} ms",
        ours <= TARGET_MS,
        SCRIPT,
    )
    emit([result], as_json=given.json)


async def measure_all(rounds: int) -> dict[str, list[float]]:
    """Milliseconds by engine; every round asks for an object of its own."""
    times: dict[str, list[float]] = {}
    async with slow_origin() as origin:
        for name, start in ENGINES.items():
            with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
                context = start(origin, Path(folder))
                engine = await asyncio.to_thread(context.__enter__)
                try:
                    for number in range(rounds):
                        path = f"/live/v0/{name}-{number}.m4s"
                        times.setdefault(name, []).append(await second(engine.port, path))
                finally:
                    await asyncio.to_thread(context.__exit__, None, None, None)
    return times


async def second(port: int, path: str) -> float:
    """Let two viewers ask; return how long the second one waited, in milliseconds."""
    first = asyncio.create_task(first_byte(port, path))
    await asyncio.sleep(APART_S)
    waited = await first_byte(port, path)
    await first
    return waited * 1000


async def first_byte(port: int, path: str) -> float:
    """Ask, and return how long the first byte of the body took; the rest is read as well."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(1)
    took = time.monotonic() - began
    await reader.read()
    writer.close()
    return took


@asynccontextmanager
async def slow_origin() -> AsyncGenerator[str]:
    """Serve anything, in pieces, with the length said beforehand."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                length = PIECE * PIECES
                writer.write(
                    f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n"
                    "Cache-Control: public, max-age=3600\r\n\r\n".encode()
                )
                for _ in range(PIECES):
                    writer.write(bytes(PIECE))
                    await asyncio.sleep(PAUSE_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


if __name__ == "__main__":
    main()
