"""The event loop's turns, for tests in which nothing but they has to pass."""

import asyncio


async def settle() -> None:
    """Let everything run that can run without anything else happening."""
    for _ in range(10):
        await asyncio.sleep(0)
