"""Viewers who do not read, when an edge is told to stop: they cost the drain time, and no more."""

import asyncio
import signal
import socket

import pytest

from tests.support.edge_processes import edge_process
from tests.support.origins import FakeOrigin, Resource

LARGE = b"x" * (8 * 1024 * 1024)
VIEWERS = 5


@pytest.mark.usefixtures("either_path")
async def test_viewers_who_do_not_read_do_not_keep_an_edge_from_leaving() -> None:
    origin = FakeOrigin()
    origin.serve("/a.m4s", Resource(LARGE, headers={"Cache-Control": "max-age=60"}))
    await origin.start()
    environment = {"TIDECAST_EDGE__LISTEN__DRAIN_S": "1"}
    async with edge_process(origin.url, environment=environment) as (child, viewers):
        stuck = [await start_to_read(viewers.port) for _ in range(VIEWERS)]
        child.send(signal.SIGTERM)
        code, said = await child.exit()
        for viewer in stuck:
            viewer.close()
    await origin.die()
    assert code == 0
    assert "Traceback" not in said
    assert "xxxx" not in said


async def start_to_read(port: int) -> socket.socket:
    """Ask for a large segment, see that it comes, and stop reading."""
    loop, viewer = asyncio.get_running_loop(), socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer.setblocking(False)
    await loop.sock_connect(viewer, ("127.0.0.1", port))
    await loop.sock_sendall(viewer, b"GET /a.m4s HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await loop.sock_recv(viewer, 15)) == b"HTTP/1.1 200 OK"
    return viewer
