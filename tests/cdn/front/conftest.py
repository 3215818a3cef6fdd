"""The fronts on stage: the fast path, or each in turn where both promise the same."""

from collections.abc import AsyncGenerator

import pytest

from tests.cdn.front.houses import House


@pytest.fixture
async def house() -> AsyncGenerator[House]:
    house = House(is_fast=True)
    yield house
    await house.close()


@pytest.fixture(params=[True, False], ids=["fast path", "full path"])
async def either(request: pytest.FixtureRequest) -> AsyncGenerator[House]:
    house = House(is_fast=bool(request.param))
    yield house
    await house.close()
