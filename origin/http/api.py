"""The control API: what is live, for people and programs. Read-only, and it tells no secret."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from origin.http.problems import ANY_PROBLEM, NotHere
from origin.http.state import StreamsDependency
from origin.http.summary import Summary, summarize

router = APIRouter(prefix="/api/v1", tags=["streams"], responses=ANY_PROBLEM)


class StreamReport(BaseModel, from_attributes=True):
    """One stream, as it is now."""

    name: str
    state: str = Field(description="offline, starting, live, reconnecting or ended")
    since: datetime | None = Field(description="when this state began")
    last_live: datetime | None = Field(description="when the last session ended")
    codecs: str | None = Field(
        description="RFC 6381 codec strings", examples=["avc1.64001f,mp4a.40.2"]
    )
    width: int | None
    height: int | None
    frame_rate: float | None = Field(description="frames per second, from the stream or measured")
    bitrate: int | None = Field(description="bits per second, average over the session")
    target_duration: int | None = Field(description="EXT-X-TARGETDURATION, seconds")
    segments: int = Field(description="segments completed in this session")


class StreamList(BaseModel):
    """Every stream that was published since the origin started."""

    streams: list[StreamReport]


@router.get("/streams")
def list_streams(streams: StreamsDependency) -> StreamList:
    """List the streams, in the order of their names."""
    return StreamList(streams=[_report(summarize(stream)) for stream in streams])


@router.get("/streams/{name}")
def show_stream(
    name: Annotated[str, Path(description="the stream's name")],
    streams: StreamsDependency,
) -> StreamReport:
    """Show one stream."""
    stream = streams.find(name)
    if stream is None:
        raise NotHere(f"no stream {name!r}")
    return _report(summarize(stream))


def _report(summary: Summary) -> StreamReport:
    return StreamReport.model_validate(summary)
