"""The timeline of one discontinuity domain: publisher's milliseconds in, clean samples out.

RTMP's timestamps are 32-bit milliseconds that wrap, jitter (30 fps arrives as 33, 33, 34) and,
with some encoders, repeat or step back. Players want one clock per track that only goes on. So:

- Times are unwrapped (``media.timebase.unwrap``) and taken relative to the first message. All
  tracks share that origin, which keeps audio and video as far apart as the encoder put them.
- A video sample is held back until the next one says how long it lasts. DTS is kept rising:
  a step back of less than ``JUMP`` becomes the smallest step forward, and the composition
  offset keeps the presentation time where the encoder wanted it.
- Audio runs on its sample clock: 1,024 samples last exactly that, whatever the milliseconds
  say; how many a frame holds, its codec knows. Only when the two are ``RESYNC`` apart does audio
  give way: a gap stretches the sample before it, and a frame that comes too early is left out.
- A jump of the leading track ends the domain (``TimeJumpError``): the caller starts anew, and
  the playlist says DISCONTINUITY. Another track that is ``JUMP`` away from the leading one is
  moved next to it, by itself: encoders that reset their clock do so on one track first, and a
  track whose clock drifts would otherwise leave the picture for good. While the leading track
  stands still nobody is measured against it: sound goes on when the picture has stalled.

A timeline is used by one stream, from the event loop's thread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from origin.media.coded import CodedFrame, MediaKind, TrackId
from origin.media.configuration import AudioConfiguration
from origin.media.sample import Sample
from origin.media.timebase import VIDEO_TIMESCALE, Millis, Ticks, unwrap
from origin.media.track import Track

JUMP = Millis(1000)
"""A step beyond this, either way, is not jitter: the timestamps have begun anew."""

RESYNC = Millis(60)
"""Audio further than this from its timestamps is put back: lips are seen to be out of step at
about 45 ms early and 125 ms late (ITU-R BT.1359-1), and honest jitter stays below 25 ms."""

MILLIS_PER_SECOND = 1000
VIDEO_TICKS_PER_MILLI = VIDEO_TIMESCALE // MILLIS_PER_SECOND
AT_START = Millis(0)
AT_ZERO = Ticks(0)
FIRST_FRAME_DURATION = Ticks(VIDEO_TIMESCALE // 30)
"""What a lone video frame lasts: nothing follows it that would say so."""

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame


class TimeJumpError(Exception):
    """The leading track's clock has begun anew; the timeline is as it was before the frame."""


@dataclass(slots=True)
class _Lane:
    """Where one track has got to."""

    timescale: int
    sounds: AudioConfiguration | None
    """Tells how long a frame is; None for video, which has no sample clock."""
    last: Millis = AT_START
    """Unwrapped timestamp of the last frame, in the publisher's milliseconds."""
    shift: Millis = AT_START
    """Added to timestamps; other than 0 once this track has been moved by itself."""
    measured: Millis = AT_START
    """Where the leading track was when this one was last compared with it."""
    held: CodedFrame | None = None
    held_dts: Ticks = AT_ZERO
    held_offset: Ticks = AT_ZERO
    usual: Ticks = FIRST_FRAME_DURATION
    """How long the last frame of video was, or is taken to be; of audio, the one that is held."""


class Timeline:
    """Times the frames of a fixed set of tracks, from ``start`` milliseconds on.

    The first picture leads, or the first sound where there is none.

    ``start`` is where the first message stands on the session's clock. It is above zero at the
    beginning of a session, since a track may begin earlier than the first message.
    """

    def __init__(self, tracks: Mapping[TrackId, Track], start: Millis) -> None:
        self._lanes = {track: _lane(described) for track, described in tracks.items()}
        self._start = start
        self._origin: Millis | None = None
        # By number: looked up for every frame.
        self._pictures = _numbered(self._lanes, MediaKind.VIDEO)
        self._sounds = _numbered(self._lanes, MediaKind.AUDIO)
        self._leading = next(iter((self._pictures or self._sounds).values()))
        self.resyncs = 0
        """How often audio has been put back next to its timestamps."""

    @property
    def end(self) -> Millis:
        """The end of the longest track so far, on the session's clock, rounded up."""
        if self._origin is None:
            return self._start
        return Millis(max(_end(lane) for lane in self._lanes.values()))

    @property
    def tracks(self) -> Iterable[TrackId]:
        return self._lanes.keys()

    def silent_for(self, limit: Millis) -> list[TrackId]:
        """The tracks that are so far behind the one that has come furthest."""
        newest = self.end
        reached = {
            track: _end(lane) if lane.held is not None else self._start
            for track, lane in self._lanes.items()
        }
        return [track for track, end in reached.items() if newest - end > limit]

    def push(self, at: int, frame: CodedFrame) -> Sample | None:
        """Take a frame stamped ``at`` (32-bit milliseconds).

        Returns the sample that it completes: the one before it on the same track.

        Raises:
            TimeJumpError: it belongs to another domain.
        """
        kind, number = frame.track
        lane = (self._pictures if kind is _VIDEO else self._sounds).get(number)
        if lane is None:
            return None
        if self._origin is None:
            self._begin(Millis(at))
        now = unwrap(at, lane.last)
        leading = self._leading
        if lane is leading:
            if lane.held is not None and not -JUMP <= now - lane.last <= JUMP:
                raise TimeJumpError
        elif leading.held is not None and _is_astray(lane, now, leading.last):
            lane.shift = _shift_next_to(leading.last, now)
        lane.last = now
        time = max(0, self._start + now - (self._origin or 0) + lane.shift)
        if lane.sounds is not None:
            return self._push_audio(lane, lane.sounds, time, frame)
        return _push_video(lane, time, frame)

    def flush(self) -> list[tuple[TrackId, Sample]]:
        """Give out what is held back, as long as the frames before it were.

        Not of a track that fell silent long ago: the segments of that time are complete, and in
        the present one its frame would begin before all others.
        """
        silent_at = self.end - JUMP
        last = [
            (track, _release(lane, lane.usual))
            for track, lane in self._lanes.items()
            if _end(lane) >= silent_at
        ]
        return [(track, sample) for track, sample in last if sample is not None]

    def _begin(self, origin: Millis) -> None:
        self._origin = origin
        for lane in self._lanes.values():
            lane.last = origin

    def _push_audio(
        self, lane: _Lane, sounds: AudioConfiguration, time: int, frame: CodedFrame
    ) -> Sample | None:
        stamped = time * lane.timescale // MILLIS_PER_SECOND
        if lane.held is None:
            lane.held, lane.held_dts = frame, Ticks(stamped)
            lane.usual = Ticks(sounds.samples_in(frame.payload))
            return None
        due = lane.held_dts + lane.usual
        length = lane.usual
        error_ms = (stamped - due) * MILLIS_PER_SECOND / lane.timescale
        if not -RESYNC <= error_ms <= RESYNC:
            self.resyncs += 1
            if error_ms < 0:
                return None
            due, length = stamped, Ticks(stamped - lane.held_dts)
        done = _release(lane, length)
        lane.held, lane.held_dts = frame, Ticks(due)
        lane.usual = Ticks(sounds.samples_in(frame.payload))
        return done


def _numbered(lanes: Mapping[TrackId, _Lane], kind: MediaKind) -> dict[int, _Lane]:
    return {track.number: lane for track, lane in lanes.items() if track.kind is kind}


def _lane(track: Track) -> _Lane:
    configuration = track.configuration
    if isinstance(configuration, AudioConfiguration):
        return _Lane(track.timescale, configuration, usual=Ticks(configuration.samples_per_frame))
    return _Lane(track.timescale, None)


def _end(lane: _Lane) -> int:
    """The end of the frame that is held back, in milliseconds, rounded up."""
    return -(-(lane.held_dts + lane.usual) * MILLIS_PER_SECOND // lane.timescale)


def _push_video(lane: _Lane, time: int, frame: CodedFrame) -> Sample | None:
    dts = time * VIDEO_TICKS_PER_MILLI
    pts = dts + frame.composition * VIDEO_TICKS_PER_MILLI
    done = None
    if lane.held is not None:
        dts = max(dts, lane.held_dts + VIDEO_TICKS_PER_MILLI)
        lane.usual = Ticks(dts - lane.held_dts)
        done = _release(lane, lane.usual)
    lane.held, lane.held_dts, lane.held_offset = frame, Ticks(dts), Ticks(pts - dts)
    return done


def _release(lane: _Lane, duration: Ticks) -> Sample | None:
    frame = lane.held
    if frame is None:
        return None
    lane.held = None
    return Sample(lane.held_dts, lane.held_offset, duration, frame.is_keyframe, frame.payload)


def _is_astray(lane: _Lane, now: Millis, leading: Millis) -> bool:
    """Whether a track that comes to ``now`` is far from the leading one, or jumps by itself."""
    has_moved, lane.measured = leading != lane.measured, leading
    if has_moved:
        return not -JUMP <= now + lane.shift - leading <= JUMP
    return not -JUMP <= now - lane.last <= JUMP


def _shift_next_to(leading: Millis, now: Millis) -> Millis:
    """How far to move a track that stands at ``now``: by nothing, if that will do."""
    return AT_START if abs(now - leading) <= JUMP else Millis(leading - now)
