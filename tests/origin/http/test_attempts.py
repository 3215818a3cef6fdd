"""The log of attempts over HTTP: for who has the control token, and for nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from origin.auth.attempts import Attempt, AttemptLog, Outcome
from origin.auth.control_token import ControlToken
from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.clocks import EPOCH
from tests.support.stations import Station

TOKEN = "3f7c9a1e5b2d4c6f8a0b1c2d3e4f5061"
ADDRESS = "/api/v1/ingest/attempts"
REFUSED = Attempt(
    EPOCH,
    "192.0.2.7",
    "live/mia…",
    "OBS 32",
    Outcome.REFUSED,
    reason="unknown stream key",
    hint="did you mean `main`?",
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    log = AttemptLog()
    log.note(REFUSED)
    log.note(replace(REFUSED, at=EPOCH + timedelta(seconds=9)))
    log.note(replace(REFUSED, outcome=Outcome.ACCEPTED, stream="main", reason="", hint=""))
    state = OriginState(
        Station().registry,
        MetricsPage(lambda: ()),
        lambda: False,
        attempts=log,
        token=ControlToken(TOKEN),
    )
    transport = httpx.ASGITransport(create_app(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
        yield client


async def test_who_has_the_token_reads_what_was_tried_the_newest_first(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    accepted, refused = answer.json()["attempts"]
    assert (accepted["outcome"], accepted["stream"]) == ("accepted", "main")
    assert refused == {
        "at": "2026-01-02T03:04:05Z",
        "last_at": "2026-01-02T03:04:14Z",
        "times": 2,
        "address": "192.0.2.7",
        "encoder": "OBS 32",
        "asked": "live/mia…",
        "outcome": "refused",
        "stream": None,
        "reason": "unknown stream key",
        "hint": "did you mean `main`?",
    }


async def test_the_number_can_be_limited(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": f"bearer {TOKEN}"}
    answer = await client.get(ADDRESS, params={"limit": 1}, headers=headers)
    assert len(answer.json()["attempts"]) == 1
    assert (await client.get(ADDRESS, params={"limit": 0}, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        pytest.param(None, "", id="nothing"),
        pytest.param("Bearer wrong", ', error="invalid_token"', id="a wrong token"),
        pytest.param(f"Bearer {TOKEN}x", ', error="invalid_token"', id="nearly the token"),
        pytest.param(f"Basic {TOKEN}", "", id="another scheme"),
        pytest.param("Bearer", "", id="a scheme alone"),
    ],
)
async def test_nobody_else_does(client: httpx.AsyncClient, shown: str | None, error: str) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    for path in (ADDRESS, f"{ADDRESS}?limit=nonsense"):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == f'Bearer realm="tidecast"{error}'
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
        assert answer.json()["status"] == 401
        assert "192.0.2.7" not in answer.text


async def test_without_a_token_there_is_no_administrator() -> None:
    state = OriginState(Station().registry, MetricsPage(lambda: ()), lambda: False)
    transport = httpx.ASGITransport(create_app(state))
    async with httpx.AsyncClient(transport=transport, base_url="http://origin") as client:
        for shown in ("Bearer ", "Bearer None"):
            answer = await client.get(ADDRESS, headers={"Authorization": shown})
            assert answer.status_code == 401


async def test_the_description_of_the_api_says_what_is_behind_the_token(
    client: httpx.AsyncClient,
) -> None:
    description = (await client.get("/openapi.json")).json()
    assert description["paths"][ADDRESS]["get"]["security"] == [{"HTTPBearer": []}]
    assert "security" not in description["paths"]["/api/v1/streams"]["get"]
    assert TOKEN not in str(description)
