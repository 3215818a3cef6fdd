"""From coded frames to a presentation: which tracks there are, and where one domain ends.

::

    push(unit) -> tracks known? -> Timeline -> Segmenter -> Presentation
                      |                |
                  held back       jump, new configuration, new track:
                  until then      flush, DISCONTINUITY, begin anew

A stream's tracks are fixed within a discontinuity domain. Encoders announce each track by its
sequence header before the first frame, but not together, and some announce a track that never
comes; so the first frames are held back until audio and video are both known, or for
``TRACK_WAIT`` of media, whichever is first. A track that shows up later begins a new domain.

One packager serves one session and is used from the event loop's thread alone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter, SegmenterEvent
from origin.media.coded import Coded, CodedFrame, MediaKind, SequenceEnd, TrackId
from origin.media.description import Description
from origin.media.timebase import Millis, unwrap
from origin.media.track import Track
from origin.streams.timeline import TimeJumpError, Timeline

TRACK_WAIT = Millis(1000)
"""How much media may pass before a track that has not shown itself is done without."""

HELD_BYTES = 16 * 1024 * 1024
"""The most that is held back meanwhile: a second of 100 Mbit/s."""

CODEC_FIELDS = {MediaKind.VIDEO: "videocodecid", MediaKind.AUDIO: "audiocodecid"}
"""What onMetaData calls the codec of each kind."""

SESSION_START = Millis(1000)
"""Where a session's clock begins: a track may be up to this much earlier than the first one."""

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame


class Packager:
    """Coded units in, a presentation out.

    ``wall`` tells the time for PROGRAM-DATE-TIME; ``on_media`` is called when the presentation has
    something new, with all of what one frame brought about already in it.
    """

    def __init__(
        self,
        rules: Rules,
        presentation: Presentation,
        wall: Callable[[], datetime],
        on_media: Callable[[], None] = lambda: None,
    ) -> None:
        self.presentation = presentation
        self._rules = rules
        self._wall = wall
        self._on_media = on_media
        self._descriptions = {kind: Description() for kind in MediaKind}
        self._expected: frozenset[MediaKind] = frozenset(MediaKind)
        self._held: list[tuple[int, CodedFrame]] = []
        self._held_bytes = 0
        self._domain: _Domain | None = None
        self._clock = SESSION_START

    def expect(self, metadata: Mapping[str, object]) -> None:
        """Learn from onMetaData which tracks will come: those that it names a codec for."""
        named = {
            kind
            for kind, field in CODEC_FIELDS.items()
            if metadata.get(field) not in (None, 0, 0.0, "")
        }
        if named:
            self._expected = frozenset(named)

    def push(self, at: int, unit: Coded) -> None:
        """Take a unit stamped ``at`` (32-bit milliseconds).

        Raises:
            MediaError: its configuration cannot be packaged; the text is for the streamer.
        """
        if unit.track.number:
            return  # only the first track of each kind is packaged
        if isinstance(unit, CodedFrame):
            self._push_frame(at, unit)
        elif not isinstance(unit, SequenceEnd) and self._descriptions[unit.track.kind].take(unit):
            self._end_domain()
        # After a SequenceEnd the publish ends, or another header follows.

    def flush(self) -> None:
        """Publish every whole frame that was received, and close the segment.

        What comes next begins a new domain.
        """
        if self._domain is None:
            self._begin_domain()
        self._end_domain()
        self._expected = frozenset(MediaKind)

    def _push_frame(self, at: int, frame: CodedFrame) -> None:
        if self._domain is not None:
            try:
                self._domain.push(at, frame)
            except TimeJumpError:
                self._end_domain()
            else:
                return
        if self._is_announced(frame):
            self._hold(at, frame)

    def _is_announced(self, frame: CodedFrame) -> bool:
        """Whether a decoder could make something of ``frame``; some announce themselves."""
        description = self._descriptions[frame.track.kind]
        if description.learn(frame):
            self._end_domain()
        return description.describes(frame)

    def _hold(self, at: int, frame: CodedFrame) -> None:
        self._held.append((at, frame))
        self._held_bytes += len(frame.payload)
        if self._tracks_are_known():
            self._begin_domain()

    def _tracks_are_known(self) -> bool:
        if all(self._descriptions[kind].configuration is not None for kind in self._expected):
            return True
        first, last = self._held[0][0], self._held[-1][0]
        waited = unwrap(last, Millis(first)) - first
        return abs(waited) > TRACK_WAIT or self._held_bytes > HELD_BYTES

    def _begin_domain(self) -> None:
        if not self._held:
            return
        told = [description.configuration for description in self._descriptions.values()]
        tracks = tuple(Track(configuration) for configuration in told if configuration is not None)
        self.presentation.configure({TrackId(track.kind, 0): track for track in tracks})
        self._domain = _Domain(
            tracks, self._clock, self._rules, self.presentation, self._wall, self._on_media
        )
        held, self._held, self._held_bytes = self._held, [], 0
        for at, frame in held:
            self.push(at, frame)

    def _end_domain(self) -> None:
        if self._domain is None:
            return
        self._domain.flush()
        self._clock = self._domain.timeline.end
        self._domain = None
        self.presentation.discontinue()
        self._on_media()


class _Domain:
    """One discontinuity domain: a timeline and a segmenter over a fixed set of tracks."""

    def __init__(
        self,
        tracks: tuple[Track, ...],
        start: Millis,
        rules: Rules,
        presentation: Presentation,
        wall: Callable[[], datetime],
        on_media: Callable[[], None],
    ) -> None:
        self.timeline = Timeline(tracks, start)
        self._index_of = {track.kind: index for index, track in enumerate(tracks)}
        self._video_index = self._index_of.get(MediaKind.VIDEO, 0)
        self._audio_index = self._index_of.get(MediaKind.AUDIO, 0)
        self._segmenter = Segmenter(
            rules, tracks, presentation.target_duration, presentation.part_target_s
        )
        self._presentation = presentation
        self._wall = wall
        self._on_media = on_media

    def push(self, at: int, frame: CodedFrame) -> None:
        sample = self.timeline.push(at, frame)
        if sample is None:
            return
        is_video = frame.track.kind is _VIDEO
        index = self._video_index if is_video else self._audio_index
        if events := self._segmenter.push(index, sample):
            self._add(events)
        if is_video and frame.is_keyframe and (events := self._segmenter.meet_keyframe()):
            self._add(events)

    def flush(self) -> None:
        for kind, sample in self.timeline.flush():
            self._add(self._segmenter.push(self._index_of[kind], sample))
        self._add(self._segmenter.flush())

    def _add(self, events: Iterable[SegmenterEvent]) -> None:
        for event in events:
            self._presentation.add(event, self._wall())
        self._on_media()
