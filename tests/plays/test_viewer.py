"""A viewer in Chromium, through the edge, while real publishers come, go and come back."""

import re
import time
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.support.browser import SMALL, Visit, chromium, visit
from tests.support.pushers import Codec, Picture, Sound, pushing
from tests.support.servers import TidecastProcess, tidecast

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.lasts(60),
    pytest.mark.timeout(300),  # half a minute where nothing else runs
]

MOVES_WITHIN_S = 4.0
"""From the moment at which the origin has something to show."""
PLAYED_S, OF_S = 5.0, 6.0
ROUNDS = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TidecastProcess]:
    """One for all: each test has a stream of its own."""
    async with tidecast(tmp_path_factory.mktemp("viewer"), "--open") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(browser: Browser) -> AsyncIterator[Visit]:
    async with visit(browser, viewport=SMALL) as opened:
        yield opened


async def test_a_page_that_was_open_before_sees_all_of_a_broadcast(
    server: TidecastProcess, viewer: Visit
) -> None:
    page = viewer.page
    await page.goto(f"{server.base}/main")
    await remember_states(page)
    await reaches(page, "offline")

    async with pushing(server.rtmp_url("main"), Picture(b_frames=2)) as publisher:
        await reaches(page, "live")
        assert await plays(page, PLAYED_S, of=OF_S)
        await publisher.vanish()
    await reaches(page, "reconnecting")

    async with pushing(server.rtmp_url("main"), Picture(b_frames=2)) as publisher:
        await server.until("main", "live")
        await reaches(page, "live")
        assert await plays(page, PLAYED_S, of=OF_S)
        await publisher.stop()
    await reaches(page, "ended")

    states = await page.evaluate("window.states")  # gone if the page had been reloaded
    assert set(states) <= {"offline", "starting", "buffering", "live", "reconnecting", "ended"}
    shown = [state for state in states if state not in ("starting", "buffering")]
    main_road = [state for state, _ in groupby(shown)]
    assert main_road == ["offline", "live", "reconnecting", "live", "ended"]
    assert viewer.foreign_requests(server.base) == []
    assert [line for line in viewer.complaints if "503" not in line] == []


async def test_a_page_that_was_open_before_shows_a_moving_picture_at_once(
    server: TidecastProcess, viewer: Visit
) -> None:
    took: list[float] = []
    while len(took) < ROUNDS and min(took, default=MOVES_WITHIN_S) >= MOVES_WITHIN_S:
        name = f"soon{len(took)}"
        await viewer.page.goto(f"{server.base}/{name}")
        await reaches(viewer.page, "offline")
        async with pushing(server.rtmp_url(name), Picture(b_frames=2)):
            await server.until(name, "live")
            began = time.monotonic()
            await picture_moves(viewer.page)
            took.append(time.monotonic() - began)
    assert min(took) < MOVES_WITHIN_S


@pytest.mark.parametrize(
    ("path", "sound"),
    [
        pytest.param("transport?format=ts", Sound(), id="mpeg-ts"),
        pytest.param("framed/embed", Sound(), id="embed"),
        pytest.param("layer3", Sound(codec=Codec.MP3, sample_rate=44_100), id="mp3"),
    ],
)
async def test_it_plays(server: TidecastProcess, viewer: Visit, path: str, sound: Sound) -> None:
    async with pushing(server.rtmp_url(re.split(r"\W", path)[0]), sound=sound):
        await viewer.page.goto(f"{server.base}/{path}")
        await reaches(viewer.page, "live")
        assert await plays(viewer.page, 4.0, of=5.0)
    assert viewer.foreign_requests(server.base) == []


async def test_sound_alone_plays(server: TidecastProcess, viewer: Visit) -> None:
    async with pushing(server.rtmp_url("sound"), picture=None):
        await viewer.page.goto(f"{server.base}/sound")
        await reaches(viewer.page, "live")
        assert await plays(viewer.page, 4.0, of=5.0)


async def test_nobody_finds_anything_inaccessible_on_a_real_page(
    server: TidecastProcess, viewer: Visit
) -> None:
    axe = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
    async with pushing(server.rtmp_url("access")):
        for path, state in (("", None), ("access", "live"), ("access/embed", "live")):
            await viewer.page.goto(f"{server.base}/{path}")
            if state is not None:
                await reaches(viewer.page, state)
            await viewer.page.evaluate(axe.read_text())
            assert await viewer.page.evaluate("axe.run().then((found) => found.violations)") == []


async def remember_states(page: Page) -> None:
    """Keep a list of the states that the page shows from now on."""
    await page.evaluate(
        """() => {
            const shown = document.body.dataset;
            window.states = [shown.state];
            new MutationObserver(() => {
                if (window.states.at(-1) !== shown.state) window.states.push(shown.state);
            }).observe(document.body, { attributeFilter: ["data-state"] });
        }"""
    )


async def reaches(page: Page, state: str) -> None:
    """Wait until the page shows ``state``."""
    await expect(page.locator(f"body[data-state={state}]")).to_be_attached()


async def picture_moves(page: Page) -> None:
    """Wait for a frame that was put on the screen."""
    await page.evaluate(
        "() => new Promise((seen) => document.querySelector('video')"
        ".requestVideoFrameCallback(() => seen()))"
    )


async def plays(page: Page, wanted_s: float, *, of: float) -> bool:
    """Whether currentTime moves on by so many seconds while ``of`` pass on the wall clock.

    Looked at up to five times: encoder and page share the machine with other tests, and while it
    leaves them without a processor nobody could play. What stands still at every look is broken.
    """
    for _ in range(ROUNDS):
        if await seconds_played_in(page, of) >= wanted_s:
            return True
    return False


async def seconds_played_in(page: Page, seconds: float) -> float:
    """By how much currentTime moves on while ``seconds`` pass on the wall clock.

    A jump to the live edge does not count as playing: only small steps are added up.
    """
    played: float = await page.evaluate(
        """(seconds) => new Promise((done) => {
            const video = document.querySelector('video');
            let last = video.currentTime, played = 0;
            const step = setInterval(() => {
                const moved = video.currentTime - last;
                last = video.currentTime;
                if (moved > 0 && moved < 1) played += moved;
            }, 100);
            setTimeout(() => { clearInterval(step); done(played); }, seconds * 1000);
        })""",
        seconds,
    )
    return played
