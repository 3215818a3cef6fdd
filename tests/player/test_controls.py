"""The controls, by mouse, by keyboard and by finger; autoplay keeps the browser's real rules."""

import re

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.support.browser import PHONE, Visit, visit
from tests.support.pages import Theatre

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.lasts(35)]

WOKEN = """() => {
  const stage = document.getElementById("stage");
  window.woken = new Promise((tell) => {
    const look = () => stage.hasAttribute("data-idle") || (watch.disconnect(), tell());
    const watch = new MutationObserver(look);
    watch.observe(stage, { attributeFilter: ["data-idle"] });
  });
}"""
"""From now on: the first moment at which the controls are shown."""


async def watch(page: Page, house: Theatre, name: str, path: str = "") -> None:
    """Open a stream that is live, and wait for the controls."""
    await page.goto(house.address(f"/{name}{path}"))
    await expect(page.locator("body[data-state=live]")).to_be_visible()
    await expect(page.locator("#bar")).to_be_visible()


async def video(page: Page, expression: str) -> object:
    return await page.evaluate(f"document.querySelector('video').{expression}")


async def until(page: Page, expression: str) -> None:
    """Wait until the video says so; without eval, which the pages' policy forbids."""
    script = f"""() => new Promise((tell, fail) => {{
      const video = document.querySelector("video");
      const look = () => ({expression}) && (clearInterval(again), clearTimeout(late), tell());
      const again = setInterval(look, 20);
      const late = setTimeout(() => {{ clearInterval(again); fail(new Error("never")); }}, 40_000);
    }})"""
    await page.evaluate(script)


async def jump(page: Page, key: str) -> float:
    """By how many seconds a key moves the picture, which goes on before and after that."""
    await page.evaluate(
        """() => {
          const where = () => document.querySelector("video").currentTime;
          window.jump = new Promise((tell) => window.addEventListener("keydown", () => {
            const before = where();
            setTimeout(() => tell(where() - before), 0);
          }, { capture: true, once: true }));
        }"""
    )
    await page.keyboard.press(key)
    return float(await page.evaluate("jump"))


def button(page: Page, name: str) -> Locator:
    return page.locator("#bar").get_by_role("button", name=name, exact=True)


async def test_it_starts_silent_and_one_tap_brings_the_sound(house: Theatre, viewer: Visit) -> None:
    house.show("silent").go_live()
    await watch(viewer.page, house, "silent")
    assert await video(viewer.page, "muted") is True
    await viewer.page.keyboard.press("k")
    tap = viewer.page.get_by_role("button", name="Tap for sound")
    await tap.click()
    assert await video(viewer.page, "muted") is False
    await expect(tap).to_be_hidden()
    await until(viewer.page, "!video.paused")


async def test_play_mute_and_volume_by_mouse(house: Theatre, viewer: Visit) -> None:
    page = viewer.page
    house.show("mouse").go_live()
    await watch(page, house, "mouse")
    await button(page, "Pause").click()
    assert await video(page, "paused") is True
    await button(page, "Play").click()
    assert await video(page, "paused") is False
    await button(page, "Unmute").click()
    await page.get_by_role("slider", name="Volume").fill("40")
    assert await video(page, "volume") == 0.4
    await button(page, "Mute").click()
    assert await video(page, "muted") is True
    await expect(page.get_by_role("slider", name="Volume")).to_have_value("0")
    await page.locator("video").click(position={"x": 300, "y": 120})
    assert await video(page, "paused") is True


async def test_every_control_is_reached_by_tab_in_the_order_of_sight(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    house.show("tab").go_live()
    await watch(page, house, "tab")
    reached = []
    for _ in range(9):
        await page.keyboard.press("Tab")
        name = "document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()"
        told = await page.evaluate(name)
        # Whose browser got no processor for some seconds is told so, by the same button.
        reached.append(re.sub(r"^\d+ seconds behind\. Go live$", "Live", told))
    assert reached == [
        "Tidecast, all streams", "Tap for sound", "Pause", "Unmute", "Volume", "Live",
        "Statistics", "Picture in picture", "Full screen",
    ]  # fmt: skip
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert await page.evaluate(ring) == "solid"


async def test_everything_has_a_key(house: Theatre, viewer: Visit) -> None:
    page = viewer.page
    house.show("keys").go_live()
    await watch(page, house, "keys")
    for key in ("k", " "):
        await page.keyboard.press(key)
        assert await video(page, "paused") is True
        await page.keyboard.press(key)
        assert await video(page, "paused") is False
    await page.keyboard.press("m")
    assert await video(page, "muted") is False
    await page.keyboard.press("ArrowDown")
    assert await video(page, "volume") == 0.9
    await page.keyboard.press("ArrowUp")
    assert await video(page, "volume") == 1
    await page.keyboard.press("s")
    await expect(page.locator("#stats")).to_be_visible()
    await page.keyboard.press("s")
    await expect(page.locator("#stats")).to_be_hidden()
    await page.keyboard.press("f")
    await until(page, "document.fullscreenElement !== null")
    await expect(button(page, "Leave full screen")).to_be_visible()
    await page.keyboard.press("f")
    await until(page, "document.fullscreenElement === null")
    await page.keyboard.press("i")
    await until(page, "document.pictureInPictureElement === video")
    await page.keyboard.press("i")
    await until(page, "document.pictureInPictureElement === null")
    assert viewer.complaints == []


async def test_the_help_lists_the_keys_and_gives_the_focus_back(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    house.show("help").go_live()
    await watch(page, house, "help")
    await page.get_by_role("button", name="Keyboard").focus()
    await page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    await expect(help_).to_contain_text("Picture in picture")
    await page.keyboard.press("k")
    assert await video(page, "paused") is False, "keys wait while the list is open"
    await page.keyboard.press("Escape")
    await expect(help_).to_be_hidden()
    await expect(page.get_by_role("button", name="Keyboard")).to_be_focused()


async def test_a_viewer_who_paused_sees_how_far_behind_and_goes_live(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    house.show("behind").go_live()
    await watch(page, house, "behind")
    pill = page.locator("#live")
    await expect(pill).to_have_text("Live")
    await page.keyboard.press("k")
    assert await video(page, "paused") is True
    await expect(pill).to_have_text(re.compile(r"-\d:\d\dGo live"))
    await expect(pill).to_have_attribute("aria-label", re.compile(r"\d seconds behind\. Go live"))
    await pill.click()
    await expect(pill).to_have_text("Live")
    await until(page, "!video.paused")


async def test_one_goes_back_by_key_and_live_by_end(house: Theatre, viewer: Visit) -> None:
    page, show = viewer.page, house.show("back")
    show.window = 30  # enough of a past to go back into, however long the page takes to begin
    show.go_live()
    assert show.session is not None
    show.session.started -= 8
    await watch(page, house, "back")
    assert await jump(page, "ArrowLeft") < 0
    assert await jump(page, "End") > 0
    await page.keyboard.press("l")
    await expect(page.locator("#live")).to_have_text("Live")
    await until(page, "!video.seeking && !video.paused && video.readyState > 2")


async def test_the_statistics_tell_the_true_latency(house: Theatre, viewer: Visit) -> None:
    page, show = viewer.page, house.show("stats")
    show.window = 30  # the player's clock begins where the first playlist does: with the session
    show.go_live()
    assert show.session is not None
    await watch(page, house, "stats")
    await button(page, "Statistics").click()
    await expect(button(page, "Statistics")).to_have_attribute("aria-expanded", "true")

    def stat(key: str) -> Locator:
        return page.locator(f"[data-stat={key}]")

    await expect(stat("latency")).to_have_text(re.compile(r"^\d+\.\d s$"))
    await expect(stat("resolution")).to_have_text("320 \u00d7 180")
    await expect(stat("bitrate")).to_have_text("360 kbit/s")
    await expect(stat("buffer")).to_have_text(re.compile(r"^\d\.\d s$"))
    await expect(stat("dropped")).to_have_text(re.compile(r"^\d+ of \d+$"))
    await expect(stat("codec")).to_have_text("H.264, AAC (avc1.42c00d, mp4a.40.2)")
    said = "parseFloat(document.querySelector('[data-stat=latency]').textContent)"
    began_s = show.session.began.timestamp()
    await until(page, f"Math.abs(Date.now() / 1000 - {began_s} - video.currentTime - {said}) < 0.5")
    await until(page, f"{said} > 2")  # three segments of a second, and what the browser needs


async def test_the_container_is_chosen_in_the_statistics(house: Theatre, viewer: Visit) -> None:
    page = viewer.page
    house.show("container").go_live()
    await watch(page, house, "container")
    await page.keyboard.press("s")
    await page.get_by_label("Container", exact=True).select_option("MPEG-TS")
    await page.wait_for_url("**/container?format=ts")
    await expect(page.locator("#bar")).to_be_visible()
    await page.keyboard.press("s")
    await expect(page.get_by_label("Container", exact=True)).to_have_value("ts")
    assert viewer.asked_for(".ts")


async def test_a_single_quality_is_no_choice(house: Theatre, viewer: Visit) -> None:
    house.show("single").go_live()
    await watch(viewer.page, house, "single")
    await expect(viewer.page.locator("#quality")).to_be_hidden()


async def test_of_several_qualities_one_is_chosen(house: Theatre, viewer: Visit) -> None:
    page, show = viewer.page, house.show("several")
    show.heights = (180, 360, 720)
    show.go_live()
    await watch(page, house, "several")
    menu = page.get_by_label("Quality")
    await expect(menu.locator("option")).to_have_text(["Auto", "720p", "360p", "180p"])
    async with page.expect_request("**/several/v0/index.m3u8"):
        await menu.select_option("180p")
    await expect(menu).to_have_value("0")


async def test_a_finger_shows_and_hides_the_controls_and_stops_nothing(
    browser: Browser, house: Theatre
) -> None:
    house.show("finger").go_live()
    async with visit(browser, viewport=PHONE, touch=True) as viewer:
        page = viewer.page
        await watch(page, house, "finger")
        stage = page.locator("#stage")
        await page.get_by_role("button", name="Tap for sound").tap()
        await page.locator("video").tap(position={"x": 60, "y": 60})
        await expect(stage).to_have_attribute("data-idle", "")
        await page.evaluate(WOKEN)  # for three seconds
        await page.locator("video").tap(position={"x": 60, "y": 60})
        await page.evaluate("woken")
        assert await video(page, "paused") is False
        controls = await page.locator("#bar button:visible").all()
        assert len(controls) > 3
        for control in controls:
            box = await control.bounding_box()
            assert box is not None
            assert box["height"] >= 32
            assert 0 <= box["x"] <= PHONE["width"] - box["width"]


async def test_controls_rest_when_nobody_needs_them_and_wake_by_key(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    house.show("rest").go_live()
    await watch(page, house, "rest")
    stage = page.locator("#stage")
    await expect(stage).to_have_attribute("data-idle", "")
    await button(page, "Pause").focus()
    await expect(stage).not_to_have_attribute("data-idle", "")


async def test_without_the_buttons_that_this_browser_has_no_use_for(
    house: Theatre, viewer: Visit
) -> None:
    page = viewer.page
    await page.add_init_script(
        "for (const name of ['fullscreenEnabled', 'pictureInPictureEnabled'])"
        " Object.defineProperty(document, name, { value: false });"
    )
    house.show("poor").go_live()
    await watch(page, house, "poor")
    await expect(button(page, "Full screen")).to_be_hidden()
    await expect(button(page, "Picture in picture")).to_be_hidden()


async def test_an_iphone_gets_its_own_full_screen(house: Theatre, viewer: Visit) -> None:
    page = viewer.page
    await page.add_init_script(
        "Object.defineProperty(document, 'fullscreenEnabled', { value: false });"
        "HTMLVideoElement.prototype.webkitEnterFullscreen = function () { window.entered = this; };"
    )
    house.show("iphone").go_live()
    await watch(page, house, "iphone")
    await button(page, "Full screen").click()
    assert await page.evaluate("window.entered === document.querySelector('video')")
