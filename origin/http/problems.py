"""Errors as problem details (RFC 9457), with a Cache-Control that an edge can obey.

A 404 may be cached for a second and no longer: what is missing now is often the next segment,
and ten seconds of "not found" (a common default) freeze every viewer behind that cache. A refused
request may be kept as long: a client that asks for nonsense asks for it again.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from origin.http.responses import Lifetime

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1
A_SECOND = Lifetime("public, max-age=1")


class ProblemReport(BaseModel):
    """An error (RFC 9457)."""

    title: str
    status: int
    detail: str


ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "any error",
        "content": {PROBLEM_JSON: {"schema": ProblemReport.model_json_schema()}},
    }
}
"""For the description of the API: what every error looks like."""


class NotHere(HTTPException):
    """404: no such thing, at the moment."""

    def __init__(self, detail: str, lifetime: Lifetime = A_SECOND) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, detail, lifetime.headers)


class Nonsense(HTTPException):
    """400: no client that goes by the playlist asks for this."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, detail, A_SECOND.headers)


class NotYet(HTTPException):
    """503: it will be there; ask again."""

    def __init__(self, detail: str) -> None:
        headers = {"Cache-Control": "no-store", "Retry-After": str(RETRY_AFTER_S)}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(RequestValidationError, _explain_bad_request)
    app.add_exception_handler(Exception, _admit)


async def _explain(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = {"Cache-Control": "no-store", **(error.headers or {})}
    return problem(error.status_code, error.detail, headers)


async def _explain_bad_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem(
        HTTPStatus.BAD_REQUEST, f"{where}: {first['msg']}", {"Cache-Control": "no-store"}
    )


async def _admit(_request: Request, _error: Exception) -> JSONResponse:
    """A bug of ours: what is wrong is in the log, and nobody else's business."""
    headers = {"Cache-Control": "no-store"}
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the origin failed to answer", headers)


def problem(status: int, detail: str, headers: dict[str, str]) -> JSONResponse:
    """A problem document of the type about:blank (RFC 9457, section 4.2.1)."""
    report = ProblemReport(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(report.model_dump(), status, headers, media_type=PROBLEM_JSON)
