"""The log of attempts to publish, for administrators: it tells addresses, and streams by name."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from origin.auth.attempts import MOST_ATTEMPTS, Attempt
from origin.http.admin import ADMIN_ONLY
from origin.http.problems import ANY_PROBLEM
from origin.http.state import StateDependency

router = APIRouter(
    prefix="/api/v1/ingest", tags=["ingest"], responses=ANY_PROBLEM, dependencies=[ADMIN_ONLY]
)


class AttemptReport(BaseModel, from_attributes=True):
    """One wish to publish, or several that were alike."""

    at: datetime = Field(description="the first of them")
    last_at: datetime = Field(description="the last of them")
    times: int = Field(description="how many there were")
    address: str = Field(description="where it came from")
    encoder: str = Field(description="how the encoder names itself")
    asked: str = Field(description="app and publish name, secrets masked", examples=["live/mai…"])
    outcome: str = Field(description="accepted or refused")
    stream: str | None = Field(description="the stream that it led to")
    reason: str = Field(description="what the encoder was told")
    hint: str = Field(description="what may be wrong", examples=["did you mean `main`?"])


class AttemptList(BaseModel):
    """The newest first."""

    attempts: list[AttemptReport]


@router.get("/attempts")
def list_attempts(
    response: Response,
    state: StateDependency,
    limit: Annotated[int, Query(ge=1, le=MOST_ATTEMPTS)] = MOST_ATTEMPTS,
) -> AttemptList:
    """List who tried to publish of late, and what came of it."""
    response.headers["Cache-Control"] = "no-store"
    return AttemptList(attempts=[_report(attempt) for attempt in state.attempts][:limit])


def _report(attempt: Attempt) -> AttemptReport:
    return AttemptReport(
        at=attempt.at,
        last_at=attempt.last_at or attempt.at,
        times=attempt.times,
        address=attempt.address,
        encoder=attempt.encoder,
        asked=attempt.asked,
        outcome=attempt.outcome.value,
        stream=attempt.stream,
        reason=attempt.reason,
        hint=attempt.hint,
    )
