"""The event loop's turns, for tests in which nothing but they has to pass."""

import asyncio


async def settle() -> None:
    """Let everything run that can run without anything else happening."""
    for _ in range(10):
        await asyncio.sleep(0)


async def close_door(server: asyncio.Server) -> None:
    """Let nobody else in, see everybody in whom the loop has accepted already, and close.

    A connection is made some turns after it was accepted. asyncio leaves those open for ever whose
    server has been closed in between.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    await settle()
    server.close()
