"""An audience: viewers without a screen, who ask for what a player would ask for."""

import asyncio
import time
from dataclasses import dataclass, field

import m3u8
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

POLL_S = 1.0
TIMEOUT_S = 5.0


@dataclass(slots=True)
class Audience:
    """So many viewers of one multivariant playlist; ``complaints`` is what went wrong."""

    url: str
    size: int
    complaints: list[str] = field(default_factory=list)
    polls: int = 0
    segments: set[str] = field(default_factory=set)
    newest_at: float = 0.0
    """When a segment was last seen that nobody had seen before."""

    async def watch(self, seconds: float) -> None:
        """Let everybody watch at once."""
        timeout, connector = ClientTimeout(total=TIMEOUT_S), TCPConnector(limit=0)
        async with ClientSession(timeout=timeout, connector=connector) as client:
            viewers = (self._watch(client, time.monotonic() + seconds) for _ in range(self.size))
            await asyncio.gather(*viewers)

    async def _watch(self, client: ClientSession, end: float) -> None:
        multivariant = m3u8.loads(await self._get(client, self.url), uri=self.url)
        playlist = multivariant.playlists[0].absolute_uri
        seen = set[str]()
        while time.monotonic() < end:
            media = m3u8.loads(await self._get(client, playlist), uri=playlist)
            self.polls += 1
            wanted = [entry.absolute_uri for entry in (*media.segment_map, *media.segments)]
            for uri in wanted:
                if uri not in seen:
                    seen.add(uri)
                    await self._get(client, uri)
                    self._note(uri)
            await asyncio.sleep(POLL_S)

    def _note(self, uri: str) -> None:
        if uri not in self.segments:
            self.segments.add(uri)
            self.newest_at = time.monotonic()

    async def _get(self, client: ClientSession, url: str) -> str:
        try:
            async with client.get(url) as answer:
                body = await answer.read()
        except (ClientError, TimeoutError) as error:
            self.complaints.append(f"{url}: {error!r}")
            return ""
        if answer.status != 200:
            self.complaints.append(f"{url}: {answer.status}")
        return body.decode(errors="replace") if url.endswith("m3u8") else ""
