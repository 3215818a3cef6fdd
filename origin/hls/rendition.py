"""One rendition of a session, as it is served: names, playlists, segments, parts.

::

    configure()     the tracks are known, or have changed
        |
    begin() add() add() ... close()       the open segment grows, then it is listed

What is kept true here, whatever the publisher does:

* A name never stands for other bytes: it is made of the session's epoch and a sequence number
  that only grows; an initialization segment's name is the hash of its content.
* EXT-X-MEDIA-SEQUENCE and EXT-X-DISCONTINUITY-SEQUENCE never go back (``hls.window``).
* A part or segment that this rendition has nothing for, while others have, is a gap (EXT-X-GAP
  and GAP=YES): its number is used up, and players take it from another rendition. In classic
  playlists it has what there is, and is a gap only where nothing at all could be carried in TS.

When segments begin and end, with which number and date, is decided for all renditions at once by
``hls.presentation``, which alone calls what changes something here.

Playlists are rendered when they are asked for, once per version: a stream without viewers has
none. A Rendition belongs to the task that owns the stream; nothing in it waits.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from origin.hls import mpegts
from origin.hls.announcement import Announcement
from origin.hls.blocking import LiveEdge
from origin.hls.cuts import PartReady, choose_leader
from origin.hls.fmp4 import fragment, producer_reference_time
from origin.hls.low_latency import LowLatency, Report, next_part
from origin.hls.memory import RenditionMemory
from origin.hls.names import part_name, place_of, stem_of
from origin.hls.playlist import Container, Snapshot, media_playlist
from origin.hls.resource import Pieces, Resource, named, playlist
from origin.hls.segment import OpenSegment, Part, Segment, together
from origin.hls.shared import Beginning, Shared
from origin.hls.shelf import Shelf, media_type
from origin.hls.window import Window
from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.track import Track


class Rendition:
    """The rolling window of one rendition, and everything that is served of it.

    ``reports`` tells where the other renditions have got to.
    """

    def __init__(
        self,
        name: str,
        shared: Shared,
        first_discontinuity_sequence: int,
        reports: "Callable[[Rendition], tuple[Report, ...]]" = lambda _: (),
    ) -> None:
        self.name = name
        """Its folder below the stream's."""
        self.tracks: tuple[Track, ...] = ()
        self._shared = shared
        self._reports = reports
        self._initialization = ""
        self._open: OpenSegment | None = None
        self._fragments = 0
        self._covered_s = -math.inf
        self._window = Window(shared.rules, first_discontinuity_sequence)
        self._shelf = Shelf()
        self._playlists: dict[tuple[Container, bool], Resource] = {}
        self.announced = {container: Announcement() for container in Container}
        """What the multivariant playlist of each container says of it."""

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
    def listed(self) -> tuple[Segment, ...]:
        """The segments in the playlist, oldest first."""
        return self._window.listed

    @property
    def is_low_latency(self) -> bool:
        """Whether the fMP4 playlist lists parts, and can be waited for."""
        return self._shared.rules.low_latency

    @property
    def hint(self) -> str | None:
        """The name of the part that comes next; None once nothing comes any more."""
        if self.has_ended:
            return None
        return next_part(self._open, stem_of(self._shared.epoch, self._shared.msn))

    @property
    def live_edge(self) -> LiveEdge:
        """Where the fMP4 playlist ends."""
        newest = self._window.newest
        return LiveEdge(
            msn=self._shared.msn if self._open is None else self._open.msn,
            parts=0 if self._open is None else len(self._open.parts),
            last_parts=0 if newest is None else len(newest.parts),
            part_target_s=self.part_target_s or self._shared.rules.part_length_s,
            has_ended=self.has_ended,
        )

    @property
    def initialization(self) -> str:
        """The name of the initialization segment of what comes next."""
        return self._initialization

    @property
    def growing(self) -> OpenSegment:
        """The segment that is not complete yet; there must be one."""
        assert self._open is not None
        return self._open

    @property
    def last_part(self) -> tuple[int, int] | None:
        """The newest part: its segment's number, and its own; None where there is none."""
        newest = self._open if self._open is not None and self._open.parts else self._window.newest
        return None if newest is None else (newest.msn, len(newest.parts) - 1)

    @property
    def newest(self) -> Segment | None:
        """The last complete segment."""
        return self._window.newest

    @property
    def next_discontinuity_sequence(self) -> int:
        """The discontinuity number of the next segment, if it has no tag of its own."""
        return self._window.next_discontinuity_sequence

    @property
    def codecs(self) -> str | None:
        """RFC 6381; None until a segment is complete."""
        return self.announced[Container.FMP4].codecs

    @property
    def frame_rate(self) -> float | None:
        """As announced; None without video, and until a segment is complete."""
        return self.announced[Container.FMP4].frame_rate

    @property
    def average_bandwidth(self) -> int | None:
        """Bits per second, as announced; None until a segment is complete."""
        return self.announced[Container.FMP4].average_bandwidth

    @property
    def ts_refusal(self) -> str | None:
        """Why what is listed cannot be carried in MPEG-TS; None if it can."""
        reasons = (self._shelf.ts_refusal(segment) for segment in self._window.listed)
        return next((reason for reason in reasons if reason is not None), None)

    @property
    def oldest_msn(self) -> int | None:
        """The number of the first segment that can be fetched."""
        return self._window.oldest_msn

    def memory(self, order: Sequence[Track]) -> RenditionMemory:
        """What is to be remembered beside the segments; ``order`` are the session's tracks."""
        return RenditionMemory(
            name=self.name,
            fragments=self._fragments,
            covered_s=None if self._covered_s == -math.inf else self._covered_s,
            discontinuity_sequence=self.next_discontinuity_sequence,
            fmp4=self.announced[Container.FMP4].memory(order),
            ts=self.announced[Container.TS].memory(order),
        )

    def recall(self, memory: RenditionMemory, order: Sequence[Track]) -> None:
        """Go on from there; the segments before, if there are to be any, are here already."""
        self._fragments = memory.fragments
        self._covered_s = -math.inf if memory.covered_s is None else memory.covered_s
        if self._window.newest is None:
            self._window = Window(self._shared.rules, memory.discontinuity_sequence)
        self.announced[Container.FMP4].recall(memory.fmp4, order)
        self.announced[Container.TS].recall(memory.ts, order)

    def configure(self, tracks: tuple[Track, ...]) -> None:
        """Go on with these tracks, from the next segment on; with none, there are gaps."""
        if tracks == self.tracks:
            return
        self.tracks = tracks
        if tracks:
            self._initialization = self._shelf.put_initialization(tracks)

    def begin(self, beginning: Beginning) -> None:
        """Begin a segment."""
        self._open = OpenSegment(
            msn=beginning.msn,
            stem=beginning.stem,
            tracks=self.tracks,
            initialization=self._initialization,
            start=beginning.start,
            timescale=beginning.timescale,
            begins_at=beginning.begins_at,
            is_discontinuous=beginning.is_discontinuous,
        )

    def add(self, part: PartReady, *, pictures_elsewhere: bool = False) -> Part:
        """Take the next part of the open segment, with this rendition's tracks in it.

        ``pictures_elsewhere`` says that another rendition has a picture to show in it.
        """
        assert self._open is not None
        name = part_name(self._open.stem, len(self._open.parts))
        is_gap = self._is_gap(part, pictures_elsewhere=pictures_elsewhere)
        pieces: Pieces = ()
        if not is_gap:
            self._fragments += 1
            pieces = fragment(self._fragments, part.tracks, part.samples)
            if not self._open.parts:
                pieces = (_reference_time(part, self._open.begins_at), *pieces)
        resource = named(pieces, media_type(part.tracks), name)
        independent = part.independent and not is_gap
        made = Part(name, resource, part.samples, part.duration, independent, is_gap)
        self._open.parts.append(made)
        if not is_gap:
            self._shelf.put_part(made)
        if self.is_low_latency:
            self.forget_playlists(Container.FMP4)
        return made

    def close(self, beside: Segment | None = None, sound_bytes: int = 0) -> Segment:
        """End the open segment.

        ``beside`` has what its transport stream needs as well; ``sound_bytes`` are loaded with
        it, of whichever sound a player chooses.
        """
        assert self._open is not None
        assert self.target_duration is not None
        segment, self._open = self._open.close(), None
        transport = together(segment, beside)
        self._shelf.put_segment(segment, transport)
        for forgotten in self._window.add(segment, self.target_duration):
            self._shelf.forget(forgotten)
        if not segment.is_gap:
            size = segment.resource.size + sound_bytes
            ts_size = mpegts.expected_bytes(transport)
            self.announced[Container.FMP4].measure(segment, size, self.target_duration)
            self.announced[Container.TS].measure(transport, ts_size, self.target_duration)
        self.forget_playlists()
        return segment

    def can_be_listed(self, container: Container) -> bool:
        """Tell whether there is a playlist to lead to, and something to say of it."""
        is_refused = container is Container.TS and self.ts_refusal is not None
        return self.announced[container].codecs is not None and not is_refused

    def playlist(self, *, skips: bool = False) -> Resource | None:
        """Return the fMP4 media playlist, or None until a segment is complete.

        With ``skips``, as a delta update, where there is anything to be left out.
        """
        return self._playlist(Container.FMP4, skips=skips and self.is_low_latency)

    def ts_playlist(self) -> Resource | None:
        """Return the TS media playlist; None also where ``ts_refusal`` says why."""
        return None if self.ts_refusal else self._playlist(Container.TS)

    def find(self, name: str) -> Resource | None:
        """Return the initialization segment, segment or part of this name."""
        return self._shelf.find(name)

    def find_ts(self, name: str) -> Resource | None:
        """Return the transport stream of this name, which is made when first asked for."""
        return self._shelf.find_ts(name)

    def will_be(self, name: str) -> bool:
        """Tell whether a segment or part may be of this name one day, and is not yet."""
        place = place_of(name, self._shared.epoch)
        if place is None or self.has_ended:
            return False
        if self._open is None or place.msn != self._open.msn:
            return place.msn >= self._shared.msn
        return place.part is None or place.part >= len(self._open.parts)

    def forget_playlists(self, *containers: Container) -> None:
        """Render anew what is asked for next: something that a playlist says has changed."""
        for container in containers or Container:
            self._playlists.pop((container, False), None)
            self._playlists.pop((container, True), None)

    def _is_gap(self, part: PartReady, *, pictures_elsewhere: bool) -> bool:
        """Tell whether there is nothing here that a player could show.

        Frames may be further apart than parts are long: so long as the last one may still last,
        nothing is missing. And where nobody has a picture, the sound goes on without.
        """
        leading, timescale = _leading_run(part)
        if not self.is_low_latency:
            return False
        if leading:
            last = leading[-1]
            self._covered_s = (last.dts + 2 * last.duration) / timescale
            return False
        if any(part.samples) and not pictures_elsewhere:
            return False
        return self._covered_s < (part.start + part.duration) / part.timescale

    def _playlist(self, container: Container, *, skips: bool = False) -> Resource | None:
        if self.target_duration is None or not self._window.newest:
            return None
        key = (container, skips)
        if key not in self._playlists:
            snapshot = Snapshot(
                container=container,
                target_duration=self.target_duration,
                discontinuity_sequence=self._window.discontinuity_sequence,
                segments=self._window.listed,
                gaps=frozenset(self._gaps(container)),
                independent_segments=self._shared.independent,
                ended=self.has_ended,
                low_latency=self._low_latency(skips) if container is Container.FMP4 else None,
            )
            self._playlists[key] = playlist(media_playlist(snapshot))
        return self._playlists[key]

    def _gaps(self, container: Container) -> Iterator[int]:
        """The numbers of the listed segments that cannot be fetched."""
        for segment in self._window.listed:
            if container is Container.TS:
                is_gap = self._shelf.is_empty_in_ts(segment)
            else:
                is_gap = segment.is_gap and self.is_low_latency
            if is_gap:
                yield segment.msn

    def _low_latency(self, skips: bool) -> LowLatency | None:
        if not self.is_low_latency or self.part_target_s is None:
            return None
        reports = () if self.has_ended else self._reports(self)
        return LowLatency(self.part_target_s, self._open, self.hint, reports, skips=skips)


def _leading_run(part: PartReady) -> tuple[tuple[Sample, ...], int]:
    """Return the samples of the track that leads in this rendition, and its timescale."""
    if not part.tracks:
        return (), part.timescale
    leader = choose_leader(part.tracks)
    return part.samples[leader], part.tracks[leader].timescale


def _reference_time(part: PartReady, begins_at: datetime) -> bytes:
    """Tie the first frame that the part's leader shows to the date on which it was taken."""
    leader = choose_leader(part.tracks)
    run, timescale = _leading_run(part)
    if not run:
        media_time = part.start * timescale // part.timescale
        return producer_reference_time(leader, begins_at, media_time)
    if part.tracks[leader].kind is MediaKind.AUDIO:
        late = run[0].dts / timescale - part.start / part.timescale
        begins_at += timedelta(seconds=late)
    media_time = run[0].dts + run[0].composition_offset
    return producer_reference_time(leader, begins_at, max(0, media_time))
