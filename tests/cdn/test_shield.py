"""An edge behind an edge as real processes: what the origin is asked, whoever asks and wherever."""

import asyncio

import pytest

from tests.support.edge_processes import edge_process
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import PATIENCE_S

pytestmark = pytest.mark.usefixtures("either_path")

HELD = "/main/v0/index.m3u8?_HLS_msn=7&_HLS_part=1"
SEGMENT = "/main/v0/a-7.m4s"
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}


async def test_two_near_edges_and_their_shield_ask_the_origin_once() -> None:
    origin, gate = FakeOrigin(), asyncio.Event()
    origin.serve("/healthz", Resource(b"ok"))
    origin.serve(HELD, Resource(b"part 1", headers={"Cache-Control": "max-age=12"}, gate=gate))
    origin.serve(SEGMENT, Resource(b"x" * 500_000, headers=FOR_EVER, is_chunked=True))
    await origin.start()
    async with (
        edge_process(origin.url) as (_, shield),
        edge_process(f"http://127.0.0.1:{shield.port}") as (_, one),
        edge_process(f"http://127.0.0.1:{shield.port}", workers=2) as (_, other),
    ):
        near = (one, other)
        held = [asyncio.create_task(edge.get(HELD)) for edge in near for _ in range(50)]
        async with asyncio.timeout(PATIENCE_S):
            await origin.asked.wait()
        gate.set()
        seen = await asyncio.gather(*held)
        seen += await asyncio.gather(*(edge.get(SEGMENT) for edge in near for _ in range(10)))
        ready = [(await edge.get("/readyz")).status for edge in (shield, *near)]
    assert {(each.status, each.is_whole) for each in seen} == {(200, True)}
    assert {len(each.body) for each in seen} == {6, 500_000}
    assert ready == [200, 200, 200]
    assert (origin.requests[HELD], origin.requests[SEGMENT]) == (1, 1)
    await origin.die()
