"""Each state as a viewer meets it: in words, in both schemes, without a jump or a complaint."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from player.pages import WORDS, PageState, StreamCard
from tests.support.browser import DESKTOP, PHONE, Visit, visit
from tests.support.pages import Show, Theatre

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.lasts(55)]

SHIFTS = """() => new Promise((tell) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      sum += entry.value;
      const moved = entry.sources.map((from) => [from.node?.nodeName, from.node?.className,
        JSON.stringify(from.previousRect), JSON.stringify(from.currentRect)].join(" "));
      (window.shifted ??= []).push(`${entry.value} at ${entry.startTime}`, ...moved);
    }
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => tell(sum), 0)));
})"""


async def reached(page: Page, state: PageState) -> None:
    await expect(page.locator(f"body[data-state={state.value}]")).to_be_visible()


async def violations(page: Page, axe: str) -> list[str]:
    """Everything that axe finds in the page as it is now."""
    found: dict[str, Any] = await page.evaluate(axe + "; axe.run()")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


async def be_offline(page: Page, show: Show, address: str) -> None:
    show.last_live = datetime.now(UTC) - timedelta(hours=3)
    await page.goto(address)
    await expect(page.get_by_text("Last live 3 hours ago.")).to_be_visible()


async def be_starting(page: Page, show: Show, address: str) -> None:
    show.start()
    await page.goto(address)
    await reached(page, PageState.STARTING)


async def be_live(page: Page, show: Show, address: str) -> None:
    show.go_live()
    await page.goto(address)
    await reached(page, PageState.LIVE)
    await expect(page.locator("#bar")).to_be_visible()


async def be_reconnecting(page: Page, show: Show, address: str) -> None:
    await be_live(page, show, address)
    show.drop()
    await reached(page, PageState.RECONNECTING)


async def be_ended(page: Page, show: Show, address: str) -> None:
    await be_live(page, show, address)
    show.end()
    await reached(page, PageState.ENDED)


async def be_buffering(page: Page, show: Show, address: str) -> None:
    await be_live(page, show, address)
    show.freeze()
    await reached(page, PageState.BUFFERING)


async def be_unplayable(page: Page, show: Show, address: str) -> None:
    show.codecs = "hvc1.1.6.L93.B0,mp4a.40.2"
    show.go_live()
    await page.goto(address)
    await reached(page, PageState.UNPLAYABLE)
    await expect(page.get_by_text("It is sent as HEVC, AAC.")).to_be_visible()


async def be_lost(page: Page, show: Show, address: str) -> None:
    await page.goto(address)
    show.silent = True
    await reached(page, PageState.LOST)


WAYS: dict[PageState, Callable[[Page, Show, str], Awaitable[None]]] = {
    PageState.OFFLINE: be_offline,
    PageState.STARTING: be_starting,
    PageState.LIVE: be_live,
    PageState.RECONNECTING: be_reconnecting,
    PageState.ENDED: be_ended,
    PageState.BUFFERING: be_buffering,
    PageState.UNPLAYABLE: be_unplayable,
    PageState.LOST: be_lost,
}


@pytest.mark.parametrize("state", PageState, ids=lambda state: state.value)
async def test_a_state_is_told_in_words_and_pleases_axe_in_both_schemes(
    state: PageState, house: Theatre, viewer: Visit, axe: str
) -> None:
    show = house.show(state.value)
    page = viewer.page
    await WAYS[state](page, show, house.address(f"/{state.value}"))

    message = page.get_by_role("status")
    await expect(message).to_contain_text(WORDS[state].title)
    await expect(page.locator("#badge")).to_have_text(WORDS[state].badge)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await violations(page, axe) == [], scheme
    assert await page.evaluate(SHIFTS) == 0
    assert viewer.foreign_requests(house.base) == []
    if state is not PageState.LOST:
        assert viewer.complaints == []


async def test_what_opens_over_the_picture_pleases_axe_too(
    house: Theatre, viewer: Visit, axe: str
) -> None:
    page, show = viewer.page, house.show("panels")
    show.heights = (180, 360)
    await be_live(page, show, house.address("/panels"))
    await page.keyboard.press("s")
    await expect(page.locator("#stats")).to_be_visible()
    assert await violations(page, axe) == []
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await violations(page, axe) == [], scheme


@pytest.mark.parametrize("width", [390, 768, 1440])
async def test_a_whole_evening_moves_nothing_on_any_screen(
    browser: Browser, house: Theatre, width: int
) -> None:
    async with visit(browser, viewport={"width": width, "height": 800}) as viewer:
        page, show = viewer.page, house.show(f"evening-{width}")
        await page.goto(house.address(f"/evening-{width}"))
        show.start()
        await reached(page, PageState.STARTING)
        show.go_live()
        await reached(page, PageState.LIVE)
        await expect(page.locator("#bar")).to_be_visible()
        show.drop()
        await reached(page, PageState.RECONNECTING)
        show.end()
        await reached(page, PageState.ENDED)

        shift = await page.evaluate(SHIFTS)
        assert shift == 0, await page.evaluate("window.shifted.join('\\n')")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert viewer.complaints == []


async def test_a_shift_would_have_been_seen(house: Theatre, viewer: Visit) -> None:
    house.show("steady")
    await viewer.page.goto(house.address("/steady"))
    await viewer.page.evaluate("document.querySelector('.stage').style.marginTop = '90px'")
    await viewer.page.evaluate("new Promise(requestAnimationFrame)")
    assert await viewer.page.evaluate(SHIFTS) > 0


async def test_axe_would_have_said_something(house: Theatre, viewer: Visit, axe: str) -> None:
    house.show("flawed")
    await viewer.page.goto(house.address("/flawed"))
    await viewer.page.evaluate("document.getElementById('volume').removeAttribute('aria-label')")
    await viewer.page.evaluate("document.querySelector('.brand').removeAttribute('aria-label')")
    await viewer.page.evaluate("document.querySelector('.brand span').remove()")
    assert any(each.startswith("link-name") for each in await violations(viewer.page, axe))


CARDS = [
    StreamCard("main", "live", datetime(2026, 1, 2, 14, 5, tzinfo=UTC), 1080),
    StreamCard("harbour", "starting"),
]


@pytest.mark.parametrize(
    ("path", "cards"),
    [
        pytest.param("/", [], id="empty home"),
        pytest.param("/", CARDS, id="home"),
        pytest.param("/nobody", [], id="not found"),
        pytest.param("/framed/embed", [], id="embed"),
    ],
)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_the_other_pages_please_axe_in_both_schemes(
    path: str,
    cards: list[StreamCard],
    size: ViewportSize,
    house: Theatre,
    browser: Browser,
    axe: str,
) -> None:
    house.cards = cards
    house.show("framed")
    async with visit(browser, viewport=size) as viewer:
        await viewer.page.goto(house.address(path))
        for scheme in ("light", "dark"):
            await viewer.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert await violations(viewer.page, axe) == [], scheme
        assert await viewer.page.evaluate(SHIFTS) == 0
        assert viewer.foreign_requests(house.base) == []


async def test_words_that_leave_the_sea_for_the_picture_are_not_seen_to_move(
    browser: Browser, house: Theatre
) -> None:
    async with visit(browser) as viewer:
        page, show = viewer.page, house.show("first-frame")
        await page.goto(house.address("/first-frame"))
        show.start()
        await reached(page, PageState.STARTING)
        # A busy browser shows the first frame before anybody has said that the stream is live.
        await page.evaluate("""() => new Promise((tell) => {
          document.body.dataset.picture = "";
          let frames = 0;
          const count = () => { if (++frames > 40) tell(); else requestAnimationFrame(count); };
          requestAnimationFrame(count);
        })""")
        shift = await page.evaluate(SHIFTS)
        assert shift == 0, await page.evaluate("window.shifted.join('\\n')")
