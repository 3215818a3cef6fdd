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

from origin.hls import mpegts
from origin.hls.announcement import Announcement
from origin.hls.blocking import LiveEdge
from origin.hls.fmp4 import fragment, producer_reference_time
from origin.hls.low_latency import LowLatency, next_part
from origin.hls.multivariant import video_of
from origin.hls.names import RENDITION, part_name, place_of, stem_of
from origin.hls.playlist import Container, Snapshot, media_playlist
from origin.hls.resource import Resource, named, playlist
from origin.hls.rules import Rules, part_target_s, target_duration
from origin.hls.segment import OpenSegment, Part, Segment
from origin.hls.segmenter import PartReady, SegmentEnded, SegmenterEvent, choose_leader
from origin.hls.shelf import Shelf, media_type
from origin.hls.window import Window
from origin.media.timebase import Ticks
from origin.media.track import Track


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
        self.part_target_s: float | None = None
        """PART-TARGET; likewise."""
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
        self._shelf = Shelf()
        self._playlists: dict[tuple[Container, bool], Resource] = {}
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
    def is_low_latency(self) -> bool:
        """Whether the fMP4 playlist lists parts, and can be waited for."""
        return self._rules.low_latency

    @property
    def hint(self) -> str | None:
        """The name of the part that comes next; None once nothing comes any more."""
        if self.has_ended:
            return None
        return next_part(self._open, stem_of(self._epoch, self._msn))

    @property
    def live_edge(self) -> LiveEdge:
        """Where the fMP4 playlist ends."""
        newest = self._window.newest
        return LiveEdge(
            msn=self._msn if self._open is None else self._open.msn,
            parts=0 if self._open is None else len(self._open.parts),
            last_parts=0 if newest is None else len(newest.parts),
            part_target_s=self.part_target_s or self._rules.part_length_s,
            has_ended=self.has_ended,
        )

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
        self._initialization = self._shelf.put_initialization(tracks)

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
        self._forget_playlists()

    def playlist(self, *, skips: bool = False) -> Resource | None:
        """Return the fMP4 media playlist, or None until a segment is complete.

        With ``skips``, as a delta update, where there is anything to be left out.
        """
        return self._playlist(Container.FMP4, skips=skips and self.is_low_latency)

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
        return self._shelf.find(name)

    def find_ts(self, name: str) -> Resource | None:
        """Return the transport stream of this name, which is made when first asked for."""
        return self._shelf.find_ts(name)

    def will_be(self, name: str) -> bool:
        """Tell whether a segment or part may be of this name one day, and is not yet."""
        place = place_of(name, self._epoch)
        if place is None or self.has_ended:
            return False
        if self._open is None or place.msn != self._open.msn:
            return place.msn >= self._msn
        return place.part is None or place.part >= len(self._open.parts)

    def _add_part(self, part: PartReady, at: datetime) -> None:
        if self._open is None:
            self._open = self._begin_segment(part, at)
        name = part_name(self._open.stem, len(self._open.parts))
        self._fragments += 1
        pieces = fragment(self._fragments, part.tracks, part.samples)
        if not self._open.parts:
            pieces = (_reference_time(part, self._open.begins_at), *pieces)
        resource = named(pieces, media_type(part.tracks), name)
        made = Part(name, resource, part.samples, part.duration, part.independent)
        self._open.parts.append(made)
        self._shelf.put_part(made)
        if self.is_low_latency:
            self._forget_playlists(Container.FMP4)

    def _begin_segment(self, part: PartReady, at: datetime) -> OpenSegment:
        self._claim_independence(part.starts_independent)
        if self._anchor is None:
            self._anchor = (self._anchor_time(part, at), part.start)
        anchored_at, anchor = self._anchor
        segment = OpenSegment(
            msn=self._msn,
            stem=stem_of(self._epoch, self._msn),
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
            self._forget_playlists()

    def _anchor_time(self, part: PartReady, at: datetime) -> datetime:
        began = at - timedelta(seconds=part.duration / part.timescale)
        newest = self._window.newest
        return began if newest is None else max(began, newest.ends_at)

    def _end_segment(self) -> None:
        if self._open is None:
            return
        segment, self._open = self._open.close(), None
        if self.target_duration is None:
            self.target_duration = target_duration(
                self._rules, segment.duration_s, has_video=video_of(segment.tracks) is not None
            )
            longest = max([part.duration for part in segment.parts])
            self.part_target_s = part_target_s(self._rules, longest / segment.timescale)
        self.segment_count += 1
        self._shelf.put_segment(segment)
        for forgotten in self._window.add(segment, self.target_duration):
            self._shelf.forget(forgotten)
        self._announced[Container.FMP4].measure(
            segment, segment.resource.size, self.target_duration
        )
        self._announced[Container.TS].measure(
            segment, mpegts.expected_bytes(segment), self.target_duration
        )
        self._forget_playlists()

    def _playlist(self, container: Container, *, skips: bool = False) -> Resource | None:
        if self.target_duration is None:
            return None
        key = (container, skips)
        if key not in self._playlists:
            snapshot = Snapshot(
                container=container,
                target_duration=self.target_duration,
                discontinuity_sequence=self._window.discontinuity_sequence,
                segments=self._window.listed,
                independent_segments=self._independent,
                ended=self.has_ended,
                low_latency=self._low_latency(skips) if container is Container.FMP4 else None,
            )
            self._playlists[key] = playlist(media_playlist(snapshot))
        return self._playlists[key]

    def _low_latency(self, skips: bool) -> LowLatency | None:
        if not self.is_low_latency or self.part_target_s is None:
            return None
        return LowLatency(self.part_target_s, self._open, self.hint, skips=skips)

    def _forget_playlists(self, *containers: Container) -> None:
        for container in containers or Container:
            self._playlists.pop((container, False), None)
            self._playlists.pop((container, True), None)


def _reference_time(part: PartReady, begins_at: datetime) -> bytes:
    """Tie the first frame that the part's leader shows to the segment's date."""
    leader = choose_leader(part.tracks)
    run = part.samples[leader]
    media_time = run[0].dts + run[0].composition_offset if run else part.start
    return producer_reference_time(leader, begins_at, max(0, media_time))
