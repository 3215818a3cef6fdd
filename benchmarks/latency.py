"""How far behind the camera viewers are, and how soon they see anything.

    python -m benchmarks.latency [--seconds 120] [--visits 7] [--edges 1]

A camera films the wall clock (tests/support/camera.py) and publishes it to `tidecast serve` with
its default settings; headless Chromium opens the watch page at the edge, or at the last of several
edges one behind another, and the clock is read off its pixels. Printed are

    playlist   from the first frame's moment to the first playlist that can be played; the first
               segment ends with its GOP, so what counts is the time over that
    page       from opening the page of a live stream to its first frame on the screen
    glass      the picture's age, ten times a second, with stalls, drift and playback rates

and with --json the same as one JSON object per line. Everything shares this machine: Chromium
decodes without a GPU beside the servers, so a loaded machine makes every figure worse.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession
from playwright.async_api import Browser

from tests.support.browser import chromium, visit
from tests.support.camera import Film, filming
from tests.support.glass import Sample, Seen, look, percentile
from tests.support.servers import TidecastProcess, edge, tidecast

PLAYLIST_OVER_GOP_MS = 100
FIRST_FRAME_MS = 500
GLASS_P50_MS, GLASS_P95_MS = 1500, 2000
SETTLED_MS = 5000
"""The first seconds of a visit are spent on getting close; they have figures of their own."""
WARM_UP_S = 5.0

Figures = dict[str, float]


@asynccontextmanager
async def servers(folder: Path, edges: int) -> AsyncIterator[tuple[TidecastProcess, str]]:
    """An origin with ``edges`` edges one behind another; where its viewers go."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(tidecast(folder, "--open"))
        base = origin.base
        for _ in range(edges - 1):
            base = (await stack.enter_async_context(edge(folder, base))).base
        yield origin, base


async def first_playlist(base: str) -> float:
    """When the media playlist could first be played, in milliseconds of the wall clock."""
    async with ClientSession() as client:
        while True:
            async with client.get(f"{base}/main/v0/index.m3u8") as answer:
                if answer.status == 200 and "#EXTINF" in await answer.text():
                    return time.time() * 1000
            await asyncio.sleep(0.01)


async def first_frame(browser: Browser, base: str) -> float:
    async with visit(browser) as viewer:
        glass = await look(viewer.page)
        await viewer.page.goto(f"{base}/main")
        return await glass.first_frame()


async def long_look(browser: Browser, base: str, seconds: float) -> tuple[Seen, list[str]]:
    async with visit(browser) as viewer:
        glass = await look(viewer.page)
        await viewer.page.goto(f"{base}/main")
        await glass.first_frame()
        await asyncio.sleep(seconds + SETTLED_MS / 1000)
        return await glass.report(), viewer.complaints


def glass_figures(seen: Seen, complaints: list[str]) -> Figures:
    """What the picture's age was, once it had settled."""
    ages = seen.ages_ms(after_ms=SETTLED_MS)
    settled = [each for each in seen.samples if each.at_ms >= SETTLED_MS]
    return {
        "p5_ms": percentile(ages, 0.05),
        "p50_ms": percentile(ages, 0.50),
        "p95_ms": percentile(ages, 0.95),
        "max_ms": ages[-1],
        "seconds": (settled[-1].at_ms - settled[0].at_ms) / 1000,
        "stalls": seen.stalls,
        "complaints": len(complaints),
        "drift_ms_per_min": drift(settled),
        "fastest_rate": max(each.rate for each in settled),
        "slowest_rate": min(each.rate for each in settled),
        "faster_share": sum(each.rate > 1 for each in settled) / len(settled),
        "dropped_frames": seen.dropped_frames,
        "frames": seen.total_frames,
    }


def drift(samples: list[Sample]) -> float:
    """By how many milliseconds the age grows per minute: the slope of the least squares."""
    line = statistics.linear_regression(
        [each.at_ms / 60_000 for each in samples], [each.age_ms for each in samples]
    )
    return line.slope


async def measure(seconds: float, visits: int, edges: int) -> dict[str, Figures]:
    """One broadcast, and everything that is asked of it."""
    film = Film()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            servers(Path(folder), edges) as (origin, base),
            filming(origin.rtmp_url("main"), film) as camera,
            chromium() as browser,
        ):
            playlist_at = await first_playlist(base)
            over_ms = playlist_at - await camera.began() - film.gop_s * 1000
            await asyncio.sleep(WARM_UP_S)
            opened = [await first_frame(browser, base) for _ in range(visits)]
            seen, complaints = await long_look(browser, base, seconds)
    return {
        "playlist": {"over_gop_ms": over_ms},
        "page": {
            "cold_edge_ms": opened[0],
            "median_ms": statistics.median(opened[1:]),
            "max_ms": max(opened[1:]),
        },
        "glass": glass_figures(seen, complaints),
    }


def words(told: dict[str, Figures]) -> str:
    playlist, page, glass = told["playlist"], told["page"], told["glass"]
    return (
        f"  playlist  {playlist['over_gop_ms']:.0f} ms after the first GOP's end"
        f" (target {PLAYLIST_OVER_GOP_MS})\n"
        f"  page      first frame after {page['median_ms']:.0f} ms, at worst {page['max_ms']:.0f},"
        f" {page['cold_edge_ms']:.0f} with a cold edge (target {FIRST_FRAME_MS})\n"
        f"  glass     p50 {glass['p50_ms']:.0f} ms, p95 {glass['p95_ms']:.0f},"
        f" max {glass['max_ms']:.0f} over {glass['seconds']:.0f} s"
        f" (target p50 {GLASS_P50_MS}, p95 {GLASS_P95_MS})\n"
        f"            {glass['stalls']:.0f} stalls, {glass['complaints']:.0f} complaints,"
        f" drift {glass['drift_ms_per_min']:+.0f} ms/min, rate {glass['slowest_rate']} to"
        f" {glass['fastest_rate']} (over 1 for {glass['faster_share']:.0%} of the time),"
        f" {glass['dropped_frames']:.0f} of {glass['frames']:.0f} frames dropped"
    )


def main() -> None:
    """Measure, and print words or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--edges", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    told = asyncio.run(measure(given.seconds, given.visits, given.edges))
    if given.json:
        for name, figures in told.items():
            print(json.dumps({"benchmark": f"latency.{name}", "edges": given.edges, **figures}))
    else:
        print(words(told))


if __name__ == "__main__":
    main()
