"""One session's stream: all of its renditions, and what they do at the same moment.

::

    configure()     the tracks are known, or have changed: ``hls.lineup`` says which renditions
        |
    add(PartReady) ...  add(SegmentEnded) ...      dealt out by track: each rendition gets the same
        |                                          cut, with its own samples on both sides
    discontinue()   time or publisher changed: the next segment carries EXT-X-DISCONTINUITY
        |
    end()           EXT-X-ENDLIST; everything listed stays

What is the same for all renditions, whatever the publisher does:

* Media sequence numbers, the parts of each segment, durations, dates and discontinuities. Who
  changes from one to another goes on at the very number where he was.
* EXT-X-TARGETDURATION and PART-TARGET: set when the first segment is complete, then constant.
* EXT-X-PROGRAM-DATE-TIME is counted in media from the beginning of each discontinuity domain, and
  kept near the clock (``hls.dates``).
* EXT-X-INDEPENDENT-SEGMENTS is claimed, by all playlists alike, until the first segment of any
  of them that breaks it, and from then on never again in this session.
* Each low-latency playlist reports how far the others are. As all of them grow by the same call,
  every version of it has numbers that are right.

The next session under the same name begins with ``next_msn`` and ``next_discontinuity_sequence``.
A Presentation belongs to the task that owns the stream; nothing in it waits.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from origin.hls.cuts import PartReady, SegmentEnded, SegmenterEvent
from origin.hls.dates import Dating, first_date, next_date
from origin.hls.lineup import Lineup, Place
from origin.hls.listing import SoundName, listing
from origin.hls.low_latency import Report
from origin.hls.memory import Memory
from origin.hls.names import RENDITION, stem_of
from origin.hls.observer import Observer
from origin.hls.playlist import Container
from origin.hls.rendition import Rendition
from origin.hls.resource import Resource, playlist
from origin.hls.rules import Rules, part_target_s, target_duration
from origin.hls.segment import Segment
from origin.hls.shared import Beginning, Shared
from origin.media.coded import MediaKind, TrackId
from origin.media.timebase import Ticks
from origin.media.track import Track


class Presentation:
    """The renditions of one session, and its multivariant playlists."""

    def __init__(
        self,
        *,
        rules: Rules,
        epoch: str,
        first_msn: int,
        first_discontinuity_sequence: int,
        begins_with_discontinuity: bool,
    ) -> None:
        self.tracks: dict[TrackId, Track] = {}
        """Those of now, in the order in which parts have them."""
        self.sound_names: Mapping[int, SoundName] = {}
        """What the publisher calls its sounds, by their tracks' numbers."""
        self.segment_count = 0
        """Segments completed in this session."""
        self._shared = Shared(rules, epoch, first_msn)
        self._first_discontinuity_sequence = first_discontinuity_sequence
        self._discontinuous = begins_with_discontinuity
        self._observer: Observer | None = None
        self._dating: Dating | None = None
        self._open: Beginning | None = None
        self._lengths: list[Ticks] = []  # of the open segment's parts
        self._ends_at: datetime | None = None
        self._lineup = Lineup()
        self._places: tuple[Place, ...] = ()
        self._picks: dict[str, tuple[int, ...]] = {}
        self._renditions: dict[str, Rendition] = {}
        self._multivariants: dict[Container, tuple[str, Resource]] = {}
        self._create(RENDITION)  # what it nearly always is

    @property
    def target_duration(self) -> int | None:
        """EXT-X-TARGETDURATION; None until the first segment is complete."""
        return self._shared.target_duration

    @property
    def part_target_s(self) -> float | None:
        """PART-TARGET; likewise."""
        return self._shared.part_target_s

    @property
    def has_ended(self) -> bool:
        return self._shared.has_ended

    @property
    def is_independent(self) -> bool:
        """Whether EXT-X-INDEPENDENT-SEGMENTS is claimed."""
        return self._shared.independent

    @property
    def next_msn(self) -> int:
        """The media sequence number that the next session begins with."""
        return self._shared.msn

    @property
    def next_discontinuity_sequence(self) -> int:
        """The discontinuity sequence of the next session, which lists nothing of this one."""
        return self.main.next_discontinuity_sequence

    @property
    def renditions(self) -> Mapping[str, Rendition]:
        """By name, those included that are only there for who plays them already."""
        return self._renditions

    @property
    def main(self) -> Rendition:
        """The first rendition that is offered: the best picture, where encoders keep to custom."""
        return next(iter(self._renditions.values()))

    @property
    def codecs(self) -> str | None:
        """What a player needs for the main rendition (RFC 6381); None until it is announced."""
        offered = [place.name for place in self._places if place.is_offered]
        sounds = [name for name in offered if name.startswith("a")]
        together = dict.fromkeys([self.main.name, *sounds[:1]])
        codecs = [self._renditions[name].codecs for name in together]
        return ",".join([each for each in codecs if each is not None]) or None

    def observe(self, observer: Observer) -> None:
        """Tell ``observer`` of everything from now on."""
        self._observer = observer

    @property
    def oldest_msn(self) -> int:
        """The number of the first segment that can be fetched, or of the next one."""
        oldest = [rendition.oldest_msn for rendition in self._renditions.values()]
        return min([msn for msn in oldest if msn is not None], default=self._shared.msn)

    def memory(self) -> Memory:
        """What is to be remembered where a segment begins."""
        shared, order = self._shared, list(self.tracks.values())
        return Memory(
            epoch=shared.epoch,
            msn=shared.msn,
            target_duration=shared.target_duration,
            part_target_s=shared.part_target_s,
            independent=shared.independent,
            segment_count=self.segment_count,
            is_discontinuous=self._discontinuous,
            dating=self._dating,
            ends_at=self._ends_at,
            names=self._lineup.names,
            is_apart=self._lineup.is_apart,
            sound_names={
                number: (name.title, name.language) for number, name in self.sound_names.items()
            },
            renditions=tuple(each.memory(order) for each in self._renditions.values()),
        )

    def recall(self, memory: Memory, tracks: Mapping[TrackId, Track]) -> None:
        """Be where a session was when a segment of these tracks began.

        What came before it is here already, or will never be.
        """
        shared = self._shared
        shared.epoch, shared.msn = memory.epoch, memory.msn
        shared.target_duration, shared.part_target_s = memory.target_duration, memory.part_target_s
        shared.independent = memory.independent
        self.segment_count = memory.segment_count
        self.sound_names = {number: SoundName(*told) for number, told in memory.sound_names.items()}
        self._discontinuous, self._ends_at = memory.is_discontinuous, memory.ends_at
        self._dating = memory.dating
        self._lineup.recall(memory.names, is_apart=memory.is_apart)
        self._arrange(tracks)
        for each in memory.renditions:
            if each.name in self._renditions:
                self._renditions[each.name].recall(each, list(tracks.values()))

    def seal(self, epoch: str) -> None:
        """End the open segment where it was broken off; from now on names are of this epoch.

        Its own name is, too: it would have had more parts under its old one.
        """
        self._shared.epoch = epoch
        if self._open is not None:
            for rendition in self._renditions.values():
                rendition.growing.stem = stem_of(epoch, self._open.msn)
        self.discontinue()

    def configure(self, tracks: Mapping[TrackId, Track]) -> None:
        """Go on with these tracks; nothing happens where they are the ones there are.

        From now on parts have them in this order.
        """
        if list(tracks.items()) == list(self.tracks.items()):
            return
        if self.tracks:
            self.discontinue()
        self._arrange(tracks)

    def discontinue(self) -> None:
        """Begin a new timeline: the next segment carries EXT-X-DISCONTINUITY.

        Twice is the same as once, and before the first segment there is nothing to break off.
        """
        self._end_segment()
        if self.segment_count:
            self._discontinuous = True
        self._dating = None

    def redate(self) -> None:
        """Date the next segment by the clock: somebody has set it. It begins a new timeline."""
        self._discontinuous = self._discontinuous or self._open is not None or bool(self._ends_at)
        self._dating = None

    def add(self, event: SegmenterEvent, at: datetime) -> None:
        """Take what the segmenter has completed; ``at`` is the wall clock's time of this call.

        It is looked at when a segment's first part has just ended: so that began earlier by its
        duration.
        """
        match event:
            case PartReady():
                self._add_part(event, at)
            case SegmentEnded():
                self._claim_independence(not event.by_force)
                self._end_segment()

    def end(self) -> None:
        """Put EXT-X-ENDLIST; what is listed stays so, and fetchable."""
        self._end_segment()
        self._shared.has_ended = True
        self._forget_playlists()
        if self._observer is not None:
            self._observer.ended()

    def multivariant(self) -> Resource | None:
        """Return fMP4's multivariant playlist, or None until a segment is complete."""
        return self._multivariant(Container.FMP4)

    def ts_multivariant(self) -> Resource | None:
        """Return TS's multivariant playlist; None also where no rendition can be carried in it."""
        return self._multivariant(Container.TS)

    def _arrange(self, tracks: Mapping[TrackId, Track]) -> None:
        self.tracks = dict(tracks)
        self._places = self._lineup.arrange(tracks)
        for place in self._places:
            if place.name not in self._renditions:
                self._create(place.name)
        # Those that are offered come first; what was never used is none.
        self._renditions = {place.name: self._renditions[place.name] for place in self._places}
        order = list(tracks)
        for place in self._places:
            self._picks[place.name] = tuple(order.index(track) for track in place.tracks)
            own = tuple(self.tracks[track] for track in place.tracks)
            self._renditions[place.name].configure(own)

    def _create(self, name: str) -> None:
        first = self._first_discontinuity_sequence
        if self.segment_count:
            first = self.main.next_discontinuity_sequence
        self._renditions[name] = Rendition(name, self._shared, first, self._reports)

    def _add_part(self, part: PartReady, at: datetime) -> None:
        picked = {name: part.pick(indexes) for name, indexes in self._picks.items()}
        if self._open is None:
            dating = self._date(part, at)
            if self._observer is not None:
                self._observer.segment_begins(self.memory())
            self._dating = dating
            self._open = self._begin_segment(part, dating)
            for rendition in self._renditions.values():
                rendition.begin(self._open)
        self._lengths.append(part.duration)
        shows = any(
            run and track.kind is MediaKind.VIDEO
            for track, run in zip(part.tracks, part.samples, strict=True)
        )
        is_first = len(self._lengths) == 1
        for rendition in self._renditions.values():
            own = picked[rendition.name]
            made = rendition.add(own, pictures_elsewhere=shows)
            if is_first and not made.is_gap:
                self._claim_independence(own.starts_independent)
        if self._observer is not None:
            self._observer.part_added(part, at)

    def _date(self, part: PartReady, at: datetime) -> Dating:
        """Date the segment that begins with a part; that may make it discontinuous."""
        seen = at - timedelta(seconds=part.duration / part.timescale)
        if self._dating is None:
            return first_date(part.start, seen, self._ends_at)
        dating, is_break = next_date(self._dating, part.start, part.timescale, seen)
        self._discontinuous = self._discontinuous or is_break
        return dating

    def _begin_segment(self, part: PartReady, dating: Dating) -> Beginning:
        beginning = Beginning(
            msn=self._shared.msn,
            stem=stem_of(self._shared.epoch, self._shared.msn),
            start=part.start,
            timescale=part.timescale,
            begins_at=dating.at,
            is_discontinuous=self._discontinuous,
        )
        self._discontinuous = False
        self._shared.msn += 1
        return beginning

    def _claim_independence(self, holds: bool) -> None:
        if self._shared.independent and not holds:
            self._shared.independent = False
            self._forget_playlists()

    def _end_segment(self) -> None:
        if self._open is None:
            return
        duration_s = sum(self._lengths) / self._open.timescale
        self._set_targets(duration_s, max(self._lengths) / self._open.timescale)
        self._ends_at = self._open.begins_at + timedelta(seconds=duration_s)
        self._open, self._lengths = None, []
        self.segment_count += 1
        self._close_all()
        if self._observer is not None:
            self._observer.segment_ended()

    def _close_all(self) -> None:
        """Close each rendition's segment; sounds first, since pictures go with them."""
        closed: dict[str, Segment] = {}
        alone = [place for place in self._places if place.sound is None]
        for place in alone:
            closed[place.name] = self._renditions[place.name].close()
        sounds = [segment for name, segment in closed.items() if name.startswith("a")]
        largest = max([sound.resource.size for sound in sounds], default=0)
        for place in self._places:
            if place.sound is not None:
                beside = closed.get(f"a{place.sound.number}")
                self._renditions[place.name].close(beside, largest)

    def _set_targets(self, duration_s: float, longest_part_s: float) -> None:
        if self._shared.target_duration is not None:
            return
        rules = self._shared.rules
        has_video = any(track.kind is MediaKind.VIDEO for track in self.tracks.values())
        self._shared.target_duration = target_duration(rules, duration_s, has_video=has_video)
        self._shared.part_target_s = part_target_s(rules, longest_part_s)

    def _forget_playlists(self) -> None:
        for rendition in self._renditions.values():
            rendition.forget_playlists()

    def _reports(self, reader: Rendition) -> tuple[Report, ...]:
        """Tell where the renditions beside ``reader`` have got to."""
        return tuple(
            Report(f"../{other.name}/index.m3u8", *last_part)
            for other in self._renditions.values()
            if other is not reader and other.listed and (last_part := other.last_part)
        )

    def _multivariant(self, container: Container) -> Resource | None:
        offered = [self._renditions[place.name] for place in self._places if place.is_offered]
        text = listing(
            container,
            [rendition for rendition in offered if rendition.can_be_listed(container)],
            self.sound_names,
            independent_segments=self._shared.independent,
        )
        if text is None:
            return None
        known = self._multivariants.get(container)
        if known is None or known[0] != text:
            known = self._multivariants[container] = (text, playlist(text))
        return known[1]
