"""One session's stream, as it is served: names, playlists, segments, parts.

::

    configure()     the tracks are known, or have changed
        |
    add(PartReady) ...  add(SegmentEnded) ...      the open segment grows, then it is listed
        |
    discontinue()   time or publisher changed: the next segment carries EXT-X-DISCONTINUITY
        |
    end()           EXT-X-ENDLIST; everything listed stays

What is kept true here, whatever the publisher does:

* A name never stands for other bytes: it is made of the session's epoch and a sequence number
  that only grows; an initialization segment's name is the hash of its content.
* EXT-X-MEDIA-SEQUENCE and EXT-X-DISCONTINUITY-SEQUENCE never go back (``hls.window``). The next
  session under the same name begins with ``next_msn`` and ``next_discontinuity_sequence``.
* EXT-X-TARGETDURATION is set when the first segment is complete, and then constant.
* EXT-X-PROGRAM-DATE-TIME is anchored once per discontinuity domain and counted in media from
  there, so that it has no jitter, and never runs backwards.
* EXT-X-INDEPENDENT-SEGMENTS is claimed, by all playlists alike, until the first segment that
  breaks it, and from then on never again in this session.

Playlists are rendered when they are asked for, once per version: a stream without viewers has
none. A Rendition belongs to the task that owns the stream; nothing in it waits.
"""

from datetime import datetime, timedelta

from origin.errors import MediaError
from origin.hls import mpegts
from origin.hls.announcement import Announcement
from origin.hls.fmp4 import fragment
from origin.hls.fmp4_init import fingerprint, initialization
from origin.hls.playlist import Container, Snapshot, media_playlist
from origin.hls.resource import AUDIO_TYPE, TS_TYPE, VIDEO_TYPE, Resource, named, playlist
from origin.hls.rules import Rules, target_duration
from origin.hls.segment import OpenSegment, Part, Segment
from origin.hls.segmenter import PartReady, SegmentEnded, SegmenterEvent
from origin.hls.window import Window
from origin.media.coded import MediaKind
from origin.media.timebase import Ticks
from origin.media.track import Track

RENDITION = "v0"
"""The only rendition's name: its playlist and segments lie in this folder."""


class Rendition:
    """The rolling window of one session, and everything that is served of it."""

    def __init__(
        self,
        *,
        rules: Rules,
        epoch: str,
        first_msn: int,
        first_discontinuity_sequence: int,
        begins_with_discontinuity: bool,
    ) -> None:
        self.tracks: tuple[Track, ...] = ()
        self.target_duration: int | None = None
        """EXT-X-TARGETDURATION; None until the first segment is complete."""
        self.has_ended = False
        self.segment_count = 0
        """Segments completed in this session."""
        self._rules = rules
        self._epoch = epoch
        self._msn = first_msn
        self._discontinuous = begins_with_discontinuity
        self._independent = True
        self._anchor: tuple[datetime, Ticks] | None = None
        self._initialization = ""
        self._open: OpenSegment | None = None
        self._fragments = 0
        self._window = Window(rules, first_discontinuity_sequence)
        self._found: dict[str, Resource] = {}
        self._segments: dict[str, Segment] = {}  # by the name of their transport stream
        self._transport: dict[str, Resource] = {}
        self._playlists: dict[Container, Resource] = {}
        self._announced = {
            container: Announcement(container, f"{RENDITION}/index.m3u8") for container in Container
        }

    @property
    def next_msn(self) -> int:
        """The media sequence number that the next session begins with."""
        return self._msn

    @property
    def next_discontinuity_sequence(self) -> int:
        """The discontinuity sequence of the next session, which lists nothing of this one."""
        return self._window.next_discontinuity_sequence

    @property
    def listed(self) -> tuple[Segment, ...]:
        """The segments in the playlist, oldest first."""
        return self._window.listed

    @property
    def codecs(self) -> str | None:
        """RFC 6381; None until a segment is complete."""
        return self._announced[Container.FMP4].codecs

    @property
    def frame_rate(self) -> float | None:
        """As announced; None without video, and until a segment is complete."""
        return self._announced[Container.FMP4].frame_rate

    @property
    def average_bandwidth(self) -> int | None:
        """Bits per second, as announced; None until a segment is complete."""
        return self._announced[Container.FMP4].average_bandwidth

    @property
    def ts_refusal(self) -> str | None:
        """Why what is listed cannot be carried in MPEG-TS; None if it can."""
        reasons = (mpegts.refusal(segment.tracks) for segment in self._window.listed)
        return next((reason for reason in reasons if reason is not None), None)

    def configure(self, tracks: tuple[Track, ...]) -> None:
        """Go on with these tracks; nothing happens where they are the ones there are."""
        if tracks == self.tracks:
            return
        if self.tracks:
            self.discontinue()
        self.tracks = tracks
        content = initialization(tracks)
        name = f"init-{fingerprint(content)}.mp4"
        before, self._initialization = self._initialization, name
        self._found[name] = named((content,), _media_type(tracks), name)
        self._forget_initialization(before)

    def discontinue(self) -> None:
        """Begin a new timeline: the next segment carries EXT-X-DISCONTINUITY.

        Twice is the same as once, and before the first segment there is nothing to break off.
        """
        self._end_segment()
        if self.segment_count:
            self._discontinuous = True
        self._anchor = None

    def add(self, event: SegmenterEvent, at: datetime) -> None:
        """Take what the segmenter has completed; ``at`` is the wall clock's time of this call.

        It is looked at once per discontinuity domain: the domain's first part has just ended
        then, so it began earlier by its duration.
        """
        match event:
            case PartReady():
                self._add_part(event, at)
            case SegmentEnded(by_force):
                self._claim_independence(not by_force)
                self._end_segment()

    def end(self) -> None:
        """Put EXT-X-ENDLIST; what is listed stays so, and fetchable."""
        self._end_segment()
        self.has_ended = True
        self._playlists.clear()

    def playlist(self) -> Resource | None:
        """Return the fMP4 media playlist, or None until a segment is complete."""
        return self._playlist(Container.FMP4)

    def ts_playlist(self) -> Resource | None:
        """Return the TS media playlist; None also where ``ts_refusal`` says why."""
        return None if self.ts_refusal else self._playlist(Container.TS)

    def multivariant(self) -> Resource | None:
        """Return fMP4's multivariant playlist, or None until a segment is complete."""
        return self._announced[Container.FMP4].playlist(independent=self._independent)

    def ts_multivariant(self) -> Resource | None:
        """Return TS's multivariant playlist; None also where ``ts_refusal`` says why."""
        if self.ts_refusal:
            return None
        return self._announced[Container.TS].playlist(independent=self._independent)

    def find(self, name: str) -> Resource | None:
        """Return the initialization segment, segment or part of this name."""
        return self._found.get(name)

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

    def _add_part(self, part: PartReady, at: datetime) -> None:
        if self._open is None:
            self._open = self._begin_segment(part, at)
        name = f"{self._open.stem}.{len(self._open.parts)}.m4s"
        self._fragments += 1
        pieces = fragment(self._fragments, part.tracks, part.samples)
        resource = named(pieces, _media_type(part.tracks), name)
        self._found[name] = resource
        self._open.parts.append(Part(name, resource, part.samples, part.duration, part.independent))

    def _begin_segment(self, part: PartReady, at: datetime) -> OpenSegment:
        self._claim_independence(part.starts_independent)
        if self._anchor is None:
            self._anchor = (self._anchor_time(part, at), part.start)
        anchored_at, anchor = self._anchor
        segment = OpenSegment(
            msn=self._msn,
            stem=f"{self._epoch}-{self._msn}",
            tracks=part.tracks,
            initialization=self._initialization,
            start=part.start,
            timescale=part.timescale,
            begins_at=anchored_at + timedelta(seconds=(part.start - anchor) / part.timescale),
            is_discontinuous=self._discontinuous,
        )
        self._discontinuous = False
        self._msn += 1
        return segment

    def _claim_independence(self, holds: bool) -> None:
        if self._independent and not holds:
            self._independent = False
            self._playlists.clear()

    def _anchor_time(self, part: PartReady, at: datetime) -> datetime:
        began = at - timedelta(seconds=part.duration / part.timescale)
        newest = self._window.newest
        return began if newest is None else max(began, newest.ends_at)

    def _end_segment(self) -> None:
        if self._open is None:
            return
        segment, self._open = self._open.close(), None
        if self.target_duration is None:
            self.target_duration = target_duration(self._rules, segment.duration_s)
        self.segment_count += 1
        self._found[segment.name] = segment.resource
        self._segments[f"{segment.stem}.ts"] = segment
        for forgotten in self._window.add(segment, self.target_duration):
            self._forget(forgotten)
        self._announced[Container.FMP4].measure(
            segment, segment.resource.size, self.target_duration
        )
        self._announced[Container.TS].measure(
            segment, mpegts.expected_bytes(segment), self.target_duration
        )
        self._playlists.clear()

    def _forget(self, segment: Segment) -> None:
        for name in (segment.name, *(part.name for part in segment.parts)):
            del self._found[name]
        del self._segments[f"{segment.stem}.ts"]
        self._transport.pop(f"{segment.stem}.ts", None)
        self._forget_initialization(segment.initialization)

    def _forget_initialization(self, name: str) -> None:
        needed = {segment.initialization for segment in self._segments.values()}
        if name != self._initialization and name not in needed:
            self._found.pop(name, None)

    def _playlist(self, container: Container) -> Resource | None:
        if self.target_duration is None:
            return None
        if container not in self._playlists:
            snapshot = Snapshot(
                container=container,
                target_duration=self.target_duration,
                discontinuity_sequence=self._window.discontinuity_sequence,
                segments=self._window.listed,
                independent_segments=self._independent,
                ended=self.has_ended,
            )
            self._playlists[container] = playlist(media_playlist(snapshot))
        return self._playlists[container]


def _media_type(tracks: tuple[Track, ...]) -> str:
    has_video = any(track.kind is MediaKind.VIDEO for track in tracks)
    return VIDEO_TYPE if has_video else AUDIO_TYPE
