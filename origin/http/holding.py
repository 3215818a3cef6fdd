"""Holding a request: for as long as there is something to wait for, and somebody who waits.

A viewer who closes the connection ends the hold; so does the process when it ends, and the time
that the caller allows. What is answered then is the caller's to say.
"""

import asyncio
from collections.abc import Callable

from fastapi import Request

from origin.streams.waiting import Hold, Outcome, WaitingRoom


async def held(
    request: Request, room: WaitingRoom, is_over: Callable[[], bool], within_s: float
) -> Outcome:
    """Hold ``request`` in ``room``; say why it is over."""
    hold = room.hold(is_over, within_s)
    watching = asyncio.ensure_future(_watch(request, hold))
    try:
        return await hold.outcome()
    finally:
        watching.cancel()


async def _watch(request: Request, hold: Hold) -> None:
    """Give up once the client is gone: only its connection tells."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    hold.leave()
