"""Servers as their operators run them: real processes on free ports.

::

    async with tidecast(tmp_path, "--open") as origin:
        await publish(origin.rtmp_url("main"))
        ...
        assert await origin.stop() == 0

The actor owns its process: whatever a test does, leaving the block ends it. What the server
writes goes to a file in the directory that it is given, since a pipe that nobody reads fills up
and stops the writer. Nothing here imports the product: a test that starts it like an operator
may know it only as one.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.support.processes import inherited

ADDRESS = "127.0.0.1"
READY_WITHIN_S = 90.0
"""Time for a machine on which a dozen start at once; one that ends before is noticed at once."""
STOP_WITHIN_S = 30.0
"""The product promises 10 s (SIGTERM to exit); the rest is a busy machine's."""
ASK_EVERY_S = 0.05
NO_EDGE = ("--edge-workers", "0")
"""Flags of an origin whose edges run elsewhere."""


class NotReadyError(Exception):
    """The process ended, or did not answer in time; the text is what it wrote."""


class Ports(NamedTuple):
    """Where one Tidecast listens."""

    rtmp: int
    http: int
    control: int


LOWEST_PORT, STRIDE = 10_000, 7919
LOWEST_GIVEN = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
"""To outgoing connections, by the system."""


def _walk() -> Iterator[int]:
    """Ports below those that the system gives away, from a place of this process's own onwards.

    What the system gives to outgoing connections may be taken before a slow server has come to it,
    or while one that was killed is away; and who walks on does not meet his own servers again.
    """
    size = max(LOWEST_GIVEN, 2 * LOWEST_PORT) - LOWEST_PORT
    start = os.getpid() * STRIDE
    return (LOWEST_PORT + (start + step) % size for step in count())


_ports = _walk()


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on: all different, and free a moment ago."""
    return list(islice(filter(_is_free, _ports), number))


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind((ADDRESS, port))
        except OSError:
            return False
        return True


def two_ports() -> int:
    """The first of two free ports in a row."""
    first, second = free_ports(2)
    while second != first + 1:
        first, (second,) = second, free_ports(1)
    return first


class ServerProcess:
    """One process: started, waited for, stopped politely or not."""

    def __init__(self, arguments: Sequence[str], log: Path, ready_urls: Sequence[str]) -> None:
        self._arguments = arguments
        self._log = log
        self._ready_urls = ready_urls
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; also once more after it was stopped or killed."""
        with self._log.open("ab") as log:  # the process keeps the descriptor
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=inherited(),
            )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await self._ready()
        except TimeoutError as error:
            raise NotReadyError(f"no answer after {READY_WITHIN_S} s:\n{self.output()}") from error

    async def _ready(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=5)) as client:
            for url in self._ready_urls:
                while not await self._answers(client, url):  # noqa: ASYNC110
                    await asyncio.sleep(ASK_EVERY_S)  # another process gives no event

    async def _answers(self, client: ClientSession, url: str) -> bool:
        if self.exit_code is not None:
            raise NotReadyError(f"exit code {self.exit_code}:\n{self.output()}")
        try:
            async with client.get(url, ssl=False) as answer:  # its certificate may be a test's own
                return answer.status == 200
        except (ClientError, TimeoutError):
            return False

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._started().returncode

    def output(self) -> str:
        """All that it has written, of all its starts."""
        return self._log.read_text(errors="replace")

    async def stop(self) -> int:
        """SIGTERM, as a service manager would; the exit code."""
        process = self._started()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), STOP_WITHIN_S)

    async def kill(self) -> None:
        """SIGKILL, as the kernel would when memory is out."""
        process = self._started()
        if process.returncode is None:
            process.kill()
        await process.wait()

    def children(self) -> dict[int, str]:
        """The command lines of the processes that it has started itself, by pid."""
        found = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            for pid in (task / "children").read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                found[int(pid)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
        return found

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process


class TidecastProcess(ServerProcess):
    """``tidecast serve`` with everything on ports and in a directory of its own."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self.ports = Ports(*free_ports(3))
        arguments = [
            *(sys.executable, "-m", "origin", "serve"),
            *("--data-dir", str(directory / "data")),
            *("--host", ADDRESS),
            *("--rtmp-port", str(self.ports.rtmp)),
            *("--http-port", str(self.ports.http)),
            *("--control-port", str(self.ports.control)),
            *flags,
        ]
        ready = [f"{self.control}/readyz"]
        if NO_EDGE[0] not in flags:
            ready.append(f"{self.base}/readyz")
        super().__init__(arguments, directory / "tidecast.log", ready)

    @property
    def base(self) -> str:
        """Where viewers go."""
        return f"http://{ADDRESS}:{self.ports.http}"

    @property
    def control(self) -> str:
        """Where edges and operators go."""
        return f"http://{ADDRESS}:{self.ports.control}"

    async def until(self, stream: str, state: str) -> None:
        """Wait until the origin says that ``stream`` is in ``state``."""
        url = f"{self.control}/{stream}/status.json"
        async with asyncio.timeout(READY_WITHIN_S), ClientSession() as client:
            while await self._state_at(client, url) != state:  # noqa: ASYNC110
                await asyncio.sleep(ASK_EVERY_S)

    async def _state_at(self, client: ClientSession, url: str) -> object:
        async with client.get(url) as answer:
            return (await answer.json()).get("state")

    def rtmp_url(self, key: str) -> str:
        """Where the streamer with this key publishes."""
        return f"rtmp://{ADDRESS}:{self.ports.rtmp}/live/{key}"


class EdgeProcess(ServerProcess):
    """``python -m cdn``: an edge on a machine of its own, in front of ``origin``."""

    def __init__(self, directory: Path, origin: str, *flags: str) -> None:
        (self.port,) = free_ports(1)
        arguments = [
            *(sys.executable, "-m", "cdn", "--origin", origin),
            *("--host", ADDRESS, "--http-port", str(self.port)),
            *flags,
        ]
        super().__init__(arguments, directory / f"edge-{self.port}.log", [f"{self.base}/readyz"])

    @property
    def base(self) -> str:
        """Where viewers go."""
        return f"http://{ADDRESS}:{self.port}"


@asynccontextmanager
async def tidecast(directory: Path, *flags: str) -> AsyncIterator[TidecastProcess]:
    """A running origin with its edge; ended on the way out, however that is."""
    server = TidecastProcess(directory, *flags)
    async with running(server):
        yield server


@asynccontextmanager
async def edge(directory: Path, origin: str, *flags: str) -> AsyncIterator[EdgeProcess]:
    """A running edge of its own; ended on the way out, however that is."""
    server = EdgeProcess(directory, origin, *flags)
    async with running(server):
        yield server


@asynccontextmanager
async def running(server: ServerProcess) -> AsyncIterator[None]:
    """Start it, and see to it that it ends; one that does not by itself is killed, loudly."""
    try:
        await server.start()
        yield
    finally:
        try:
            await server.stop()
        except TimeoutError:
            await server.kill()
            raise
