"""Errors as problem details (RFC 9457), with a Cache-Control that an edge can obey.

A 404 may be cached for a second and no longer: what is missing now is often the next segment,
and ten seconds of "not found" (a common default) freeze every viewer behind that cache.
"""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 1


class NotHere(HTTPException):
    """404: no such thing, at the moment."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.NOT_FOUND, detail, {"Cache-Control": "public, max-age=1"})


class NotYet(HTTPException):
    """503: it will be there; ask again."""

    def __init__(self, detail: str) -> None:
        headers = {"Cache-Control": "no-store", "Retry-After": str(RETRY_AFTER_S)}
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers)


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem document."""
    app.add_exception_handler(HTTPException, _explain)
    app.add_exception_handler(RequestValidationError, _explain_bad_request)


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


def problem(status: int, detail: str, headers: dict[str, str]) -> JSONResponse:
    """A problem document of the type about:blank (RFC 9457, section 4.2.1)."""
    body = {"title": HTTPStatus(status).phrase, "status": int(status), "detail": detail}
    return JSONResponse(body, status, headers, media_type=PROBLEM_JSON)
