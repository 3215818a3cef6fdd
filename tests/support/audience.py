"""An audience: viewers without a screen, who ask for what a player would ask for.

They are as patient as hls.js: a segment that cannot be had is asked for again, for as long as the
playlist lists it, and nobody sees more than a pause. A playlist that fails is a complaint at once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus

import m3u8
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector

POLL_S = 1.0
TIMEOUT_S = 20.0
"""As long as hls.js waits for the whole of an answer."""
RETRIES = 25
"""So often, once a poll, is a listed segment asked for; hls.js gives up after some 30 s."""


@lru_cache(maxsize=8)
def _read(text: str, address: str) -> m3u8.M3U8:
    """Read a playlist, once for all who got the same."""
    return m3u8.loads(text, uri=address)


@dataclass(slots=True)
class Audience:
    """So many viewers of one multivariant playlist; ``complaints`` is what went wrong."""

    url: str
    size: int
    complaints: list[str] = field(default_factory=list)
    polls: int = 0
    segments: set[str] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def saw(self, segments: int) -> None:
        """Wait until all of them together have had so many segments and the like."""
        while len(self.segments) < segments:
            self._news.clear()
            await self._news.wait()

    async def watch(self, seconds: float = 0, *, until: Callable[[int], bool]) -> None:
        """Let everybody watch at once: for so long, and until his own number of looks will do."""
        timeout, connector = ClientTimeout(total=TIMEOUT_S), TCPConnector(limit=0)
        async with ClientSession(timeout=timeout, connector=connector) as client:
            end = time.monotonic() + seconds
            viewers = (self._watch(client, end, until) for _ in range(self.size))
            await asyncio.gather(*viewers)

    async def _watch(self, client: ClientSession, end: float, until: Callable[[int], bool]) -> None:
        multivariant = _read(await self._playlist(client, self.url), self.url)
        address = multivariant.playlists[0].absolute_uri
        seen, waited_for, polls = set[str](), Counter[str](), 0
        while time.monotonic() < end or not until(polls):
            media = _read(await self._playlist(client, address), address)
            polls += 1
            self.polls += 1
            # The reader lists parts without a segment of their own yet as a segment without a URI.
            whole = [segment for segment in media.segments if segment.uri]
            for uri in [entry.absolute_uri for entry in (*media.segment_map, *whole)]:
                if uri in seen:
                    continue
                problem = await self._problem_with(client, uri)
                if problem is None:
                    seen.add(uri)
                    self.segments.add(uri)
                    self._news.set()
                    continue
                waited_for[uri] += 1
                if waited_for[uri] == RETRIES:
                    self.complaints.append(problem)
            await asyncio.sleep(POLL_S)

    async def _playlist(self, client: ClientSession, url: str) -> str:
        try:
            async with client.get(url) as answer:
                text = await answer.text()
        except (ClientError, TimeoutError) as error:
            self.complaints.append(f"{url}: {error!r}")
            return ""
        if answer.status != HTTPStatus.OK:
            self.complaints.append(f"{url}: {answer.status}")
        return text

    async def _problem_with(self, client: ClientSession, url: str) -> str | None:
        """Fetch media; say what was wrong with the answer."""
        try:
            async with client.get(url) as answer:
                await answer.read()
        except (ClientError, TimeoutError) as error:
            return f"{url}: {error!r}"
        return None if answer.status == HTTPStatus.OK else f"{url}: {answer.status}"
