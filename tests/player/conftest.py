"""The actors of the browser tests: one browser and one house for each module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import Visit, chromium, visit
from tests.support.pages import Theatre, theatre
from tests.support.tape import Tape, record


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    return record(tmp_path_factory.mktemp("tape"))


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's own source, which a test runs in the page that it looks at."""
    root = Path(__file__).parents[1] / "node" / "node_modules" / "axe-core"
    return (root / "axe.min.js").read_text()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tape: Tape) -> AsyncIterator[Theatre]:
    async with theatre(tape) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(browser: Browser) -> AsyncIterator[Visit]:
    async with visit(browser) as opened:
        yield opened
