"""Servers as actors: waited for, stopped, killed and started again."""

import socket
import sys
from pathlib import Path

import pytest

from tests.support.servers import (
    ADDRESS,
    LOWEST_GIVEN,
    NotReadyError,
    ServerProcess,
    free_ports,
    running,
)

POLITE = """
import http.server, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler
    ).serve_forever()
"""


def a_server(directory: Path) -> ServerProcess:
    (port,) = free_ports(1)
    arguments = [sys.executable, "-c", POLITE, str(port)]
    return ServerProcess(arguments, directory / "log", [f"http://{ADDRESS}:{port}/"])


def test_free_ports_are_all_different() -> None:
    assert len({*free_ports(20), *free_ports(20)}) == 40


def test_a_port_on_which_somebody_listens_is_left_out() -> None:
    (port,) = free_ports(1)
    with socket.create_server((ADDRESS, port + 1)):
        assert port + 1 not in free_ports(5)


@pytest.mark.skipif(LOWEST_GIVEN < 20_000, reason="the system gives away nearly all ports")
def test_no_outgoing_connection_is_given_a_free_port() -> None:
    assert max(free_ports(20)) < LOWEST_GIVEN


async def test_a_process_is_ready_when_it_answers_and_leaves_politely(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    async with running(server):
        assert server.exit_code is None
        assert "listening" in server.output()
        assert server.children() == {}
        assert await server.stop() == 0


async def test_a_killed_process_can_be_started_again(tmp_path: Path) -> None:
    server = a_server(tmp_path)
    async with running(server):
        first = server.pid
        await server.kill()
        assert server.exit_code == -9
        await server.start()
        assert server.pid != first
    assert server.exit_code == 0


async def test_a_process_that_dies_at_once_is_not_waited_for(tmp_path: Path) -> None:
    server = ServerProcess(
        [sys.executable, "-c", "raise SystemExit('no such thing')"],
        tmp_path / "log",
        [f"http://{ADDRESS}:{free_ports(1)[0]}/"],
    )
    with pytest.raises(NotReadyError, match="exit code 1:\nno such thing"):
        await server.start()
