"""The viewer remembers what a page asked for and complained of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.support.browser import PHONE, chromium, visit

PAGE = """<!doctype html><link rel="icon" href="data:,"><title>t</title>
<script>
  console.error("first");
  fetch("/missing");
  fetch("http://127.0.0.2:9/elsewhere").catch(() => {});
  setTimeout(() => { throw new Error("second"); }, 0);
</script>
"""


@asynccontextmanager
async def a_page(text: str) -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def test_a_visit_remembers_what_the_page_asked_for_and_complained_of() -> None:
    async with a_page(PAGE) as home, chromium() as browser, visit(browser) as viewer:
        await viewer.page.goto(home)
        await viewer.page.wait_for_load_state("networkidle")

        assert [asked.status for asked in viewer.asked_for("/missing")] == [404]
        assert viewer.foreign_requests(home) == ["http://127.0.0.2:9/elsewhere"]
        assert viewer.asked_for("/elsewhere")[0].failure is not None
        assert "error: first" in viewer.complaints
        assert "uncaught: second" in viewer.complaints


async def test_a_quiet_page_leaves_no_complaint() -> None:
    quiet = '<!doctype html><link rel="icon" href="data:,"><title>quiet</title>'
    async with (
        a_page(quiet) as home,
        chromium() as browser,
        visit(browser, viewport=PHONE, dark=True, touch=True) as viewer,
    ):
        await viewer.page.goto(home)
        await viewer.page.wait_for_load_state("networkidle")

        assert viewer.complaints == []
        assert viewer.foreign_requests(home) == []
        assert await viewer.page.evaluate("innerWidth") == PHONE["width"]
        assert await viewer.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
