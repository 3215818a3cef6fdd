"""One stream in a few words: what the API, the status document and the pages all say of it."""

from dataclasses import dataclass
from datetime import datetime

from origin.hls.multivariant import video_of
from origin.media.configuration import VideoConfiguration
from origin.streams.stream import Session, Stream


@dataclass(frozen=True, slots=True)
class Summary:
    """A stream at one moment; nothing in it is secret."""

    name: str
    state: str
    since: datetime | None
    """When this state began."""
    began: datetime | None
    """When this session began."""
    last_live: datetime | None
    codecs: str | None
    width: int | None
    height: int | None
    frame_rate: float | None
    bitrate: int | None
    target_duration: int | None
    segments: int
    has_playlist: bool
    has_ts: bool


def summarize(stream: Stream) -> Summary:
    """Put ``stream`` into words."""
    session = stream.session
    video = _video(session)
    presentation = session.presentation if session is not None else None
    main = presentation.main if presentation is not None else None
    return Summary(
        name=stream.name,
        state=stream.state.value,
        since=stream.since,
        began=session.began if session is not None else None,
        last_live=stream.last_live,
        codecs=presentation.codecs if presentation is not None else None,
        width=video.width if video is not None else None,
        height=video.height if video is not None else None,
        frame_rate=main.frame_rate if main is not None else None,
        bitrate=main.average_bandwidth if main is not None else None,
        target_duration=presentation.target_duration if presentation is not None else None,
        segments=session.segments if session is not None else 0,
        has_playlist=main is not None and bool(main.listed),
        has_ts=main is not None and bool(main.listed) and not main.ts_refusal,
    )


def _video(session: Session | None) -> VideoConfiguration | None:
    if session is None:
        return None
    return video_of(session.presentation.main.tracks)
