"""Playlists, segments and parts: ``/{stream}/...``, as the playlists' relative URIs lead there.

::

    /{stream}/index.m3u8              multivariant (fMP4)
    /{stream}/{rendition}/index.m3u8  media playlist
    /{stream}/{rendition}/{file}      init, segment, part
    /{stream}/ts/...                  the same as MPEG-TS
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from origin.hls.rendition import RENDITION, Rendition
from origin.hls.resource import Resource
from origin.http.problems import NotHere, NotYet
from origin.http.responses import IMMUTABLE, MOMENTARY, playlist_lifetime, respond
from origin.http.state import StreamsDependency
from origin.streams.stream import State

router = APIRouter(include_in_schema=False)


def find_rendition(stream: str, streams: StreamsDependency) -> Rendition:
    """The rendition of ``stream``'s session, or 404."""
    known = streams.find(stream)
    if known is None or known.session is None:
        raise NotHere(f"no stream {stream!r} is live here")
    if known.state is State.STARTING:
        raise NotYet(f"{stream!r} is starting: its first segment is not complete yet")
    return known.session.rendition


RenditionDependency = Annotated[Rendition, Depends(find_rendition)]


@router.get("/{stream}/index.m3u8")
def multivariant(request: Request, rendition: RenditionDependency) -> Response:
    return respond(request, _ready(rendition.multivariant()), MOMENTARY)


@router.get("/{stream}/ts/index.m3u8")
def ts_multivariant(request: Request, rendition: RenditionDependency) -> Response:
    return respond(request, _in_ts(rendition, rendition.ts_multivariant()), MOMENTARY)


@router.get("/{stream}/ts/{rendition_name}/index.m3u8")
def ts_playlist(request: Request, rendition_name: str, rendition: RenditionDependency) -> Response:
    _check(rendition_name)
    playlist = _in_ts(rendition, rendition.ts_playlist())
    return respond(request, playlist, playlist_lifetime(rendition.target_duration or 0))


@router.get("/{stream}/ts/{rendition_name}/{file}")
def ts_file(
    request: Request,
    rendition_name: str,
    file: str,
    rendition: RenditionDependency,
) -> Response:
    _check(rendition_name)
    return respond(request, _found(rendition.find_ts(file), file), IMMUTABLE)


@router.get("/{stream}/{rendition_name}/index.m3u8")
def playlist(request: Request, rendition_name: str, rendition: RenditionDependency) -> Response:
    _check(rendition_name)
    lifetime = playlist_lifetime(rendition.target_duration or 0)
    return respond(request, _ready(rendition.playlist()), lifetime)


@router.get("/{stream}/{rendition_name}/{file}")
def media_file(
    request: Request,
    rendition_name: str,
    file: str,
    rendition: RenditionDependency,
) -> Response:
    _check(rendition_name)
    return respond(request, _found(rendition.find(file), file), IMMUTABLE)


def _check(rendition_name: str) -> None:
    if rendition_name != RENDITION:
        raise NotHere(f"no rendition {rendition_name!r} in this stream")


def _ready(resource: Resource | None) -> Resource:
    if resource is None:
        raise NotYet("the first segment is not complete yet")
    return resource


def _in_ts(rendition: Rendition, resource: Resource | None) -> Resource:
    if resource is None and rendition.playlist() is not None:
        raise NotHere("this stream's codecs cannot be carried in MPEG-TS: use the fMP4 playlist")
    return _ready(resource)


def _found(resource: Resource | None, file: str) -> Resource:
    if resource is None:
        raise NotHere(f"{file!r} is not in this stream, or no longer kept")
    return resource
