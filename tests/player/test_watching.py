"""What a viewer lives through: each test is one sitting before one stream, never reloaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from player.pages import StreamCard
from tests.support.browser import Visit
from tests.support.pages import Show, Theatre

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.lasts(50)]

POSITION = "document.querySelector('video').currentTime"


async def reached(page: Page, state: str) -> None:
    await expect(page.locator(f"body[data-state={state}]")).to_be_visible()


@asynccontextmanager
async def one_sitting(page: Page) -> AsyncIterator[None]:
    """Fail when the page is loaded again before this is over."""
    await page.evaluate("window.sitting = true")
    yield
    assert await page.evaluate("window.sitting")


async def moves(page: Page, seconds: float = 1.0) -> None:
    """Wait until the picture has gone on by so much; a picture that stands still fails."""
    script = """(wanted) => new Promise((tell, fail) => {
      const video = document.querySelector("video");
      const from = video.currentTime;
      const timer = setTimeout(() => fail(new Error("the picture stands still")), 40_000);
      video.addEventListener("timeupdate", () => {
        if (video.currentTime < from + wanted) return;
        clearTimeout(timer);
        tell();
      });
    })"""
    await page.evaluate(script, seconds)


async def wait_without_time(page: Page, house: Theatre, show: Show) -> None:
    """Open a page that waits for its stream; from then on its time passes when the test says so."""
    await page.clock.install(time=0)
    await page.goto(house.address(f"/{show.name}"))
    await reached(page, "offline")
    await page.clock.pause_at(3600)


async def look_once(page: Page, show: Show) -> None:
    """Let so much of the page's time pass that it asks the server, once."""
    before = show.status_reads
    while show.status_reads == before:
        await page.clock.run_for(500)  # two looks are further apart


async def test_a_page_that_waits_begins_to_play_at_its_next_look(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("patience")
    await wait_without_time(page, house, show)
    async with one_sitting(page):
        show.go_live()
        before = show.status_reads
        async with page.expect_request("**/patience/index.m3u8"):
            await look_once(page, show)
        assert show.status_reads == before + 1
        await page.clock.resume()
        await reached(page, "live")
        await moves(page)


async def test_hls_js_plays_even_where_the_browser_says_maybe(
    house: Theatre, viewer: Visit
) -> None:
    await viewer.page.add_init_script("HTMLMediaElement.prototype.canPlayType = () => 'maybe';")
    house.show("maybe").go_live()
    await viewer.page.goto(house.address("/maybe"))
    await reached(viewer.page, "live")
    assert (await viewer.page.evaluate("document.querySelector('video').src")).startswith("blob:")


async def test_the_first_frame_comes_before_the_controls(house: Theatre, viewer: Visit) -> None:
    house.show("first").go_live()
    await viewer.page.goto(house.address("/first"))
    await expect(viewer.page.locator("#bar")).to_be_visible()
    paths = [asked.url.rpartition("/")[2] for asked in viewer.requests]
    segment = next(place for place, path in enumerate(paths) if path.endswith(".m4s"))
    controls = next(place for place, path in enumerate(paths) if path.startswith("controls-"))
    assert segment < controls
    frames = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    assert await viewer.page.evaluate(frames) > 0


async def test_a_live_page_plays_before_the_server_has_said_a_word_more(
    house: Theatre, viewer: Visit
) -> None:
    async def leave_unanswered(_: Route) -> None:
        """As a server would whose answer takes its time."""

    await viewer.page.route("**/status.json", leave_unanswered)
    house.show("headlong").go_live()
    await viewer.page.goto(house.address("/headlong"))
    await reached(viewer.page, "live")
    await moves(viewer.page)


async def test_a_publisher_who_comes_back_goes_on_over_the_last_frame(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("comeback")
    show.go_live()
    await page.goto(house.address("/comeback"))
    await reached(page, "live")
    async with one_sitting(page):
        show.drop()
        await reached(page, "reconnecting")
        await page.wait_for_selector("video", state="visible")
        stopped = await page.evaluate(POSITION)
        show.resume()
        await reached(page, "live")
        await moves(page)
        assert await page.evaluate(POSITION) > stopped
    assert len(viewer.asked_for("/comeback/index.m3u8")) == 1, "the same session, loaded once"


async def test_a_picture_that_goes_and_comes_back_is_no_new_beginning(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("kinds")
    show.window = 60
    show.go_live()
    assert show.session is not None
    begins = show.session.ready(60) + 4
    show.sound_alone = range(begins, begins + 3)
    await page.goto(house.address("/kinds"))
    await reached(page, "live")
    async with one_sitting(page):
        await moves(page, begins + 5 - float(await page.evaluate(POSITION)))
    assert len(viewer.asked_for("/kinds/index.m3u8")) == 1, "one player all the time"
    assert viewer.complaints == []


async def test_a_new_session_after_the_end_starts_by_itself(house: Theatre, viewer: Visit) -> None:
    page, show = viewer.page, house.show("encore")
    show.go_live()
    await page.goto(house.address("/encore"))
    await reached(page, "live")
    async with one_sitting(page):
        show.end()
        await reached(page, "ended")
        await expect(page.locator("#bar")).to_be_hidden()
        show.start()
        await reached(page, "starting")
        show.go_live()
        await reached(page, "live")
        await moves(page)
        await expect(page.locator("#bar")).to_be_visible()
    assert viewer.complaints == []


async def test_the_last_words_play_out_before_the_end_is_shown(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("finale")
    show.go_live()
    await page.goto(house.address("/finale"))
    await reached(page, "live")
    await page.evaluate(
        """() => {
      window.furthest = new Promise((tell) => {
        const video = document.querySelector("video");
        let last = [0, 0];
        video.addEventListener("timeupdate", () => { last = [video.currentTime, video.duration]; });
        video.addEventListener("ended", () => tell(last));
      });
    }"""
    )
    show.end()
    position, duration = await page.evaluate("furthest")
    await reached(page, "ended")
    assert position == pytest.approx(duration, abs=0.5)


async def test_a_server_that_was_gone_is_found_again(house: Theatre, viewer: Visit) -> None:
    page, show = viewer.page, house.show("outage")
    show.go_live()
    await page.goto(house.address("/outage"))
    await reached(page, "live")
    async with one_sitting(page):
        show.silent = True
        await reached(page, "lost")
        await page.wait_for_selector("video", state="visible")
        show.silent = False
        await reached(page, "live")
        await moves(page)


async def test_a_viewer_whose_network_fails_is_told_and_brought_back(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("tunnel")
    await page.goto(house.address("/tunnel"))
    await reached(page, "offline")
    async with one_sitting(page):
        await page.context.set_offline(offline=True)
        await reached(page, "lost")
        show.go_live()
        await page.context.set_offline(offline=False)
        await reached(page, "live")


async def test_a_stream_that_could_not_be_played_is_tried_again_next_time(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("codec")
    playable, show.codecs = show.codecs, "hvc1.1.6.L93.B0,mp4a.40.2"
    show.go_live()
    await page.goto(house.address("/codec"))
    await reached(page, "unplayable")
    async with one_sitting(page):
        show.end()
        await reached(page, "ended")
        show.codecs = playable
        show.go_live()
        await reached(page, "live")


async def test_ts_plays_where_the_address_asks_for_it(house: Theatre, viewer: Visit) -> None:
    house.show("transport").go_live()
    await viewer.page.goto(house.address("/transport?format=ts"))
    await reached(viewer.page, "live")
    await moves(viewer.page)
    assert viewer.asked_for(".ts")
    assert viewer.asked_for("/ts/index.m3u8")
    assert not viewer.asked_for(".m4s")
    assert [each for each in viewer.requests if "/hls.worker-" in each.url]
    assert viewer.complaints == []


async def test_who_falls_behind_without_meaning_to_is_brought_back(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("nap")
    show.go_live()
    await page.goto(house.address("/nap"))
    await reached(page, "live")
    await moves(page, 4.0)
    fall = """() => new Promise((tell, fail) => {
      const video = document.querySelector("video");
      const fell = Math.max(0, video.currentTime - 5);
      setTimeout(() => fail(new Error("nobody came")), 40_000);
      video.addEventListener("seeking", () => {
        if (video.currentTime > fell + 3) tell(true);
      });
      video.currentTime = fell;
    })"""
    assert await page.evaluate(fall)
    await moves(page)


async def test_the_embed_plays(house: Theatre, viewer: Visit) -> None:
    house.show("framed").go_live()
    await viewer.page.goto(house.address("/framed/embed"))
    await reached(viewer.page, "live")
    await moves(viewer.page)
    assert not [each for each in viewer.requests if "/hls.worker-" in each.url], "MP4 needs none"
    assert viewer.complaints == []


async def test_a_hidden_tab_asks_nothing_and_asks_at_once_when_it_is_seen(
    house: Theatre, viewer: Visit
) -> None:
    page, show = viewer.page, house.show("hidden")
    await page.add_init_script(
        "Object.defineProperty(document, 'hidden', { get: () => Boolean(window.away) });"
    )
    await wait_without_time(page, house, show)
    async with page.expect_response("**/status.json"):
        await look_once(page, show)
    await page.evaluate("window.away = true")
    before = show.status_reads
    await page.clock.run_for(60_000)
    assert show.status_reads == before
    async with page.expect_response("**/status.json"):
        await page.evaluate(
            "window.away = false; document.dispatchEvent(new Event('visibilitychange'))"
        )
    assert show.status_reads == before + 1


async def test_an_unchanged_status_is_asked_for_with_its_etag(
    house: Theatre, viewer: Visit
) -> None:
    show = house.show("etag")
    await viewer.page.goto(house.address("/etag"))
    await reached(viewer.page, "offline")
    async with viewer.page.expect_response("**/status.json"):
        pass
    async with viewer.page.expect_response("**/status.json"):
        pass
    assert show.unchanged_reads > 0


async def test_the_home_page_keeps_itself_true_and_the_focus_where_it_was(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    house.cards = []
    await page.clock.install()
    await page.goto(house.address("/"))
    await expect(page.get_by_role("heading")).to_have_text("Nobody is live right now")
    async with one_sitting(page):
        house.cards = [StreamCard("main", "live")]
        await page.clock.run_for(3000)
        card = page.get_by_role("link", name="main")
        await expect(card).to_be_visible()
        await expect(page.get_by_role("status")).to_have_text("1 stream is live.")
        await card.focus()
        house.cards = [StreamCard("another", "live"), StreamCard("main", "reconnecting")]
        await page.clock.run_for(3000)
        await expect(page.get_by_role("link", name="another")).to_be_visible()
        await expect(page.get_by_role("link", name="main")).to_be_focused()
    assert viewer.complaints == []
    assert viewer.foreign_requests(house.base) == []
