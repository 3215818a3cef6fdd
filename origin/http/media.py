"""Playlists, segments and parts: ``/{stream}/...``, as the playlists' relative URIs lead there.

::

    /{stream}/index.m3u8              multivariant (fMP4)
    /{stream}/{rendition}/index.m3u8  media playlist; with directives, it waits for what they name
    /{stream}/{rendition}/{file}      init, segment, part; the part that comes next is waited for
                                      ({rendition}: see ``hls.lineup``)
    /{stream}/ts/...                  the same as MPEG-TS, without any waiting

All of these run in the event loop, as the streams do: nothing changes while one of them looks,
except where it waits.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from origin.auth.names import is_stream_name
from origin.hls.blocking import (
    MalformedDirective,
    Verdict,
    Wanted,
    judge,
    longest_hold_s,
    longest_part_hold_s,
    read_directives,
)
from origin.hls.presentation import Presentation
from origin.hls.rendition import Rendition
from origin.hls.resource import Resource
from origin.http.holding import held
from origin.http.problems import Nonsense, NotHere, NotYet
from origin.http.responses import (
    IMMUTABLE,
    MOMENTARY,
    Lifetime,
    future_lifetime,
    low_latency_lifetime,
    playlist_lifetime,
    reload_lifetime,
    respond,
)
from origin.http.state import StreamsDependency
from origin.streams.stream import State, Stream
from origin.streams.waiting import Outcome

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OnAir:
    """A stream and the session of it that a request is about."""

    stream: Stream
    presentation: Presentation
    target_duration: int
    part_target_s: float


async def find_on_air(streams: StreamsDependency, stream: str) -> OnAir:
    """The present session of ``stream``, or 404."""
    if not is_stream_name(stream):
        raise NotHere("there is nothing at this address")
    known = streams.find(stream)
    if known is None or known.session is None:
        raise NotHere(f"no stream {stream!r} is live here")
    presentation = known.session.presentation
    target_duration, part_target_s = presentation.target_duration, presentation.part_target_s
    if known.state is State.STARTING or target_duration is None or part_target_s is None:
        raise NotYet(f"{stream!r} is starting: its first segment is not complete yet")
    return OnAir(known, presentation, target_duration, part_target_s)


OnAirDependency = Annotated[OnAir, Depends(find_on_air)]


@router.get("/{stream}/index.m3u8")
async def multivariant(request: Request, on_air: OnAirDependency) -> Response:
    return respond(request, _ready(on_air.presentation.multivariant()), MOMENTARY)


@router.get("/{stream}/ts/index.m3u8")
async def ts_multivariant(request: Request, on_air: OnAirDependency) -> Response:
    resource = on_air.presentation.ts_multivariant()
    return respond(request, _in_ts(on_air.presentation.main, resource), MOMENTARY)


@router.get("/{stream}/ts/{rendition_name}/index.m3u8")
async def ts_playlist(request: Request, rendition_name: str, on_air: OnAirDependency) -> Response:
    rendition = _rendition(on_air, rendition_name)
    playlist = _in_ts(rendition, rendition.ts_playlist())
    return respond(request, playlist, playlist_lifetime(on_air.target_duration))


@router.get("/{stream}/ts/{rendition_name}/{file}")
async def ts_file(
    request: Request, rendition_name: str, file: str, on_air: OnAirDependency
) -> Response:
    found = _rendition(on_air, rendition_name).find_ts(file)
    if found is None:
        raise NotHere(f"{file!r} is not in this stream, or no longer kept")
    return respond(request, found, IMMUTABLE)


@router.get("/{stream}/{rendition_name}/index.m3u8")
async def playlist(request: Request, rendition_name: str, on_air: OnAirDependency) -> Response:
    rendition = _rendition(on_air, rendition_name)
    if not rendition.is_low_latency:
        lifetime = playlist_lifetime(on_air.target_duration)
        return respond(request, _ready(rendition.playlist()), lifetime)
    wanted = _read(request)
    await _wait_for_playlist(request, on_air, rendition, wanted)
    lifetime = _reload_lifetime(on_air, rendition, wanted)
    return respond(request, _ready(rendition.playlist(skips=wanted.skips)), lifetime)


@router.get("/{stream}/{rendition_name}/{file}")
async def media_file(
    request: Request, rendition_name: str, file: str, on_air: OnAirDependency
) -> Response:
    rendition = _rendition(on_air, rendition_name)
    if rendition.is_low_latency and file == rendition.hint:
        await _wait_for_part(request, on_air, rendition, file)
    found = rendition.find(file)
    if found is None and rendition.will_be(file):
        detail = f"{file!r} is not there yet, and not what comes next"
        raise NotHere(detail, future_lifetime(on_air.part_target_s))
    if found is None:
        raise NotHere(f"{file!r} is not in this stream, or no longer kept")
    return respond(request, found, IMMUTABLE)


def _read(request: Request) -> Wanted:
    try:
        return read_directives(request.query_params.multi_items())
    except MalformedDirective as error:
        raise Nonsense(str(error)) from error


async def _wait_for_playlist(
    request: Request, on_air: OnAir, rendition: Rendition, wanted: Wanted
) -> None:
    """Return once there is something to answer, or say that there is not."""
    judgement = judge(wanted, rendition.live_edge)
    if judgement.verdict is Verdict.REFUSE:
        raise Nonsense(judgement.reason)
    if judgement.verdict is Verdict.READY:
        return
    outcome = await held(
        request,
        on_air.stream.waiting,
        lambda: judge(wanted, rendition.live_edge).verdict is Verdict.READY,
        longest_hold_s(wanted, on_air.target_duration, on_air.part_target_s),
    )
    if outcome not in (Outcome.READY, Outcome.RELEASED):
        raise NotYet("what was asked for has not come yet")


def _reload_lifetime(on_air: OnAir, rendition: Rendition, wanted: Wanted) -> Lifetime:
    """A playlist that was waited for stays right for that request; any other one is momentary."""
    is_listed = wanted.msn is not None and wanted.msn >= rendition.listed[0].msn
    if is_listed and judge(wanted, rendition.live_edge).verdict is Verdict.READY:
        return reload_lifetime(on_air.target_duration)
    return low_latency_lifetime(on_air.part_target_s)


async def _wait_for_part(request: Request, on_air: OnAir, rendition: Rendition, file: str) -> None:
    """Return once the part is there, or will never be."""
    await held(
        request,
        on_air.stream.waiting,
        lambda: rendition.hint != file,
        longest_part_hold_s(on_air.target_duration),
    )
    if rendition.hint == file:
        raise NotYet(f"{file!r} has not come yet")
    if rendition.find(file) is None:
        detail = f"{file!r} does not come: there is a gap, or the segment has ended before it"
        raise NotHere(detail, future_lifetime(on_air.part_target_s))


def _rendition(on_air: OnAir, name: str) -> Rendition:
    found = on_air.presentation.renditions.get(name)
    if found is None:
        raise NotHere(f"no rendition {name!r} in this stream")
    if not found.listed:
        raise NotYet(f"the first segment of {name!r} is not complete yet")
    return found


def _ready(resource: Resource | None) -> Resource:
    if resource is None:
        raise NotYet("the first segment is not complete yet")
    return resource


def _in_ts(rendition: Rendition, resource: Resource | None) -> Resource:
    if resource is None and rendition.playlist() is not None:
        raise NotHere("this stream's codecs cannot be carried in MPEG-TS: use the fMP4 playlist")
    return _ready(resource)
