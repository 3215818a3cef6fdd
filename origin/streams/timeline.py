"""The timeline of one discontinuity domain: publisher's milliseconds in, clean samples out.

RTMP's timestamps are 32-bit milliseconds that wrap, jitter (30 fps arrives as 33, 33, 34) and,
with some encoders, repeat or step back. Players want one clock per track that only goes on. So:

- Times are unwrapped (``media.timebase.unwrap``) and taken relative to the first message. All
  tracks share that origin, which keeps audio and video as far apart as the encoder put them.
- A video sample is held back until the next one says how long it lasts. DTS is kept rising:
  a step back of less than ``JUMP`` becomes the smallest step forward, and the composition
  offset keeps the presentation time where the encoder wanted it.
- Audio runs on its sample clock: 1,024 samples last exactly that, whatever the milliseconds
  say. Only when the two are ``RESYNC`` apart does audio give way: a gap stretches the sample
  before it, and a frame that comes too early is left out.
- A jump of the leading track (``jumped``) ends the domain: the caller starts another timeline,
  and the playlist says DISCONTINUITY. Another track that is ``JUMP`` away from the leading one is
  moved next to it, by itself: encoders that reset their clock do so on one track first, and a
  track whose clock drifts would otherwise leave the picture for good.

A timeline is used by one stream, from the event loop's thread.
"""

from dataclasses import dataclass
from typing import NamedTuple

from origin.media.aac import AacConfiguration
from origin.media.avc import AvcConfiguration
from origin.media.coded import CodedFrame, MediaKind
from origin.media.mp3 import Mp3Configuration
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
NO_SHIFT = Millis(0)
AT_ZERO = Ticks(0)
FIRST_FRAME_DURATION = Ticks(VIDEO_TIMESCALE // 30)
"""What a lone video frame lasts: nothing follows it that would say so."""


class Timed(NamedTuple):
    """A sample, and the index of its track in the timeline's tracks."""

    track: int
    sample: Sample


@dataclass(slots=True)
class _Lane:
    """Where one track has got to; all times are in the publisher's milliseconds."""

    index: int
    timescale: int
    samples_per_frame: int
    """0 for video, which has no sample clock."""
    last: Millis | None = None
    """Unwrapped timestamp of the last frame."""
    shift: Millis = NO_SHIFT
    """Added to timestamps; other than 0 once this track has been moved by itself."""
    held: CodedFrame | None = None
    held_dts: Ticks = AT_ZERO
    held_offset: Ticks = AT_ZERO
    usual: Ticks = FIRST_FRAME_DURATION
    """How long the last frame was, or is taken to be."""


class Timeline:
    """Times the frames of a fixed set of tracks, from ``start`` milliseconds on.

    ``start`` is where the first message stands on the session's clock. It is above zero at the
    beginning of a session, since a track may begin earlier than the first message.
    """

    def __init__(self, tracks: tuple[Track, ...], start: Millis) -> None:
        self._start = start
        self._origin: Millis | None = None
        self._lanes = {
            track.kind: _Lane(index, track.timescale, _samples_per_frame(track))
            for index, track in enumerate(tracks)
        }
        self._leading = self._lanes.get(MediaKind.VIDEO) or next(iter(self._lanes.values()))
        self.resyncs = 0
        """How often audio has been put back next to its timestamps."""

    @property
    def end(self) -> Millis:
        """The end of the longest track so far, on the session's clock, rounded up."""
        ends = [
            -(-(lane.held_dts + lane.usual) * MILLIS_PER_SECOND // lane.timescale)
            for lane in self._lanes.values()
            if lane.last is not None
        ]
        return Millis(max(ends, default=self._start))

    def jumped(self, at: int, frame: CodedFrame) -> bool:
        """Whether ``frame`` belongs to a new domain: the leading track's clock has begun anew."""
        lane = self._lanes.get(frame.track.kind)
        if lane is None or lane is not self._leading or lane.last is None:
            return False
        return abs(unwrap(at, lane.last) - lane.last) > JUMP

    def push(self, at: int, frame: CodedFrame) -> Timed | None:
        """Take a frame stamped ``at`` (32-bit milliseconds); return the one it completes."""
        lane = self._lanes.get(frame.track.kind)
        if lane is None:
            return None
        time = self._session_time(at, lane)
        if lane.samples_per_frame:
            return self._push_audio(lane, time, frame)
        return self._push_video(lane, time, frame)

    def flush(self) -> list[Timed]:
        """Give out what is held back, as long as the frames before it were."""
        timed = [_release(lane, lane.usual) for lane in self._lanes.values()]
        return [entry for entry in timed if entry is not None]

    def _session_time(self, at: int, lane: _Lane) -> Millis:
        """Unwrap ``at`` and place it on the session's clock."""
        if self._origin is None:
            self._origin = Millis(at)
        leading = self._leading.last
        lane.last = unwrap(at, _first_known(lane.last, leading, self._origin))
        if leading is not None and lane is not self._leading:
            lane.shift = _shift_next_to(leading, lane)
        return Millis(max(0, self._start + lane.last - self._origin + lane.shift))

    def _push_video(self, lane: _Lane, time: Millis, frame: CodedFrame) -> Timed | None:
        dts = Ticks(time * VIDEO_TICKS_PER_MILLI)
        pts = dts + frame.composition * VIDEO_TICKS_PER_MILLI
        done = None
        if lane.held is not None:
            dts = Ticks(max(dts, lane.held_dts + VIDEO_TICKS_PER_MILLI))
            lane.usual = Ticks(dts - lane.held_dts)
            done = _release(lane, lane.usual)
        lane.held, lane.held_dts, lane.held_offset = frame, dts, Ticks(pts - dts)
        return done

    def _push_audio(self, lane: _Lane, time: Millis, frame: CodedFrame) -> Timed | None:
        stamped = Ticks(time * lane.timescale // MILLIS_PER_SECOND)
        lane.usual = Ticks(lane.samples_per_frame)
        if lane.held is None:
            lane.held, lane.held_dts = frame, stamped
            return None
        due = Ticks(lane.held_dts + lane.samples_per_frame)
        error = stamped - due
        if abs(error) * MILLIS_PER_SECOND > RESYNC * lane.timescale:
            self.resyncs += 1
            if error < 0:
                return None
            due = stamped
        done = _release(lane, Ticks(due - lane.held_dts))
        lane.held, lane.held_dts = frame, due
        return done


def _samples_per_frame(track: Track) -> int:
    match track.configuration:
        case AacConfiguration() | Mp3Configuration():
            return track.configuration.samples_per_frame
        case AvcConfiguration():
            return 0


def _first_known(*times: Millis | None) -> Millis:
    return next(time for time in times if time is not None)


def _shift_next_to(leading: Millis, lane: _Lane) -> Millis:
    """How far to move ``lane``: as it was, unless it is far off; by nothing, if that will do."""
    now = _first_known(lane.last)
    for shift in (lane.shift, NO_SHIFT):
        if abs(now + shift - leading) <= JUMP:
            return shift
    return Millis(leading - now)


def _release(lane: _Lane, duration: Ticks) -> Timed | None:
    frame = lane.held
    if frame is None:
        return None
    lane.held = None
    return Timed(
        lane.index,
        Sample(lane.held_dts, lane.held_offset, duration, frame.is_keyframe, frame.payload),
    )
