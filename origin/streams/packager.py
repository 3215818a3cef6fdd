"""From coded frames to a presentation: which tracks there are, and where one domain ends.

::

    push(unit) -> tracks known? -> Timeline -> Segmenter -> Presentation
                      |                |
                  held back       jump, new configuration, new track, track gone:
                  until then      flush, DISCONTINUITY, begin anew

A stream's tracks are fixed within a discontinuity domain. Encoders announce each track by its
sequence header before the first frame, but not together, and some announce a track that never
comes; so the first frames are held back until audio and video are both known, and whatever other
tracks onMetaData tells of, or for ``TRACK_WAIT`` of media, whichever is first. A track that shows
up later begins a new domain. For the first keyframe of a picture that has been announced the sound
waits longer (``streams.timeline``).

A track may end while others go on. Who is silent for ``GONE_AFTER``, or says so and then is
silent, is done without, in a new domain; if it comes back, that is another one: players that
wait for a picture play no sound meanwhile. The only sound, or the only picture, stays where there
is something to put in its place (``streams.timeline``).

A domain begins with a keyframe of the picture that leads. So where that one goes on, the next
domain waits for its next keyframe: otherwise everybody would lose what is left of the GOP.

One packager serves one session and is used from the event loop's thread alone.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from origin.errors import MediaError
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import Coded, CodedFrame, MediaKind, SequenceEnd, TrackId
from origin.media.description import Description
from origin.media.nal import check_keyframe
from origin.media.timebase import Millis, unwrap
from origin.media.track import Track
from origin.streams.comers import Comers
from origin.streams.domain import Domain, StrangeTrackError
from origin.streams.metadata import told_sounds, told_tracks
from origin.streams.timeline import AbsentError, PauseError, TimeJumpError

TRACK_WAIT = Millis(1000)
"""How much media may pass before a track that has not shown itself is done without."""

GONE_AFTER = Millis(10_000)
"""How long a picture or sound may be silent before it is done without."""

ENDED_AFTER = Millis(1000)
"""The same, once the encoder has said that the track is over, and if it does not go on."""

NEVER_SEEN = Millis(1 << 31)
"""In place of a picture's delay, before its first keyframe: it does not lead."""

MOST_TRACKS = 16
"""Of each kind: more are ignored. OBS sends up to ten pictures and six sounds."""

HELD_BYTES = 16 * 1024 * 1024
"""The most that is held back meanwhile: a second of 100 Mbit/s."""

HELD_FRAMES = 300
"""Likewise, where time stamps stand still: they cannot tell that a second has passed."""

CODEC_FIELDS = {MediaKind.VIDEO: "videocodecid", MediaKind.AUDIO: "audiocodecid"}
"""What onMetaData calls the codec of each kind."""

SESSION_START = Millis(1000)
"""Where a session's clock begins: a track may be up to this much earlier than the first one."""


class Packager:
    """Coded units in, a presentation out.

    ``wall`` tells the time for PROGRAM-DATE-TIME; ``on_media`` is called when the presentation has
    something new, with all of what one frame brought about already in it. ``start`` is where the
    session's clock has got to.
    """

    def __init__(
        self,
        rules: Rules,
        presentation: Presentation,
        wall: Callable[[], datetime],
        on_media: Callable[[], None] = lambda: None,
        start: Millis = SESSION_START,
    ) -> None:
        self.presentation = presentation
        self._rules = rules
        self._wall = wall
        self._on_media = on_media
        self._descriptions: dict[TrackId, Description] = {}
        self._expected: frozenset[MediaKind] = frozenset(MediaKind)
        self._announced: frozenset[TrackId] = frozenset()
        self._gone: set[TrackId] = set()
        self._ended: dict[TrackId, int] = {}
        """Until when there was something of a track when the encoder said that it is over."""
        self._delays: dict[TrackId, Millis] = {}
        self._held: list[tuple[int, CodedFrame, datetime]] = []
        self._came_at: datetime | None = None
        """When the frame came that is pushed now, where it has been held back since."""
        self._held_bytes = 0
        self._domain: Domain | None = None
        self._segments_waited: int | None = None
        """Tracks have come or gone: so many segments have ended while a GOP was waited for."""
        self._comers = Comers()
        self._clock = start

    def expect(self, metadata: Mapping[str, object]) -> None:
        """Learn from onMetaData which tracks will come: those that it names a codec for."""
        named = {
            kind
            for kind, field in CODEC_FIELDS.items()
            if metadata.get(field) not in (None, 0, 0.0, "")
        }
        if named:
            self._expected = frozenset(named)
        self._announced = told_tracks(metadata)
        self.presentation.sound_names = told_sounds(metadata)

    def push(self, at: int, unit: Coded) -> None:
        """Take a unit stamped ``at`` (32-bit milliseconds).

        Raises:
            MediaError: its configuration cannot be packaged; the text is for the streamer.
        """
        if isinstance(unit, CodedFrame):
            self._push_frame(at, unit)
        elif isinstance(unit, SequenceEnd):
            if self._domain is not None and self._domain.has(unit.track):
                self._ended[unit.track] = self._domain.timeline.heard(unit.track)
        elif self._description(unit.track).take(unit):
            if self._domain is not None and self._domain.has(unit.track):
                self._end_domain()  # one that it has not begins with its first frame
            self._gone.discard(unit.track)

    def flush(self) -> None:
        """Publish every whole frame that was received, and close the segment.

        What comes next begins a new domain.
        """
        with suppress(MediaError):  # there is nobody any more who could be told
            if self._domain is None:
                self._begin_domain()
        with suppress(MediaError):
            self._end_domain()
        self._expected, self._announced = frozenset(MediaKind), frozenset()
        self._descriptions.clear()
        self._gone.clear()
        self._ended.clear()
        self._delays.clear()

    def _push_frame(self, at: int, frame: CodedFrame) -> None:
        if self._segments_waited is not None and frame.is_keyframe:
            self._meet_keyframe(at, frame)
        if self._domain is not None:
            try:
                has_segment = self._domain.push(at, frame)
            except TimeJumpError:
                self._end_domain()
            except AbsentError:
                self._gone.add(self._domain.leader)
                self._end_domain()
            except (PauseError, StrangeTrackError):
                if not self._comes(at, frame):
                    return
            else:
                if has_segment:
                    self._look_for_missing()
                return
        if self._is_announced(frame):
            self._hold(at, frame)

    def _comes(self, at: int, frame: CodedFrame) -> bool:
        """Whether a new domain begins now, with a frame that this one cannot take.

        Where a picture leads it begins with the next GOP.
        """
        assert self._domain is not None
        if not self._is_announced(frame) or not (frame.is_keyframe or self._comers):
            return False
        if self._domain.leader.kind is MediaKind.AUDIO:
            self._end_domain()
            return True
        if frame.is_keyframe:
            self._gone.discard(frame.track)
            self._delays[frame.track] = frame.composition
        self._comers.push(at, frame)
        self._segments_waited = self._segments_waited or 0
        return False

    def _meet_keyframe(self, at: int, frame: CodedFrame) -> None:
        """Begin a new domain with the GOP that begins now, if it still has to be."""
        if self._domain is None or frame.track != self._domain.leader:
            return
        missing = self._missing()
        self._segments_waited = None
        if missing or self._comers:
            came = self._comers.take(at)
            self._gone |= missing
            self._end_domain()
            for came_at, each in came:
                self._push_frame(came_at, each)

    def _look_for_missing(self) -> None:
        """Do without tracks that have been silent for long while others go on.

        Where no GOP begins for a whole segment, none is waited for.
        """
        assert self._domain is not None
        missing = self._missing()
        waited = self._segments_waited
        if waited is not None:
            self._segments_waited = waited + 1
        elif missing:
            self._segments_waited = 0
        leader = self._domain.leader
        goes_on = leader.kind is MediaKind.VIDEO and leader not in missing
        if (missing and not goes_on) or (waited and (missing or self._comers)):
            self._gone |= missing
            self._end_domain()

    def _missing(self) -> set[TrackId]:
        """The tracks to be done without; never all."""
        assert self._domain is not None
        timeline = self._domain.timeline
        missing = set(timeline.silent_for(GONE_AFTER))
        for track in timeline.silent_for(ENDED_AFTER):
            if self._ended.get(track) == timeline.heard(track):
                missing.add(track)
        for kind in MediaKind:
            tracks = {track for track in timeline.tracks if track.kind is kind}
            if missing >= tracks:
                missing -= {track for track in tracks if timeline.is_filled(track)}
        return missing if missing != set(timeline.tracks) else set()

    def _description(self, track: TrackId) -> Description:
        """What is known of a track; of one too many, nothing is ever kept."""
        known = self._descriptions.get(track)
        if known is None:
            known = Description()
            if sum(each.kind is track.kind for each in self._descriptions) < MOST_TRACKS:
                self._descriptions[track] = known
        return known

    def _is_announced(self, frame: CodedFrame) -> bool:
        """Whether a decoder could make something of ``frame``; some announce themselves."""
        description = self._description(frame.track)
        description.learn(frame)
        return description.describes(frame)

    def _hold(self, at: int, frame: CodedFrame) -> None:
        configuration = self._description(frame.track).configuration
        if frame.is_keyframe and configuration is not None:
            check_keyframe(configuration, frame.payload)  # now: who publishes can still be told
        self._gone.discard(frame.track)
        if frame.is_keyframe:
            self._delays[frame.track] = frame.composition
        self._held.append((at, frame, self._date()))
        self._held_bytes += len(frame.payload)
        if self._tracks_are_known():
            self._begin_domain()

    def _tracks_are_known(self) -> bool:
        known = self._tracks().keys() | self._gone
        kinds = {track.kind for track in known}
        pictures = [track for track in self._tracks() if track.kind is MediaKind.VIDEO]
        have_begun = len(pictures) < 2 or self._delays.keys() >= set(pictures)
        if have_begun and self._expected <= kinds and self._announced <= known:
            return True
        first, last = self._held[0][0], self._held[-1][0]
        waited = unwrap(last, Millis(first)) - first
        is_long = abs(waited) > TRACK_WAIT or len(self._held) > HELD_FRAMES
        return is_long or self._held_bytes > HELD_BYTES

    def _begin_domain(self) -> None:
        if not self._held:
            return
        tracks = self._in_order()
        if not tracks:  # another header came behind what is held, and VP9's needs a keyframe
            self._held, self._held_bytes = [], 0
            return
        self.presentation.configure(tracks)
        self._domain = Domain(
            tracks, self._clock, self._rules, self.presentation, self._date, self._on_media
        )
        held, self._held, self._held_bytes = self._held, [], 0
        try:
            for at, frame, came_at in held:
                self._came_at = came_at
                self.push(at, frame)
        finally:
            self._came_at = None

    def _date(self) -> datetime:
        return self._came_at or self._wall()

    def _tracks(self) -> dict[TrackId, Track]:
        """Those that can be decoded, and are not over."""
        return {
            track: Track(description.configuration)
            for track, description in self._descriptions.items()
            if description.configuration is not None and track not in self._gone
        }

    def _in_order(self) -> dict[TrackId, Track]:
        """The tracks as the segmenter wants them: it cuts where the first picture's keyframes are.

        That is the one whose keyframes are decoded last, of those that are shown together: then
        the others' have come already, however far each encoder reorders.
        """
        tracks = self._tracks()

        def place(track: TrackId) -> tuple[bool, int, int]:
            is_sound = track.kind is MediaKind.AUDIO
            return is_sound, 0 if is_sound else self._delays.get(track, NEVER_SEEN), track.number

        return {track: tracks[track] for track in sorted(tracks, key=place)}

    def _end_domain(self) -> None:
        domain, self._domain = self._domain, None
        if domain is None:
            return
        try:
            domain.flush()
        finally:
            # A still picture is of this domain alone: in the next one nobody is to wait for it.
            filled = filter(domain.timeline.is_filled, domain.timeline.tracks)
            self._gone |= {track for track in filled if track.kind is MediaKind.VIDEO}
            self._clock = domain.timeline.end
            self._segments_waited = None
            self._comers.clear()
            self._ended.clear()
            self.presentation.discontinue()
            self._on_media()
