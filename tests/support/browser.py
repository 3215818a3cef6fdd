"""A viewer: headless Chromium, which remembers everything that a page asked for and complained of.

::

    async with chromium() as browser, visit(browser) as viewer:
        await viewer.page.goto(f"{edge}/main")
        ...
        assert viewer.complaints == []
        assert viewer.foreign_requests(edge) == []

Chromium is Debian's, driven by playwright's client; no browser is ever downloaded. The flags
silence everything that Chromium would like to tell its maker, because a page that talks to
another host has to stand out. Autoplay keeps its real rules: a muted video may start by itself
and a loud one may not, and a test that loosens this shows nothing about a viewer's browser.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    ViewportSize,
    async_playwright,
    expect,
)

CHROMIUM = Path("/usr/bin/chromium")

PATIENCE_MS = 40_000
"""How long anything on a page may take before a test gives up. It costs nothing when all is well,
and a browser beside many others gets a processor late."""
expect.set_options(timeout=PATIENCE_MS)

WITHOUT = (
    # An address bar of its own for each window, in a process of its own, which nobody ever sees:
    # it costs more than the page.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "AimEnabled"),
    # What playwright does without: of two such flags the last one counts, which is this one.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "LensOverlay"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "MediaRouter", "OptimizationHints"),
    *("PaintHolding", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("NetworkTimeServiceQuerying", "PreconnectToSearch"),
)

FLAGS = (
    "--no-sandbox",  # the tests also run as root, where Chromium's sandbox cannot
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB, which video outgrows
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    f"--disable-features={','.join(WITHOUT)}",
)

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL: ViewportSize = {"width": 640, "height": 400}
"""For plays: the processor paints the picture, and so this one costs a third."""


@dataclass(slots=True)
class Asked:
    """One request of a page; ``status`` stays None until there is an answer."""

    method: str
    url: str
    resource_type: str
    status: int | None = None
    failure: str | None = None


@dataclass(slots=True)
class Visit:
    """One page in a context of its own, and all that happened on it."""

    page: Page
    requests: list[Asked] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings on the console, and exceptions that nobody caught."""

    def asked_for(self, ending: str) -> list[Asked]:
        """The requests whose path ends so, in the order in which they were made."""
        return [asked for asked in self.requests if urlsplit(asked.url).path.endswith(ending)]

    def foreign_requests(self, base: str) -> list[str]:
        """Addresses of other hosts or ports than ``base`` that the page asked for."""
        home = urlsplit(base).netloc
        return [url for url in self._network_addresses() if urlsplit(url).netloc != home]

    def _network_addresses(self) -> Iterator[str]:
        for asked in self.requests:
            if urlsplit(asked.url).scheme in {"http", "https", "ws", "wss"}:
                yield asked.url


@asynccontextmanager
async def chromium(*more_flags: str) -> AsyncIterator[Browser]:
    """Run one browser; visits in it share nothing but the process."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, *more_flags], headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visit(
    browser: Browser, *, viewport: ViewportSize = DESKTOP, dark: bool = False, touch: bool = False
) -> AsyncIterator[Visit]:
    """Open an empty page that keeps a record; go anywhere from there."""
    context = await browser.new_context(
        viewport=viewport,
        color_scheme="dark" if dark else "light",
        has_touch=touch,
        service_workers="block",  # their requests would go past the record
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield record(await context.new_page())
    finally:
        await context.close()


def record(page: Page) -> Visit:
    """Keep a record of ``page`` from now on."""
    visit = Visit(page)
    pending: dict[Request, Asked] = {}

    def on_request(request: Request) -> None:
        asked = Asked(request.method, request.url, request.resource_type)
        pending[request] = asked
        visit.requests.append(asked)

    def on_response(response: Response) -> None:
        pending[response.request].status = response.status

    def on_failure(request: Request) -> None:
        pending[request].failure = request.failure

    def on_console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            visit.complaints.append(f"{message.type}: {message.text}")

    def on_error(error: Error) -> None:
        visit.complaints.append(f"uncaught: {error.message}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("requestfailed", on_failure)
    page.on("console", on_console)
    page.on("pageerror", on_error)
    return visit
