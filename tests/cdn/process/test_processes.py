"""The edge as real processes: how it starts, how it ends, and what outlives what."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from cdn.process.workers import successor_due
from tests.support.edge_processes import NOBODY, command, edge_process, port_in
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import PATIENCE_S, Child, python, until_gone
from tests.support.servers import two_ports
from tests.support.viewers import read_answer, read_head

every_path = pytest.mark.usefixtures("either_path")
"""For what viewers see of it; the rest has nothing to do with how they are answered."""

SEGMENT = b"x" * 100_000


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    origin.serve("/a.m4s", Resource(SEGMENT, headers={"Cache-Control": "max-age=60"}))
    origin.serve("/healthz", Resource(b"ok"))
    await origin.start()
    yield origin
    await origin.die()


def end_politely(child: Child) -> None:
    child.send(signal.SIGTERM)


@every_path
@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGINT)])
async def test_an_edge_that_is_told_to_stop_does_so_and_is_content(
    origin: FakeOrigin, number: signal.Signals, workers: int
) -> None:
    async with edge_process(origin.url, workers=workers) as (child, viewers):
        assert (await viewers.get("/a.m4s")).body == SEGMENT
        idle_reader, idle = await viewers.ask("/a.m4s")
        await read_answer(idle_reader)
        child.send(number)
        code, said = await child.exit()
        idle.close()
    assert code == 0
    assert said == ""


@every_path
@pytest.mark.parametrize(("workers", "stop"), [(1, Child.interrupt), (2, end_politely)])
async def test_on_the_way_out_running_responses_are_finished_and_readiness_says_no(
    origin: FakeOrigin, workers: int, stop: Callable[[Child], None]
) -> None:
    gate = origin.resources["/a.m4s"].middle_gate = asyncio.Event()
    async with edge_process(origin.url, workers=workers, drain_notice_s=1.0) as (child, viewers):
        assert (await viewers.get("/readyz")).status == 200
        reader, writer = await viewers.ask("/a.m4s")
        _, headers = await read_head(reader)
        stop(child)
        async with asyncio.timeout(PATIENCE_S):
            while (await viewers.get("/readyz")).status == 200:
                pass  # the signal is on its way
        async with asyncio.timeout(PATIENCE_S):
            while await is_open(viewers.port):
                pass  # the notice runs in the process's own time
        gate.set()
        assert await reader.readexactly(int(headers["content-length"])) == SEGMENT
        writer.close()
        assert (await child.exit())[0] == 0


async def test_a_second_signal_ends_it_at_once(origin: FakeOrigin) -> None:
    async with edge_process(origin.url, drain_notice_s=60.0) as (child, viewers):
        end_politely(child)
        async with asyncio.timeout(PATIENCE_S):
            while (await viewers.get("/readyz")).status == 200:
                pass  # the signal is on its way
        end_politely(child)
        assert (await child.exit())[0] == -signal.SIGTERM


async def is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:  # refused, or reset where it was still in the queue
        return False
    writer.close()
    return True


async def test_a_worker_that_is_killed_is_back_soon_and_nobody_is_turned_away(
    origin: FakeOrigin,
) -> None:
    async with edge_process(origin.url, workers=2) as (child, viewers):
        victim, survivor = sorted(child.children())
        os.kill(victim, signal.SIGKILL)
        for seen in await asyncio.gather(*(viewers.get("/a.m4s") for _ in range(20))):
            assert (seen.status, seen.body) == (200, SEGMENT)
        await child.line("a worker ended")
        await child.line("the edge is open")
        assert survivor in child.children()
        assert len(child.children() - {victim}) == 2


async def test_a_worker_that_hangs_is_killed_when_its_time_is_over(origin: FakeOrigin) -> None:
    async with edge_process(origin.url, "--drain", "1", workers=2) as (child, _):
        hung = min(child.children())
        os.kill(hung, signal.SIGSTOP)
        try:
            child.send(signal.SIGTERM)
            assert (await child.exit())[0] == 0
            await until_gone(hung)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(hung, signal.SIGKILL)


def test_the_successor_of_a_worker_that_died_young_has_to_wait() -> None:
    assert successor_due(10.0, 10.9) == 11.4
    assert successor_due(10.0, 11.0) == 11.0


async def test_a_supervisor_that_is_killed_leaves_no_orphans_who_hold_its_port(
    origin: FakeOrigin,
) -> None:
    async with edge_process(origin.url, workers=2, drain_notice_s=60.0) as (child, viewers):
        workers = child.children()
        child.send(signal.SIGKILL)
        await asyncio.gather(*map(until_gone, workers))
        socket.create_server(("127.0.0.1", viewers.port)).close()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_edge_ends_with_whoever_started_it(workers: str) -> None:
    arguments = command(NOBODY, "--exit-with-parent", "--workers", workers)
    starter = (
        "import subprocess, sys;"
        f"child = subprocess.Popen([sys.executable, *{arguments!r}]);"
        "print('started', child.pid, file=sys.stderr, flush=True);"
        "sys.stdin.read()"
    )
    async with python("-c", starter) as parent:
        pid = int((await parent.line("started")).split()[1])
        port = port_in(await parent.line("the edge is open"))
        parent.send(signal.SIGKILL)
        await until_gone(pid)
        async with asyncio.timeout(PATIENCE_S):
            while await is_open(port):
                pass  # its workers end just after it


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_port_in_use_is_said_in_one_line_with_the_remedy(workers: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        async with python(*command(NOBODY, "--http-port", port, "--workers", workers)) as child:
            code, said = await child.exit()
    assert code == 1
    assert said == (
        f"tidecast edge: port {port} is in use by another program; stop it, or choose --http-port\n"
    )


async def test_two_edges_do_not_share_a_port_by_accident(origin: FakeOrigin) -> None:
    async with edge_process(origin.url, workers=2) as (_, viewers):
        arguments = command(NOBODY, "--http-port", str(viewers.port), "--workers", "2")
        async with python(*arguments) as second:
            code, said = await second.exit()
    assert code == 1
    assert "is in use" in said


async def test_workers_that_can_never_start_are_not_started_for_ever() -> None:
    port = two_ports()
    with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 1)):
        flags = ("--metrics-port", str(port), "--workers", "2")
        async with python(*command(NOBODY, *flags)) as child:
            code, said = await child.exit()
    assert code == 1
    refused = re.search(r"port (\d+) cannot be had", said)
    assert refused is not None, said
    assert int(refused[1]) in (port, port + 1), "whichever worker was the first to say so"


async def test_each_worker_has_a_metrics_port_of_its_own() -> None:
    async with python(*command(NOBODY, "--workers", "2")) as child:
        lines = [await child.line("the edge is open") for _ in range(2)]
    ports = {line.split("metrics=http://127.0.0.1:")[1].split("/")[0] for line in lines}
    assert len(ports) == 2


async def test_settings_that_cannot_be_used_end_it_before_it_starts() -> None:
    async with python("-m", "cdn", "--http-port", "many") as child:
        code, said = await child.exit()
    assert code == 2
    assert "tidecast edge: listen.http_port: " in said
    assert "tidecast edge: origin: is needed (--origin URL)" in said
