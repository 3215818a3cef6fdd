"""Whether the process lives, whether it may be sent traffic, and what it has counted."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from origin.http.state import StateDependency
from origin.observe.metrics import CONTENT_TYPE

router = APIRouter(tags=["health"])
UNCACHED = {"Cache-Control": "no-store"}


@router.get("/healthz")
def alive() -> JSONResponse:
    """Say that the process answers."""
    return JSONResponse({"status": "ok"}, headers=UNCACHED)


@router.get("/readyz", responses={503: {"description": "draining or degraded"}})
def ready(state: StateDependency) -> JSONResponse:
    """Say whether new publishers and viewers may come: 503 while they may not, with the reason."""
    if state.is_draining():
        return JSONResponse({"status": "draining"}, 503, headers=UNCACHED)
    if (shortage := state.shortage()) is not None:
        return JSONResponse({"status": "degraded", "reason": shortage}, 503, headers=UNCACHED)
    told = {"status": "ready"}
    if (notice := state.notice()) is not None:
        told["notice"] = notice  # who comes is served all the same
    return JSONResponse(told, headers=UNCACHED)


@router.get("/metrics", response_class=Response)
def metrics(state: StateDependency) -> Response:
    """Metrics in Prometheus's text format."""
    return Response(state.metrics.render(), headers={"Content-Type": CONTENT_TYPE, **UNCACHED})
