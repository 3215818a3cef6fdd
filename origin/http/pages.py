"""The pages, their assets, and the status document that keeps them true without a reload."""

from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from origin.hls.resource import Resource
from origin.http.problems import NotHere
from origin.http.responses import IMMUTABLE, MOMENTARY, document, respond
from origin.http.state import StreamsDependency
from origin.http.summary import Summary, summarize
from origin.streams.stream import State
from player.assets import asset
from player.pages import (
    CONTENT_SECURITY_POLICY,
    EMBED_CONTENT_SECURITY_POLICY,
    StreamCard,
    StreamView,
    api_page,
    embed_page,
    home_page,
    not_found_page,
    watch_page,
)

router = APIRouter(include_in_schema=False)
ON_AIR = {State.STARTING.value, State.LIVE.value, State.RECONNECTING.value}


class Status(BaseModel):
    """What a watch page has to know (``/{stream}/status.json``)."""

    stream: str
    state: str
    since: datetime | None
    playlist: str | None
    ts_playlist: str | None
    last_live: datetime | None
    codecs: str | None
    width: int | None
    height: int | None
    frame_rate: float | None


@router.get("/")
def home(streams: StreamsDependency) -> Response:
    summaries = [summarize(stream) for stream in streams]
    cards = [
        StreamCard(summary.name, summary.state, summary.began, summary.height)
        for summary in summaries
        if summary.state in ON_AIR
    ]
    return _page(home_page(cards), CONTENT_SECURITY_POLICY)


@router.get("/docs")
def api_documentation(request: Request) -> Response:
    return _page(api_page(request.app.openapi()), CONTENT_SECURITY_POLICY)


@router.get("/assets/{name}")
def asset_file(request: Request, name: str) -> Response:
    found = asset(name)
    if found is None:
        raise NotHere(f"no asset {name!r}")
    size = len(found.body)
    resource = Resource((found.body,), size, found.content_type, found.etag, found.gzip)
    return respond(request, resource, IMMUTABLE)


@router.get("/{stream}")
def watch(stream: str, streams: StreamsDependency) -> Response:
    known = streams.find(stream)
    if known is None:
        return _page(not_found_page(), CONTENT_SECURITY_POLICY, 404)
    return _page(watch_page(_view(summarize(known))), CONTENT_SECURITY_POLICY)


@router.get("/{stream}/")
def watch_without_slash(stream: str) -> Response:
    """Lead to the page; the address is relative, so it holds behind any edge."""
    return RedirectResponse(f"../{stream}", 308, MOMENTARY.headers)


@router.get("/{stream}/embed")
def embed(stream: str, streams: StreamsDependency) -> Response:
    known = streams.find(stream)
    if known is None:
        return _page(not_found_page(), EMBED_CONTENT_SECURITY_POLICY, 404)
    return _page(embed_page(_view(summarize(known))), EMBED_CONTENT_SECURITY_POLICY)


@router.get("/{stream}/status.json")
def status(request: Request, stream: str, streams: StreamsDependency) -> Response:
    known = streams.find(stream)
    if known is None:
        raise NotHere(f"no stream {stream!r}")
    body = _status(summarize(known)).encode()
    return respond(request, document(body, "application/json"), MOMENTARY)


def _status(summary: Summary) -> str:
    return Status(
        stream=summary.name,
        state=summary.state,
        since=summary.since,
        playlist=f"/{summary.name}/index.m3u8" if summary.has_playlist else None,
        ts_playlist=f"/{summary.name}/ts/index.m3u8" if summary.has_ts else None,
        last_live=summary.last_live,
        codecs=summary.codecs,
        width=summary.width,
        height=summary.height,
        frame_rate=summary.frame_rate,
    ).model_dump_json()


def _view(summary: Summary) -> StreamView:
    return StreamView(summary.name, summary.state, summary.last_live, _status(summary))


def _page(html: str, policy: str, status_code: int = 200) -> Response:
    headers = {
        **MOMENTARY.headers,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "same-origin",
    }
    return HTMLResponse(html, status_code, headers)
