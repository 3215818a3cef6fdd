"""How far behind the camera viewers are, and how soon they see anything.

    python -m benchmarks.latency [--seconds 120] [--visits 7] [--edges 1] [--json]

A camera films the wall clock (tests/support/camera.py) and publishes it to `tidecast serve` with
its default settings; headless Chromium opens the watch page at the edge, or at the last of several
edges one behind another, and the clock is read off its pixels. Printed are

    page       from opening the page of a live stream to its first frame on the screen
    glass      the picture's age, ten times a second, with stalls, drift and playback rates

Everything shares this machine: Chromium decodes without a GPU beside the servers, so a loaded
machine makes every figure worse. What else ran is said by the load that is printed with them.
"""

import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser

from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit
from tests.support.browser import chromium, visit
from tests.support.camera import filming
from tests.support.glass import Sample, Seen, look, percentile
from tests.support.servers import TidecastProcess, edge, tidecast

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
    with tempfile.TemporaryDirectory() as folder:
        async with (
            servers(Path(folder), edges) as (origin, base),
            filming(origin.rtmp_url("main")) as camera,
            chromium() as browser,
        ):
            await camera.began()
            await asyncio.sleep(WARM_UP_S)
            opened = [await first_frame(browser, base) for _ in range(visits)]
            seen, complaints = await long_look(browser, base, seconds)
    return {
        "page": {
            "cold_edge_ms": opened[0],
            "median_ms": statistics.median(opened[1:]),
            "max_ms": max(opened[1:]),
        },
        "glass": glass_figures(seen, complaints),
    }


def results(told: dict[str, Figures], edges: int) -> list[Result]:
    """Put the figures into the words of the table; what they depend on stands beside them."""
    page, glass = told["page"], told["glass"]
    through = "an edge" if edges == 1 else f"{edges} edges in a row"
    is_close = glass["p50_ms"] <= GLASS_P50_MS and glass["p95_ms"] <= GLASS_P95_MS
    return [
        Result(
            "the page's first frame on a live stream, in Chromium",
            f"{page['median_ms']:.0f} ms, at worst {page['max_ms']:.0f}"
            f" ({page['cold_edge_ms']:.0f} with a cold edge); load {os.getloadavg()[0]:.1f}",
            "",
            f"{FIRST_FRAME_MS} ms",
            page["median_ms"] <= FIRST_FRAME_MS,
            "benchmarks/latency.py",
        ),
        Result(
            f"glass to glass through {through}, in Chromium",
            f"p50 {glass['p50_ms']:.0f} ms, p95 {glass['p95_ms']:.0f}, max {glass['max_ms']:.0f}"
            f" over {glass['seconds']:.0f} s; {glass['stalls']:.0f} stalls,"
            f" {glass['complaints']:.0f} errors; drift {glass['drift_ms_per_min']:+.0f} ms/min;"
            f" rate {glass['slowest_rate']} to {glass['fastest_rate']}, faster than 1 for"
            f" {glass['faster_share']:.0%}; {glass['dropped_frames']:.0f} of"
            f" {glass['frames']:.0f} frames dropped",
            "",
            f"p50 {GLASS_P50_MS} ms, p95 {GLASS_P95_MS}, no stall",
            is_close and not glass["stalls"] and not glass["complaints"],
            "benchmarks/latency.py",
        ),
    ]


def main() -> None:
    """Measure, and print words or JSON lines."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--visits", type=int, default=7)
    parser.add_argument("--edges", type=int, default=1)
    given = parser.parse_args()
    told = asyncio.run(measure(given.seconds, given.visits, given.edges))
    emit(results(told, given.edges), as_json=given.json)


if __name__ == "__main__":
    main()
