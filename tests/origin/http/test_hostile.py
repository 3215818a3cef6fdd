"""What strangers send to the origin's HTTP port: refused, in time, with no word too many."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from uvicorn.server import ServerState

from origin.http.app import create_app
from origin.http.connection import BoundedProtocol
from origin.http.limits import HttpLimits
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.broadcasts import broadcast
from tests.support.clocks import FakeClock
from tests.support.hostile import MALFORMED, NONSENSE, UNSERVED
from tests.support.stations import Station
from tests.support.turns import close_door, settle

LIMITS = HttpLimits()


@dataclass(frozen=True, slots=True)
class Port:
    """The origin's HTTP side on a real port, with a clock that the test owns."""

    number: int
    clock: FakeClock

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)

    async def says(self, stream: bytes) -> bytes:
        """All that is answered until the connection ends."""
        reader, writer = await self.connect()
        writer.write(stream)
        async with asyncio.timeout(60):
            said = await reader.read()
        writer.transport.abort()
        return said


@pytest.fixture
async def port(station: Station) -> AsyncIterator[Port]:
    broadcast(await station.publish(), 9.0, meanwhile=station.clock.advance)
    state = OriginState(station.registry, MetricsPage(lambda: ()), lambda: station.is_draining)
    clock, loop, connections = FakeClock(), asyncio.get_running_loop(), ServerState()
    config = uvicorn.Config(create_app(state), ws="none", lifespan="off", log_config=None)
    config.load()

    def connection() -> asyncio.Protocol:
        return BoundedProtocol(clock, LIMITS, config, connections, {}, loop)

    server = await loop.create_server(connection, "127.0.0.1", 0)
    yield Port(server.sockets[0].getsockname()[1], clock)
    await close_door(server)
    for each in tuple(connections.connections):
        each.transport.abort()
    await settle()


def statuses(said: bytes) -> list[int]:
    return [int(each) for each in re.findall(rb"(?:^|\n)HTTP/1\.1 (\d+)", said)]


def request(target: str, method: str = "GET", fields: str = "") -> bytes:
    last = f"Host: evil.example\r\nConnection: close\r\n{fields}\r\n"
    return f"{method} {target} HTTP/1.1\r\n{last}".encode("latin-1")


@pytest.mark.parametrize("stream", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_request_is_refused_once_and_the_connection_ends(
    port: Port, stream: bytes
) -> None:
    said = await port.says(stream)
    assert statuses(said) == [400]
    assert b"nosniff" in said


@pytest.mark.parametrize("query", NONSENSE)
async def test_directives_that_mean_nothing_are_refused(port: Port, query: str) -> None:
    assert statuses(await port.says(request(f"/main/v0/index.m3u8?{query}"))) == [400]


@pytest.mark.parametrize("method", UNSERVED)
async def test_methods_that_change_something_are_refused(port: Port, method: str) -> None:
    said = await port.says(request("/main/index.m3u8", method, "Content-Length: 3\r\n") + b"abc")
    assert statuses(said) == [405]


@pytest.mark.parametrize(
    "target",
    [
        *("/main/../api/v1", "/main/%2e%2e/api/v1", "//evil.example/", "/%zz", "/main%00"),
        *("/assets/../../pyproject.toml", "/assets/..%2f..%2fpyproject.toml", "/" + "a" * 20_000),
    ],
    ids=lambda target: str(target)[:30],
)
async def test_paths_that_lead_nowhere_are_not_found(port: Port, target: str) -> None:
    said = await port.says(request(target))
    assert statuses(said) == [404]
    assert b"[project]" not in said


@pytest.mark.parametrize(
    "target", ["/main", "/main/", "/", "/healthz", "/main/v0/none.m4s", "/api/v1/none", "/docs"]
)
async def test_the_host_that_was_asked_for_is_repeated_nowhere_and_nothing_is_sniffed(
    port: Port, target: str
) -> None:
    said = await port.says(request(target))
    assert b"evil.example" not in said
    assert said.lower().count(b"x-content-type-options: nosniff") == 1


@pytest.mark.parametrize("ranges", ["a-b", "9-1", "0-" + "9" * 5000, "0-0," * 1000 + "1-1", "-"])
async def test_ranges_that_make_no_sense_get_the_whole(port: Port, ranges: str) -> None:
    playlist = await port.says(request("/main/v0/index.m3u8"))
    segment = re.findall(rb"\n([\w-]+\.m4s)\n", playlist)[0].decode()
    said = await port.says(request(f"/main/v0/{segment}", fields=f"Range: bytes={ranges}\r\n"))
    assert statuses(said) in ([200], [416])


@pytest.mark.parametrize("drop", [b"", b"GET /ma", b"GET /main HTTP/1.1\r\nHost: x\r\nX: "])
async def test_a_request_that_comes_by_drops_is_cut_off_in_time(port: Port, drop: bytes) -> None:
    reader, writer = await port.connect()
    writer.write(drop)
    await settle()
    for _ in range(int(2 * LIMITS.request_s) + 2):
        port.clock.advance(1.0)
        await settle()
    assert await ended(reader) == b""
    writer.transport.abort()


async def test_a_held_request_before_nonsense_leaves_nothing_behind(
    port: Port, station: Station
) -> None:
    stream = station.registry.find("main")
    assert stream is not None
    assert stream.session is not None
    msn = stream.session.presentation.main.live_edge.msn
    held = f"GET /main/v0/index.m3u8?_HLS_msn={msn} HTTP/1.1\r\nHost: o\r\n\r\n".encode()
    assert statuses(await port.says(held * 2 + b"\0\r\n\r\n")) == [400]
    await settle()
    assert len(stream.waiting) == 0


async def test_a_request_without_an_end_is_refused_at_its_bound(port: Port) -> None:
    reader, writer = await port.connect()
    writer.write(b"GET /main HTTP/1.1\r\nHost: o\r\n" + b"X-Field: and more\r\n" * 8_000)
    assert statuses(await ended(reader)) in ([], [400]), "a reset may overtake the words"
    writer.transport.abort()


async def test_who_does_not_read_an_answer_is_cut_off(port: Port) -> None:
    reader, writer = await port.connect()
    transport = writer.transport
    assert isinstance(transport, asyncio.Transport)
    transport.pause_reading()
    playlist = await port.says(request("/main/v0/index.m3u8"))
    segment = re.findall(rb"\n([\w-]+\.m4s)\n", playlist)[0].decode()
    ask = f"GET /main/v0/{segment} HTTP/1.1\r\nHost: o\r\n\r\n".encode()
    for _ in range(400):
        if port.clock.pending:
            break
        writer.write(ask * 20)
        await settle()
    assert port.clock.pending, "the origin has more to send than anybody takes"
    for _ in range(int(2 * LIMITS.slow_reader_s) + 2):
        port.clock.advance(1.0)
        await settle()
    transport.resume_reading()
    await ended(reader)
    transport.abort()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What is read until the connection ends, however it does."""
    async with asyncio.timeout(60):
        try:
            return await reader.read()
        except ConnectionError:
            return b""
