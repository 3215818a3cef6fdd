"""SIGTERM while a hundred requests are held: all are answered, and the process is not held up."""

import asyncio
import re
from pathlib import Path

from aiohttp import ClientSession, TCPConnector

from tests.support.pushers import Picture, Sound, pushing
from tests.support.servers import ASK_EVERY_S, NO_EDGE, tidecast

VIEWERS = 100


async def ask(client: ClientSession, address: str) -> tuple[int, str]:
    async with client.get(address) as answer:
        return answer.status, await answer.text()


async def until_shown(client: ClientSession, address: str, pattern: str) -> re.Match[str]:
    """Ask until the answer has something in it."""
    async with asyncio.timeout(60):
        while True:
            found = re.search(pattern, (await ask(client, address))[1])
            if found is not None:
                return found
            await asyncio.sleep(ASK_EVERY_S)  # another process gives no event


async def test_those_who_are_held_are_answered_when_the_process_ends(tmp_path: Path) -> None:
    async with (
        tidecast(tmp_path, "--open", *NO_EDGE) as origin,
        pushing(origin.rtmp_url("main"), Picture(), Sound()) as pusher,
        ClientSession(connector=TCPConnector(limit=0)) as client,
    ):
        playlist = f"{origin.control}/main/v0/index.m3u8"
        hint = await until_shown(client, playlist, r"PRELOAD-HINT.*-(\d+)\.\d+\.m4s")
        address = f"{playlist}?_HLS_msn={int(hint[1]) + 1}"
        pusher.freeze()  # nobody is answered before all have asked
        viewers = [asyncio.ensure_future(ask(client, address)) for _ in range(VIEWERS)]
        held = f'tidecast_stream_held_requests{{stream="main"}} {VIEWERS}.0'
        await until_shown(client, f"{origin.control}/metrics", held)
        assert await origin.stop() == 0
        assert {status for status, _ in await asyncio.gather(*viewers)} <= {200, 503}
