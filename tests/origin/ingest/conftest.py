"""Every test of the listener runs on asyncio's own loop and on uvloop, which serves in earnest."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from tests.support.epilogue import nothing_is_left

__all__ = ["nothing_is_left"]


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
