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
- A clock that stands still (``STANDSTILL``) is done without: the frames of that track follow one
  another as the configuration says how long they last.
- A jump of the leading track ends the domain (``TimeJumpError``): the caller starts anew, and
  the playlist says DISCONTINUITY. Another track that is ``JUMP`` away from the leading one is
  moved next to it, by itself: encoders that reset their clock do so on one track first, and a
  track whose clock drifts would otherwise leave the picture for good. While the leading track
  stands still nobody is measured against it: sound goes on when the picture has stalled.
- Sound that is missing for ``PAUSE`` is replaced by silence, in step with the picture, until it
  comes back (``take_silence``): players would stop at the first moment that has no sound. Where
  the codec has no silence that is known, it does not come back in this domain (``PauseError``):
  a sample as long as the pause would belong to segments that are long complete. A picture does:
  what came before its next keyframe is left out by the segmenter.
- The only picture, when it is missing for ``STILL_AFTER`` beside sounds that go on, is its last
  keyframe, over and over, in step with them (``next_still``): players would stop where the picture
  does, and those that are told of a stream without one need other buffers. It comes back with
  a keyframe of its own. Where it has never come, it is not waited for any longer (``AbsentError``).
- Of several pictures another one leads when the first one falls silent (``lead``).

A timeline is used by one stream, from the event loop's thread.
"""

from collections.abc import Callable, Iterable, Mapping

from origin.media.coded import CodedFrame, MediaKind, TrackId
from origin.media.sample import Sample
from origin.media.timebase import Millis, Ticks, unwrap
from origin.media.track import Track
from origin.streams.lanes import AT_START, MILLIS_PER_SECOND, Lane, lane_of

JUMP = Millis(1000)
"""A step beyond this, either way, is not jitter: the timestamps have begun anew."""

PAUSE = Millis(1500)
"""A track that is so far behind the leading one has paused. More than ``JUMP``: up to there it
may just be late, and beyond that, if it still comes, it is moved."""

STILL_AFTER = Millis(2000)
"""So much of sound without a picture, and it has stopped. Longer than the usual GOP: encoders that
are short of bandwidth drop frames up to the next keyframe."""

NEVER_COMES = Millis(10_000)
"""So much of sound, and of the picture nothing but its header: an encoder whose camera hangs. Long,
since players get over a picture that comes later only with a break."""

_VIDEO = MediaKind.VIDEO  # looked up once, not at every frame


class AbsentError(Exception):
    """The only picture has been announced, and there is none: the sound has to go on alone."""


class TimeJumpError(Exception):
    """A track's clock has begun anew; the timeline is as it was before the frame."""


class PauseError(Exception):
    """A sound comes back that cannot go on in this domain; the leading track can."""


LONGEST_LEAD = Millis(10_000)
"""How much later or earlier than the first frame of all the leading track may begin. Beyond it the
time between would be filled with silence: an hour of it, or 24 days, in one turn of the loop. Until
it begins no other track may jump by more, either."""


class Timeline:
    """Times the frames of a fixed set of tracks, from ``start`` milliseconds on.

    The first picture leads, or the first sound where there is none.

    ``start`` is where the first message stands on the session's clock. It is above zero at the
    beginning of a session, since a track may begin earlier than the first message.
    """

    def __init__(self, tracks: Mapping[TrackId, Track], start: Millis) -> None:
        self._lanes = {track: lane_of(track, described) for track, described in tracks.items()}
        self._start = start
        self._origin: Millis | None = None
        self._offset = 0
        """From timestamps to the session's clock."""
        # By number: looked up for every frame.
        self._pictures = self._numbered(MediaKind.VIDEO)
        self._sounds = self._numbered(MediaKind.AUDIO)
        self.lead(next(iter((self._pictures or self._sounds).values())).track)
        self._look_at = Ticks(0)
        self.silence: list[tuple[TrackId, Sample]] = []
        """What stands in for missing sound; whoever feeds the timeline takes it from here."""
        pictures = list(self._pictures.values())
        self._only_picture = pictures[0] if len(pictures) == 1 else None
        self._picture_at = Ticks(-1)
        """Where it was when a sound last came,"""
        self._seen_at = 0
        """and where the first sound was that found it there."""
        self.still_until: int | None = None
        """Up to where a missing picture is to be replaced; whoever feeds the timeline does that."""

    def lead(self, track: TrackId) -> None:
        """Measure the others against this track from now on."""
        self._leading = self._lanes[track]
        self._beside = [lane for lane in self._lanes.values() if lane is not self._leading]

    @property
    def resyncs(self) -> int:
        """How often audio has been put back next to its timestamps."""
        return sum([lane.resyncs for lane in self._lanes.values()])

    @property
    def end(self) -> Millis:
        """The end of the longest track so far, on the session's clock, rounded up."""
        if self._origin is None:
            return self._start
        return Millis(max(lane.end for lane in self._lanes.values()))

    @property
    def tracks(self) -> Iterable[TrackId]:
        return self._lanes.keys()

    def silent_for(self, limit: Millis) -> list[TrackId]:
        """The tracks that are so far behind the one that has come furthest."""
        newest = self.end
        return [track for track, lane in self._lanes.items() if newest - self._heard(lane) > limit]

    def heard(self, track: TrackId) -> int:
        """Until when there was something of a track."""
        return self._heard(self._lanes[track])

    def is_filled(self, track: TrackId) -> bool:
        """Whether something stands in for a track."""
        return self._lanes[track].heard_until is not None

    def push(self, at: int, frame: CodedFrame) -> Sample | None:
        """Take a frame stamped ``at`` (32-bit milliseconds).

        Returns the sample that it completes: the one before it on the same track.

        Raises:
            TimeJumpError: it belongs to another domain.
            PauseError: likewise; but this domain may go on without its track.
            AbsentError: likewise; one without a picture.
        """
        kind, number = frame.track
        lane = (self._pictures if kind is _VIDEO else self._sounds).get(number)
        if lane is None or (lane.heard_until is not None and not frame.is_keyframe):
            return None  # in the second case: what it needs has been replaced
        if self._origin is None:
            self._begin(Millis(at))
        now = unwrap(at, lane.last)
        if now == lane.last and lane.held is not None:
            lane.stand_still()
        elif lane.repeats:
            lane.repeats = 0
        if lane is self._leading:
            jump = JUMP if lane.held is not None else LONGEST_LEAD
            if not -jump <= now - lane.last <= jump:
                raise TimeJumpError
            if lane.held_dts >= self._look_at:
                self._look_for_pauses()
        else:
            self._keep_near(lane, now)
        lane.last = now
        time = now + self._offset + lane.shift
        if time < 0:
            time = 0
        if lane.sounds is None:
            return lane.push_video(time, frame)
        self._watch_picture(time)
        return lane.push_audio(lane.sounds, time, frame)

    def take_silence(self) -> list[tuple[TrackId, Sample]]:
        """Take what stands in for missing sound since the last call."""
        taken, self.silence = self.silence, []
        return taken

    def next_still(self, room_at: Callable[[int], int]) -> tuple[TrackId, Sample] | None:
        """Take the next sample of a picture that stands still; None where it has come far enough.

        ``room_at`` says how long one may last that begins at a time, in its ticks.
        """
        picture = self._only_picture
        if picture is None or picture.keyframe is None or self.still_until is None:
            return None
        if picture.heard_until is not None:
            picture.usual = Ticks(room_at(picture.held_dts))
        sample = picture.repeat(picture.keyframe) if picture.end < self.still_until else None
        self._picture_at = picture.held_dts
        if sample is None:
            self.still_until = None
            return None
        return picture.track, sample

    def flush(self) -> list[tuple[TrackId, Sample]]:
        """Give out what is held back, as long as the frames before it were.

        Not of a track that fell silent long ago: the segments of that time are complete, and in
        the present one its frame would begin before all others.
        """
        silent_at = self.end - JUMP
        last = [
            (track, lane.release(lane.usual))
            for track, lane in self._lanes.items()
            if lane.end >= silent_at
        ]
        return [(track, sample) for track, sample in last if sample is not None]

    def _numbered(self, kind: MediaKind) -> dict[int, Lane]:
        return {track.number: lane for track, lane in self._lanes.items() if track.kind is kind}

    def _begin(self, origin: Millis) -> None:
        self._origin = origin
        self._offset = self._start - origin
        for lane in self._lanes.values():
            lane.last = origin

    def _keep_near(self, lane: Lane, now: Millis) -> None:
        """Move a track that comes to ``now`` next to the leading one, if it is far from it."""
        leading = self._leading
        if leading.held is None:
            if not -LONGEST_LEAD <= now - lane.last <= LONGEST_LEAD:
                raise TimeJumpError
            return
        at = Millis(leading.last + leading.shift)
        is_astray = _is_astray(lane, now, at)
        if is_astray:
            lane.shift = AT_START if abs(now - at) <= JUMP else Millis(at - now)
        elif now - lane.last <= PAUSE:
            return
        if lane.sounds is None or lane.held is None:
            return
        if now + self._offset + lane.shift - lane.end > PAUSE:
            raise PauseError

    def _look_for_pauses(self) -> None:
        """Put silence where sounds have stopped; now and then, by the leading track's clock."""
        leading = self._leading
        self._look_at = Ticks(leading.held_dts + leading.timescale // 10)
        at = leading.held_dts * MILLIS_PER_SECOND // leading.timescale
        for lane in self._beside:
            if lane.silence is None:
                continue
            if lane.heard_until is not None or at - self._heard(lane) > PAUSE:
                filled = lane.fill(lane.silence, self._start, at)
                self.silence += [(lane.track, sample) for sample in filled]

    def _watch_picture(self, at: int) -> None:
        """Notice that the picture has stopped, where a sound has come to ``at``."""
        picture = self._only_picture
        if picture is None:
            return
        if picture.held_dts != self._picture_at:
            self._picture_at, self._seen_at = picture.held_dts, at
            return
        if at - self._seen_at <= STILL_AFTER:
            return
        if picture.held is None:
            if at - self._seen_at > NEVER_COMES:
                raise AbsentError
            return
        ended = picture.heard_until if picture.heard_until is not None else picture.end
        until = at - max(0, self._seen_at - ended)  # as far behind the sound as it always was
        if until - ended <= STILL_AFTER:
            return
        if picture.heard_until is None and not picture.can_be_still():
            self._seen_at = at
            return
        self.still_until = until
        picture.last = Millis(until - self._offset - picture.shift)  # others are measured by it

    def _heard(self, lane: Lane) -> int:
        """Until when there was something of a track."""
        if lane.heard_until is not None:
            return lane.heard_until
        return lane.end if lane.held is not None else self._start


def _is_astray(lane: Lane, now: Millis, leading: Millis) -> bool:
    """Whether a track that comes to ``now`` is far from the leading one, or jumps by itself."""
    has_moved, lane.measured = leading != lane.measured, leading
    if has_moved:
        return not -JUMP <= now + lane.shift - leading <= JUMP
    return not -JUMP <= now - lane.last <= JUMP
