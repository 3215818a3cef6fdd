"""Scarcity is seen where it is: three who never rest, and one processor for all of them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.support.scarcity import EVERY_S, LONG_S, Scarcity, family, watched_for_scarcity

RESTLESS = "import os, sys\nos.sched_setaffinity(0, [int(sys.argv[1])])\nwhile True: pass"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this Linux does not count")
async def test_who_has_to_share_a_processor_is_seen_to_wait() -> None:
    core = str(min(os.sched_getaffinity(0)))
    async with watched_for_scarcity() as scarcity:
        restless = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", RESTLESS, core)
            for _ in range(3)
        ]
        try:
            assert {each.pid for each in restless} <= set(family(os.getpid()))
            while not scarcity.was_there():  # noqa: ASYNC110
                await asyncio.sleep(EVERY_S)  # it is seen in the processes' own time
        finally:
            for each in restless:
                each.kill()
                await each.wait()
    assert scarcity.longest_wait_s() > LONG_S


def test_of_who_is_gone_nothing_is_told() -> None:
    gone = Scarcity(2**22 + 1)  # beyond the highest pid
    gone.look()
    assert gone.longest_wait_s() == 0.0
