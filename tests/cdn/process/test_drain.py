"""The way out with the house full: held requests, slow readers, and a service manager who waits."""

import asyncio
import resource
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.edge_processes import edge_process
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import PATIENCE_S
from tests.support.viewers import read_answer, read_head

every_path = pytest.mark.usefixtures("either_path")

HELD = "/main/v0/index.m3u8?_HLS_msn=7"
SEGMENT = "/main/v0/a-7.m4s"
VIEWERS = 200


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    origin.serve("/healthz", Resource(b"ok"))
    await origin.start()
    yield origin
    await origin.die()


@every_path
async def test_two_hundred_held_requests_and_a_slow_reader_do_not_keep_it(
    origin: FakeOrigin,
) -> None:
    never = asyncio.Event()
    origin.serve(HELD, Resource(b"too late", gate=never))
    origin.serve(SEGMENT, Resource(b"x" * 30_000_000, headers={"Cache-Control": "max-age=600"}))
    async with edge_process(origin.url, "--drain", "2", drain_notice_s=1.0) as (child, viewers):
        slow, slow_writer = await viewers.ask(SEGMENT)
        assert (await read_head(slow))[0] == 200
        held = [await viewers.ask(HELD) for _ in range(VIEWERS)]
        while HELD not in origin.requests:
            origin.asked.clear()
            await origin.asked.wait()
        child.send(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            seen = await asyncio.gather(*(read_answer(reader) for reader, _ in held))
        assert {each.status for each in seen} == {503}
        assert {each.headers["retry-after"] for each in seen} == {"1"}
        code, _ = await child.exit()
        for _, writer in (*held, (slow, slow_writer)):
            writer.close()
    assert code == 0
    never.set()


async def heard(manager: socket.socket) -> str:
    async with asyncio.timeout(PATIENCE_S):
        data = await asyncio.get_running_loop().sock_recv(manager, 4096)
    return data.decode()


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_service_manager_hears_when_it_is_ready_reloads_and_stops(
    origin: FakeOrigin, tmp_path: Path, workers: int
) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.setblocking(False)
        told = {"NOTIFY_SOCKET": address}
        async with edge_process(origin.url, workers=workers, environment=told) as (child, _):
            assert await heard(manager) == "READY=1"
            child.send(signal.SIGHUP)
            reloading = (await heard(manager)).splitlines()
            assert reloading[0] == "RELOADING=1"
            assert reloading[1].removeprefix("MONOTONIC_USEC=").isdigit()
            assert await heard(manager) == "READY=1"
            child.send(signal.SIGTERM)
            assert await heard(manager) == "STOPPING=1"
            assert (await child.exit())[0] == 0


@every_path
async def test_when_descriptors_run_out_newcomers_wait_and_all_else_goes_on(
    origin: FakeOrigin,
) -> None:
    origin.serve(SEGMENT, Resource(b"x", headers={"Cache-Control": "max-age=600"}))
    beyond = {"TIDECAST_EDGE__LISTEN__CONNECTIONS": "10000"}
    async with edge_process(origin.url, environment=beyond) as (child, viewers):
        resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (128, 128))
        reader, writer = await viewers.ask(SEGMENT)
        assert (await read_answer(reader)).body == b"x"
        crowd = [await asyncio.open_connection("127.0.0.1", viewers.port) for _ in range(90)]
        await child.line("file descriptors have run out")
        waiting = [await viewers.ask(SEGMENT) for _ in range(40)]
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: viewers.example\r\n\r\n")
        assert (await read_answer(reader)).status == 503
        for _, each in crowd:
            each.close()
        async with asyncio.timeout(PATIENCE_S):
            seen = await asyncio.gather(*(read_answer(each) for each, _ in waiting))
        assert {each.body for each in seen} == {b"x"}
        for _, each in waiting:
            each.close()
        writer.close()
