"""The control API does what its own description says, whatever is asked of it (schemathesis).

Schemathesis reads ``/openapi.json`` and makes requests of it: valid ones, and ones that break the
description. Each answer is held against the description: no 5xx, no status, media type or field
that it does not tell of, no nonsense that is taken for sense. Somebody publishes meanwhile, so that
there is something to tell.

The requests are the same each time (derandomized): a check that fails is then about the change at
hand, and not about the day.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx
import pytest
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from origin.auth.attempts import Attempt, AttemptLog, Outcome
from origin.auth.control_token import ControlToken
from origin.http.app import create_app
from origin.http.state import OriginState
from origin.observe.metrics import MetricsPage
from tests.support.broadcasts import broadcast
from tests.support.clocks import EPOCH
from tests.support.stations import Station

Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Request: TypeAlias = Case[Any]

TOKEN = "3f7c9a1e5b2d4c6f8a0b1c2d3e4f5061"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}
METADATA = {"videocodecid": 7.0, "audiocodecid": 10.0, "framerate": 25.0, "encoder": "OBS"}
EXAMPLES = 20
"""Requests for each operation that takes anything; one is enough for those that take nothing."""

HELD_AGAINST = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]

OPERATIONS = {
    "GET /healthz": {200},
    "GET /readyz": {200},
    "GET /metrics": {200},
    "GET /api/v1/streams": {200},
    "GET /api/v1/streams/{name}": {200, 404},
    "GET /api/v1/streams/{name}/health": {200, 404},
    "GET /api/v1/streams/{name}/bandwidth-test": {200, 404},
    "GET /api/v1/ingest/attempts": {200, 400, 401},
}
"""Everything that is documented, and the answers that are seen when everything is asked."""


def read(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation in a description; one that cannot be understood is an error."""
    for found in from_dict(document).get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


class Studio:
    """The origin's HTTP side with a loop of its own, which runs while a request is answered."""

    def __init__(self, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self._runner = runner
        self._client = client
        self.operations = {operation.label: operation for operation in read(self.document())}

    def document(self) -> dict[str, Any]:
        """The description, as anybody gets it."""
        document: dict[str, Any] = self.ask("GET", "/openapi.json").json()
        return document

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        request = self._client.build_request(method, path, params=query, headers=headers)
        return self._runner.run(self._client.send(request))

    def answer(self, case: Request) -> httpx.Response:
        asked = case.as_transport_kwargs(base_url=str(self._client.base_url))
        return self.ask(*(asked[name] for name in ("method", "url", "params", "headers")))

    def statuses(self, operation: Operation, ask: "Question") -> set[int]:
        """Ask what schemathesis makes up, and see that each answer is as described."""
        seen: set[int] = set()

        @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
        @given(operation.as_strategy(ask.mode, headers=ask.headers, path_parameters=ask.names))
        def held_against_the_description(case: Request) -> None:
            answer = self.answer(case)
            case.validate_response(answer, checks=HELD_AGAINST)
            seen.add(int(answer.status_code))

        held_against_the_description()
        return seen


@dataclass(frozen=True, slots=True)
class Question:
    """How one operation is asked."""

    mode: GenerationMode
    headers: dict[str, str] | None = None
    names: dict[str, str] | None = None


def questions(operation: Operation) -> Iterator[Question]:
    """As a stranger and as an administrator; of anything, and of what is there; sense and nonsense.

    Of a name nothing is nonsense; of numbers in a query there is enough.
    """
    places = {parameter.location for parameter in operation.iter_parameters()}
    has_nonsense = ParameterLocation.QUERY in places
    for headers in (None, ADMIN):
        yield Question(GenerationMode.POSITIVE, headers)
        if has_nonsense:
            yield Question(GenerationMode.NEGATIVE, headers)
        if ParameterLocation.PATH in places:
            yield Question(GenerationMode.POSITIVE, headers, {"name": "main"})


async def on_air() -> OriginState:
    """One stream that is live, one bandwidth test that is over, and an attempt in the log."""
    station, log = Station(), AttemptLog()
    test = await station.publish(query="bandwidthtest=true")
    broadcast(test, 11.0, meanwhile=station.clock.advance)
    test.end(clean=True)
    publication = await station.publish()
    publication.describe(METADATA)
    broadcast(publication, 12.0, meanwhile=station.clock.advance)
    log.note(Attempt(EPOCH, "192.0.2.7", "live/mia…", "OBS 32", Outcome.REFUSED, reason="no key"))
    return OriginState(
        station.registry,
        MetricsPage(lambda: ()),
        lambda: False,
        attempts=log,
        token=ControlToken(TOKEN),
    )


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    with asyncio.Runner() as runner:
        app = create_app(runner.run(on_air()))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://origin")
        yield Studio(runner, client)
        runner.run(client.aclose())


def test_everything_that_is_described_is_asked_here(studio: Studio) -> None:
    assert set(studio.operations) == set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_described(studio: Studio, label: str) -> None:
    operation = studio.operations[label]
    seen: set[int] = set()
    for question in questions(operation):
        seen |= studio.statuses(operation, question)
    assert seen == OPERATIONS[label]


def test_an_answer_that_is_not_as_described_is_noticed(studio: Studio) -> None:
    document = studio.document()
    document["components"]["schemas"]["StreamReport"]["properties"]["state"] = {"type": "integer"}
    (operation,) = (each for each in read(document) if each.label == "GET /api/v1/streams")
    with pytest.raises(FailureGroup, match='is not of type "integer"'):
        studio.statuses(operation, Question(GenerationMode.POSITIVE))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"])
def test_no_method_that_is_not_described_does_anything(studio: Studio, method: str) -> None:
    for operation in studio.operations.values():
        answer = studio.ask(method, operation.path.replace("{name}", "main"), headers=ADMIN)
        assert answer.status_code == 405, operation.label
        assert answer.headers["content-type"] == "application/problem+json"
