"""From coded frames to a rendition: which tracks there are, and where one domain ends.

::

    push(unit) -> tracks known? -> Timeline -> Segmenter -> Rendition
                      |                |
                  held back       jump, new configuration, new track:
                  until then      flush, DISCONTINUITY, begin anew

A stream's tracks are fixed within a discontinuity domain. Encoders announce each track by its
sequence header before the first frame, but not together, and some announce a track that never
comes; so the first frames are held back until audio and video are both known, or for
``TRACK_WAIT`` of media, whichever is first. A track that shows up later begins a new domain.

One packager serves one session and is used from the event loop's thread alone.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from origin.hls.rendition import Rendition
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter, SegmenterEvent
from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import Codec, Coded, CodedFrame, MediaKind, SequenceEnd, SequenceHeader
from origin.media.mp3 import Mp3Configuration
from origin.media.timebase import Millis, unwrap
from origin.media.track import Configuration, Track
from origin.streams.timeline import Timed, Timeline

TRACK_WAIT = Millis(1000)
"""How much media may pass before a track that has not shown itself is done without."""

HELD_BYTES = 16 * 1024 * 1024
"""The most that is held back meanwhile: a second of 100 Mbit/s."""

CODEC_FIELDS = {MediaKind.VIDEO: "videocodecid", MediaKind.AUDIO: "audiocodecid"}
"""What onMetaData calls the codec of each kind."""

SESSION_START = Millis(1000)
"""Where a session's clock begins: a track may be up to this much earlier than the first one."""


class Packager:
    """Coded units in, a rendition out; ``wall`` tells the time for PROGRAM-DATE-TIME."""

    def __init__(self, rules: Rules, rendition: Rendition, wall: Callable[[], datetime]) -> None:
        self.rendition = rendition
        self._rules = rules
        self._wall = wall
        self._headers: dict[MediaKind, SequenceHeader] = {}
        self._expected: frozenset[MediaKind] = frozenset(MediaKind)
        self._held: deque[tuple[int, CodedFrame]] = deque()
        self._held_bytes = 0
        self._domain: _Domain | None = None
        self._clock = SESSION_START

    def expect(self, metadata: Mapping[str, object]) -> None:
        """Learn from onMetaData which tracks will come: those that it names a codec for."""
        named = {
            kind
            for kind, field in (
                (MediaKind.VIDEO, "videocodecid"),
                (MediaKind.AUDIO, "audiocodecid"),
            )
            if metadata.get(field) not in (None, 0, 0.0, "")
        }
        if named:
            self._expected = frozenset(named)

    def push(self, at: int, unit: Coded) -> None:
        """Take a unit stamped ``at`` (32-bit milliseconds).

        Raises:
            MediaError: its configuration cannot be packaged; the text is for the streamer.
        """
        match unit:
            case CodedFrame():
                self._push_frame(at, unit)
            case SequenceHeader():
                self._take_header(unit)
            case SequenceEnd():
                pass  # the publish ends, or another header follows

    def flush(self) -> None:
        """Publish every whole frame that was received, and close the segment.

        What comes next begins a new domain.
        """
        if self._domain is None:
            self._begin_domain()
        self._end_domain()
        self._expected = frozenset(MediaKind)

    def _take_header(self, header: SequenceHeader) -> None:
        kind = header.track.kind
        if self._headers.get(kind) == header:
            return  # repeated by many encoders: it changes nothing
        parse_header(header)
        is_new_track = kind not in self._headers
        self._headers[kind] = header
        if self._domain is None:
            return
        if is_new_track or kind in self._domain.kinds:
            self._end_domain()

    def _push_frame(self, at: int, frame: CodedFrame) -> None:
        if frame.track.kind not in self._headers:
            if frame.codec is not Codec.MP3:
                return  # nobody could decode it
            self._take_header(SequenceHeader(frame.track, Codec.MP3, frame.payload[:4]))
        if self._domain is not None and self._domain.timeline.jumped(at, frame):
            self._end_domain()
        if self._domain is not None:
            self._domain.push(at, frame)
            return
        self._held.append((at, frame))
        self._held_bytes += len(frame.payload)
        if self._tracks_are_known():
            self._begin_domain()

    def _tracks_are_known(self) -> bool:
        if self._headers.keys() >= self._expected:
            return True
        first, last = self._held[0][0], self._held[-1][0]
        waited = unwrap(last, Millis(first)) - first
        return abs(waited) > TRACK_WAIT or self._held_bytes > HELD_BYTES

    def _begin_domain(self) -> None:
        if not self._held:
            return
        kinds = [kind for kind in MediaKind if kind in self._headers]
        tracks = tuple(Track(parse_header(self._headers[kind])) for kind in kinds)
        self.rendition.configure(tracks)
        self._domain = _Domain(tracks, self._clock, self._rules, self.rendition, self._wall)
        while self._held:
            self._domain.push(*self._held.popleft())
        self._held_bytes = 0

    def _end_domain(self) -> None:
        if self._domain is None:
            return
        self._domain.flush()
        self._clock = self._domain.timeline.end
        self._domain = None
        self.rendition.discontinue()


class _Domain:
    """One discontinuity domain: a timeline and a segmenter over a fixed set of tracks."""

    def __init__(
        self,
        tracks: tuple[Track, ...],
        start: Millis,
        rules: Rules,
        rendition: Rendition,
        wall: Callable[[], datetime],
    ) -> None:
        self.kinds = frozenset(track.kind for track in tracks)
        self.timeline = Timeline(tracks, start)
        self._segmenter = Segmenter(rules, tracks, rendition.target_duration)
        self._rendition = rendition
        self._wall = wall

    def push(self, at: int, frame: CodedFrame) -> None:
        timed = self.timeline.push(at, frame)
        if timed is not None:
            self._cut(timed)

    def flush(self) -> None:
        for timed in self.timeline.flush():
            self._cut(timed)
        self._add(self._segmenter.flush())

    def _cut(self, timed: Timed) -> None:
        self._add(self._segmenter.push(timed.track, timed.sample))

    def _add(self, events: Iterable[SegmenterEvent]) -> None:
        for event in events:
            self._rendition.add(event, self._wall())


def parse_header(header: SequenceHeader) -> Configuration:
    """Parse the record of ``header``.

    Raises:
        MediaError: it is not a record of its codec, or describes what cannot be packaged.
    """
    match header.codec:
        case Codec.AVC:
            return AvcConfiguration.parse(header.record)
        case Codec.AAC:
            return AacConfiguration.parse(header.record)
        case Codec.MP3:
            return Mp3Configuration.parse(header.record)
