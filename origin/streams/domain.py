"""One discontinuity domain: a timeline and a segmenter over a fixed set of tracks.

Frames go in, and whatever they complete goes to the presentation. A domain is made when its
tracks are known (``streams.packager``) and never goes on after ``flush``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from origin.hls.cuts import SegmentEnded, SegmenterEvent
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.hls.segmenter import Segmenter
from origin.media.coded import CodedFrame, MediaKind, TrackId
from origin.media.nal import check_units, length_size
from origin.media.timebase import Millis
from origin.media.track import Track
from origin.streams.timeline import Timeline

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame
_NO_DELAY = timedelta()


class StrangeTrackError(Exception):
    """A frame is of no track of this domain."""


class Domain:
    """One discontinuity domain: a timeline and a segmenter over a fixed set of tracks."""

    def __init__(
        self,
        tracks: Mapping[TrackId, Track],
        start: Millis,
        rules: Rules,
        presentation: Presentation,
        wall: Callable[[], datetime],
        on_media: Callable[[], None],
    ) -> None:
        self.timeline = Timeline(tracks, start)
        self._index_of = {track: index for index, track in enumerate(tracks)}
        # By number: looked up for every frame.
        self._pictures = self._numbered(MediaKind.VIDEO)
        self._sounds = self._numbered(MediaKind.AUDIO)
        self._length_sizes = [length_size(track.configuration) for track in tracks.values()]
        self._segmenter = Segmenter(
            rules, tuple(tracks.values()), presentation.target_duration, presentation.part_target_s
        )
        self._part_length = timedelta(seconds=rules.part_length_s)
        self._tracks = tuple(tracks)
        self.leader = self._tracks[self._segmenter.leader]
        """The track whose keyframes begin segments."""
        self._presentation = presentation
        self._wall = wall
        self._on_media = on_media

    def push(self, at: int, frame: CodedFrame) -> bool:
        """Take a frame; return whether it ended a segment.

        Raises:
            MediaError: it is not what its codec says, or its time stamps stand still.
            TimeJumpError: it belongs to another domain.
            PauseError: likewise; but this domain may go on without its track.
            AbsentError: likewise; one without a picture.
            StrangeTrackError: it is of no track of this domain.
        """
        kind, number = frame.track
        is_video = kind is _VIDEO
        index = (self._pictures if is_video else self._sounds).get(number)
        if index is None:
            raise StrangeTrackError
        is_key_picture = is_video and frame.is_keyframe
        if is_key_picture and (size := self._length_sizes[index]) is not None:
            check_units(frame.payload, size)
        sample = self.timeline.push(at, frame)
        ended = self._push_silence() if self.timeline.silence else False
        if self.timeline.still_until is not None:
            ended = self._push_stills() or ended
        if sample is None:
            return ended
        if events := self._segmenter.push(index, sample):
            return self._add(events) or ended
        # Of several pictures the others' last frames have not come yet.
        if is_key_picture and len(self._pictures) == 1:
            return self._add(self._segmenter.meet_keyframe()) or ended
        return ended

    def has(self, track: TrackId) -> bool:
        return track in self._index_of

    def flush(self) -> None:
        for track, sample in self.timeline.flush():
            self._add(self._segmenter.push(self._index_of[track], sample))
        self._add(self._segmenter.flush())

    def _push_silence(self) -> bool:
        """Feed what stands in for sound that is missing; return whether it ended a segment."""
        events: list[SegmenterEvent] = []
        for track, sample in self.timeline.take_silence():
            events += self._segmenter.push(self._index_of[track], sample)
        return self._add(events)

    def _push_stills(self) -> bool:
        """Feed what stands in for the picture, part by part; return whether it ended a segment."""
        events: list[SegmenterEvent] = []
        while still := self.timeline.next_still(self._segmenter.room_at):
            track, sample = still
            events += self._segmenter.push(self._index_of[track], sample)
        return self._add(events)

    def _add(self, events: Sequence[SegmenterEvent]) -> bool:
        if not events:
            return False
        self._follow()
        # A still is given out when it has lasted as long as a part, and its part when the next one
        # is. That is no sign of a clock that goes wrong.
        is_still = self.timeline.is_filled(self.leader) and self.leader.kind is _VIDEO
        delay = self._part_length if is_still else _NO_DELAY
        for event in events:
            self._presentation.add(event, self._wall() - delay)
        self._on_media()
        return any(isinstance(event, SegmentEnded) for event in events)

    def _follow(self) -> None:
        """Time by the track that cuts; that may have changed."""
        leader = self._tracks[self._segmenter.leader]
        if leader != self.leader:
            self.leader = leader
            self.timeline.lead(leader)

    def _numbered(self, kind: MediaKind) -> dict[int, int]:
        return {
            track.number: index for track, index in self._index_of.items() if track.kind is kind
        }
