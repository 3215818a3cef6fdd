"""What can be fetched by name, from the moment it is complete until it is forgotten.

Parts come one by one; a segment adds a name for their bytes in a row, and another one for its
transport stream, which is made when it is first asked for. Initialization segments are named by
their content and stay for as long as any segment needs them.

A shelf belongs to one rendition of one session.
"""

from origin.errors import MediaError
from origin.hls import mpegts
from origin.hls.fmp4_init import fingerprint, initialization
from origin.hls.resource import AUDIO_TYPE, TS_TYPE, VIDEO_TYPE, Resource, named
from origin.hls.segment import Part, Segment
from origin.media.coded import MediaKind
from origin.media.track import Track


class Shelf:
    """Resources by name."""

    def __init__(self) -> None:
        self._found: dict[str, Resource] = {}
        # By the name of their transport stream, with the tracks that it has.
        self._segments: dict[str, Segment] = {}
        self._transport: dict[str, Resource] = {}
        self._initialization = ""

    def __len__(self) -> int:
        return len(self._found) + len(self._segments) + len(self._transport)

    def put_initialization(self, tracks: tuple[Track, ...]) -> str:
        """Keep the initialization segment of these tracks; return its name."""
        content = initialization(tracks)
        name = f"init-{fingerprint(content)}.mp4"
        before, self._initialization = self._initialization, name
        self._found[name] = named((content,), media_type(tracks), name)
        self._forget_initialization(before)
        return name

    def put_part(self, part: Part) -> None:
        self._found[part.name] = part.resource

    def put_segment(self, segment: Segment, transport: Segment) -> None:
        """Keep a segment, and what its transport stream will be made of."""
        if not segment.is_gap:
            self._found[segment.name] = segment.resource
        self._segments[_ts_name(segment)] = transport

    def ts_refusal(self, segment: Segment) -> str | None:
        """Say why a segment that is kept has no transport stream; None if it can have one."""
        return mpegts.refusal(self._segments[_ts_name(segment)].tracks)

    def find(self, name: str) -> Resource | None:
        """Return the initialization segment, segment or part of this name."""
        return self._found.get(name)

    def is_empty_in_ts(self, segment: Segment) -> bool:
        """Tell whether there is nothing to make a kept segment's transport stream of."""
        parts = self._segments[_ts_name(segment)].parts
        return not any(sample.payload for part in parts for run in part.samples for sample in run)

    def find_ts(self, name: str) -> Resource | None:
        """Return the transport stream of this name, which is made when first asked for.

        None, too, where there is nothing in the segment that could be carried.
        """
        segment = self._segments.get(name)
        if segment is None or mpegts.refusal(segment.tracks):
            return None
        if name not in self._transport:
            try:
                body = mpegts.transport_stream(segment)
            except MediaError:
                return None
            self._transport[name] = named((body,), TS_TYPE, name)
        return self._transport[name]

    def forget(self, segment: Segment) -> None:
        """Let go of a segment, its parts, and what only it needed."""
        for name in (segment.name, *(part.name for part in segment.parts)):
            self._found.pop(name, None)
        del self._segments[_ts_name(segment)]
        self._transport.pop(_ts_name(segment), None)
        self._forget_initialization(segment.initialization)

    def _forget_initialization(self, name: str) -> None:
        needed = {segment.initialization for segment in self._segments.values()}
        if name != self._initialization and name not in needed:
            self._found.pop(name, None)


def media_type(tracks: tuple[Track, ...]) -> str:
    """Return the content type of these tracks' fMP4."""
    has_video = any(track.kind is MediaKind.VIDEO for track in tracks)
    return VIDEO_TYPE if has_video else AUDIO_TYPE


def _ts_name(segment: Segment) -> str:
    return f"{segment.stem}.ts"
