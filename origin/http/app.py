"""The FastAPI application: routes, problem documents, and the headers that every answer has."""

from email.utils import formatdate
from importlib.metadata import version

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from origin.http import api, attempts, health, ingest_health, media, pages, problems
from origin.http.head import HeadIsGet
from origin.http.state import OriginState

# First components of what only operators reach, and no edge forwards: browsers on other sites
# have no business here.
CONTROL = frozenset({"api", "docs", "openapi.json", "metrics", "redoc", "studio"})

VIEWER_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Age, Date, Content-Length, Content-Range",
    "Timing-Allow-Origin": "*",
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Range, If-None-Match, If-Range",
    "Access-Control-Max-Age": "86400",
    "Cache-Control": "public, max-age=86400",
}


def create_app(state: OriginState) -> FastAPI:
    """The origin's HTTP side over ``state``."""
    app = FastAPI(
        title="Tidecast",
        version=version("tidecast"),
        summary="Live streams: what is on the air, and its playlists and segments.",
        docs_url=None,  # pages.py has one that fetches nothing from other hosts
        redoc_url=None,
        redirect_slashes=False,  # it would answer with the Host that was asked for
    )
    app.state.origin = state
    problems.install(app)
    # The media routes match any first path component, so they come last.
    for module in (health, api, ingest_health, attempts, pages, media):
        app.include_router(module.router)
    app.add_middleware(HeadIsGet)
    app.add_middleware(CommonHeaders)
    return app


class CommonHeaders:
    """Adds nosniff to every answer and CORS to viewers' ones, and answers OPTIONS.

    It dates them as well, at the moment at which they are given (RFC 9110, 6.6.1): the server's
    own Date is of the moment of the request, and an answer that was held for seconds would be
    taken for that old by every cache behind (RFC 9111, 4.2.3).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_viewers = scope["path"].removeprefix("/").partition("/")[0] not in CONTROL

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Date"] = formatdate(usegmt=True)
                headers["X-Content-Type-Options"] = "nosniff"
                if is_viewers:
                    headers.update(VIEWER_HEADERS)
            await send(message)

        if is_viewers and scope["method"] == "OPTIONS":
            await _answer_options(send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


async def _answer_options(send: Send) -> None:
    """204 with what other origins may do here (Fetch standard, CORS preflight)."""
    fields = [(k.lower().encode(), v.encode()) for k, v in PREFLIGHT_HEADERS.items()]
    await send({"type": "http.response.start", "status": 204, "headers": fields})
    await send({"type": "http.response.body", "body": b""})
