"""Low latency, as two viewers see it at once: one behind an edge, one behind an edge behind it.

A camera films the clock, so how late the picture is can be read off the picture. The bound here is
generous, because the machine also runs the camera, the servers, and two browsers that decode
without a GPU; what is promised is measured by `python -m benchmarks.latency`. It is still far below
what the same stream has without its parts: three segments.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.support.browser import SMALL, Visit, chromium, visit
from tests.support.camera import filming
from tests.support.glass import Glass, look, percentile
from tests.support.scarcity import TRIES, Scarcity, watched_for_scarcity
from tests.support.servers import TidecastProcess, edge, tidecast

WATCHED_S = 60.0
PLAUSIBLE_MS = 3000.0
LOOKS = 30
"""Three seconds, if the browser comes to all of them."""
GONE_S = 1.5
BACK_WITHIN_S = 60.0
A_PART = re.compile(r"-\d+\.\d+\.m4s$")


class Viewer:
    """One browser's page of the stream, with a probe behind its glass."""

    def __init__(self, visit: Visit, glass: Glass, base: str) -> None:
        self.visit = visit
        self.glass = glass
        self.base = base

    @property
    def page(self) -> Page:
        return self.visit.page

    async def open(self) -> None:
        await self.page.goto(f"{self.base}/main")
        await self.glass.first_frame()
        await expect(self.page.locator("body[data-state=live]")).to_be_attached()

    def parts(self) -> list[str]:
        """Addresses of the parts that were asked for."""
        return [asked.url for asked in self.visit.requests if A_PART.search(asked.url)]

    def held(self) -> list[str]:
        """Playlists that were asked for before they existed."""
        return [asked.url for asked in self.visit.requests if "_HLS_part=" in asked.url]

    def loads(self) -> int:
        """How often playing began anew: a fatal error ends in another load, or in a complaint."""
        return len(self.visit.asked_for("/main/index.m3u8"))

    def trouble(self) -> str:
        """What the console says, and which answers were none."""
        refused = [
            f"{asked.status} {asked.url}"
            for asked in self.visit.requests
            if asked.status is not None and asked.status >= 400
        ]
        return "\n".join(self.visit.complaints + refused)

    async def watches_a_minute(self, scarcity: Scarcity) -> None:
        """Fail unless the picture is close to live for a minute, and never stands still.

        A minute in which the machine left anybody here without a processor shows nothing about us,
        and is watched again, twice at most.
        """
        for _ in range(TRIES):
            began_s, before = scarcity.now_s(), await self.glass.report()
            await asyncio.sleep(WATCHED_S)
            seen = await self.glass.report()
            stalls = seen.stalls - before.stalls
            age_ms = percentile(seen.ages_ms(after_ms=before.last.at_ms), 0.5)
            was_starved = scarcity.was_there(since_s=began_s) or seen.was_starved(
                after_ms=before.last.at_ms
            )
            if (stalls == 0 and age_ms < PLAUSIBLE_MS) or not was_starved:
                break
        assert stalls == 0, "not one stall in a minute"
        assert age_ms < PLAUSIBLE_MS
        assert len(self.parts()) > WATCHED_S
        assert len(self.held()) > WATCHED_S
        assert self.trouble() == ""

    async def sees(self, taken_ms: float) -> None:
        """Wait for a picture that was filmed then or later."""
        async with asyncio.timeout(BACK_WITHIN_S):
            while (await self.glass.report()).last.taken_ms < taken_ms:  # noqa: ASYNC110
                await asyncio.sleep(0.2)  # the picture gives no event

    async def is_close(self) -> None:
        """Wait until the picture has been as late as low latency is for some seconds."""
        async with asyncio.timeout(BACK_WITHIN_S):
            while not await self._was_close():  # noqa: ASYNC110
                await asyncio.sleep(0.5)  # the picture gives no event

    async def _was_close(self) -> bool:
        last = (await self.glass.report()).samples[-LOOKS:]
        return len(last) == LOOKS and all(each.age_ms < PLAUSIBLE_MS for each in last)


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[TidecastProcess]:
    async with tidecast(tmp_path, "--open") as running:
        yield running


@pytest.fixture
async def viewers(origin: TidecastProcess, tmp_path: Path) -> AsyncIterator[list[Viewer]]:
    """One at the origin's own edge, one at an edge that knows only that edge."""
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(edge(tmp_path, origin.base))
        browser: Browser = await stack.enter_async_context(chromium())
        found = []
        for base in (origin.base, behind.base):
            opened = await stack.enter_async_context(visit(browser, viewport=SMALL))
            found.append(Viewer(opened, await look(opened.page), base))
        yield found


@pytest.mark.timeout(360)
async def test_a_minute_without_a_stall_and_a_publisher_who_is_gone_for_a_moment(
    origin: TidecastProcess, viewers: list[Viewer]
) -> None:
    url = origin.rtmp_url("main")
    async with filming(url) as camera, filming(url, held=True) as spare:
        await spare.ready()
        await camera.began()
        await origin.until("main", "live")
        await asyncio.gather(*(viewer.open() for viewer in viewers))
        await asyncio.gather(*(viewer.is_close() for viewer in viewers))
        async with watched_for_scarcity() as scarcity:
            await asyncio.gather(*(viewer.watches_a_minute(scarcity) for viewer in viewers))

        await camera.vanish()
        await asyncio.sleep(GONE_S)
        spare.start()
        began_ms = await spare.began()
        await asyncio.gather(*(viewer.sees(began_ms) for viewer in viewers))
        await asyncio.gather(*(viewer.is_close() for viewer in viewers))
    for viewer in viewers:
        assert viewer.trouble() == ""
        assert viewer.loads() == 1, "the same player went on"
        assert viewer.visit.foreign_requests(viewer.base) == []
