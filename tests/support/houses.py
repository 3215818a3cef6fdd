"""The origin's HTTP side in process, a camera that publishes, and viewers whose requests are held.

Time is the test's: it passes while the camera films, and when the test says so.
"""

import asyncio
import re
from collections.abc import Callable

import httpx

from origin.streams.door import Publication
from origin.streams.stream import Stream
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER, media
from tests.support.stations import Station
from tests.support.turns import settle

PLAYLIST = "/main/v0/index.m3u8"


class Camera:
    """A publisher that goes on for as long as the test says: 25 frames a second, GOPs of 2 s."""

    def __init__(self, station: Station, publication: Publication) -> None:
        self.station = station
        self.publication = publication
        self._media = media(3600)
        self._next = next(self._media)
        self.at_ms = 0
        publication.push(0, AVC_HEADER)
        publication.push(0, AAC_HEADER)

    def film(self, seconds: float) -> None:
        """Push what is filmed in so many seconds, which pass meanwhile."""
        until = self.at_ms + round(seconds * 1000)
        while self._next[0] <= until:
            at, frame = self._next
            self.station.clock.advance(max(0, at - self.at_ms) / 1000)
            self.at_ms = max(self.at_ms, at)
            self.publication.push(at, frame)
            self._next = next(self._media)
        self.at_ms = until


class House:
    """The origin in process, a camera, and viewers."""

    def __init__(self, station: Station, client: httpx.AsyncClient, camera: Camera) -> None:
        self.station = station
        self.client = client
        self.camera = camera

    @property
    def stream(self) -> Stream:
        stream = self.station.registry.find("main")
        assert stream is not None
        return stream

    @property
    def clock_advance(self) -> Callable[[float], None]:
        return self.station.clock.advance

    async def get(self, address: str) -> httpx.Response:
        return await self.client.get(address)

    async def playlist(self) -> str:
        return (await self.get(PLAYLIST)).text

    async def hint(self) -> str:
        return hint_in(await self.playlist())

    async def edge(self) -> tuple[int, int]:
        """What the hint says comes next: segment and part."""
        place = re.fullmatch(r"[^-]+-(\d+)\.(\d+)\.m4s", await self.hint())
        assert place is not None
        return int(place[1]), int(place[2])

    async def waiting(self, address: str, method: str = "GET") -> "asyncio.Task[httpx.Response]":
        """A viewer whose request is held by now."""
        before = len(self.stream.waiting)
        task = asyncio.ensure_future(self.client.request(method, address))
        await settle()
        await settle()
        assert len(self.stream.waiting) == before + 1
        return task

    def is_empty(self) -> bool:
        return len(self.stream.waiting) == 0


def hint_in(playlist: str) -> str:
    (hint,) = re.findall(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="(.*?)"', playlist)
    return str(hint)
