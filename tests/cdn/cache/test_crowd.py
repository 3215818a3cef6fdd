"""Many come at once: how fast the door is, counted in turns of the loop."""

import asyncio
import socket
from contextlib import ExitStack

import uvloop

from tests.support.clocks import FakeClock
from tests.support.edges import running_edge

CROWD = 64
NOBODY = "http://127.0.0.1:9"


async def turns_until_all_are_in() -> int:
    """Have the crowd wait in the kernel's queue, then let the loop turn."""
    turns = 0
    async with running_edge(NOBODY, FakeClock()) as edge:
        with ExitStack() as stack:
            for _ in range(CROWD):
                stack.enter_context(socket.create_connection(("127.0.0.1", edge.port)))
            while edge.edge.hall.guests < CROWD and turns < 10 * CROWD:
                await asyncio.sleep(0)
                turns += 1
    return turns


def test_a_crowd_is_let_in_by_the_dozen_and_not_one_in_a_turn() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(turns_until_all_are_in()) <= CROWD / 4
