"""One track of a timeline: where it has got to, and how long its frames last.

A frame is held back until the next one says how long it lasted, or, for sound, whether something
is missing behind it. The decisions between tracks are the timeline's; see there.
"""

from dataclasses import dataclass

from origin.media.coded import CodedFrame, TrackId
from origin.media.configuration import AudioConfiguration
from origin.media.sample import Sample
from origin.media.silence import silent_frame
from origin.media.still import can_be_repeated
from origin.media.timebase import VIDEO_TIMESCALE, Millis, Ticks
from origin.media.track import Track

RESYNC = Millis(60)
"""Audio further than this from its timestamps is put back: lips are seen to be out of step at
about 45 ms early and 125 ms late (ITU-R BT.1359-1), and honest jitter stays below 25 ms."""

STANDSTILL = 5
"""After so many frames with one and the same time stamp the encoder's clock stands still. One or
two are usual in bursts, and where both fields of a picture have the same."""

MILLIS_PER_SECOND = 1000
VIDEO_TICKS_PER_MILLI = VIDEO_TIMESCALE // MILLIS_PER_SECOND
AT_START = Millis(0)
AT_ZERO = Ticks(0)
USUAL_FRAME_RATE, FASTEST = 30, 240
"""Frames per second where the stream does not say its own, and the most that it may say."""
FIRST_FRAME_DURATION = Ticks(VIDEO_TIMESCALE // USUAL_FRAME_RATE)
"""What a lone video frame lasts: nothing follows it that would say so."""
LONGEST_GOP, SLOWEST = Ticks(10 * VIDEO_TIMESCALE), Ticks(VIDEO_TIMESCALE // 2)
"""Pictures with keyframes or frames further apart than these are not repeated. What comes behind a
repetition is lost up to the next keyframe; and pictures that come so slowly may just be slow."""


@dataclass(slots=True)
class Lane:
    """Where one track has got to."""

    track: TrackId
    timescale: int
    sounds: AudioConfiguration | None
    """Tells how long a frame is; None for video, which has no sample clock."""
    silence: CodedFrame | None
    """What to put where sound is missing; None where nothing is known."""
    described: Track
    """What its decoder is told."""
    frame_length: Ticks
    """What a frame lasts by the configuration, when time stamps do not say it."""
    usual: Ticks
    """How long the last frame of video was, or is taken to be; of audio, the one that is held."""
    last: Millis = AT_START
    """Unwrapped timestamp of the last frame, in the publisher's milliseconds."""
    repeats: int = 0
    """How many frames in a row have had the timestamp of the one before."""
    shift: Millis = AT_START
    """Added to timestamps; other than 0 once this track has been moved by itself."""
    measured: Millis = AT_START
    """Where the leading track was when this one was last compared with it."""
    held: CodedFrame | None = None
    held_dts: Ticks = AT_ZERO
    held_offset: Ticks = AT_ZERO
    heard_until: Millis | None = None
    """Where the publisher's own sound or picture ended, while something stands in for it."""
    keyframe: CodedFrame | None = None
    """The last one, of video."""
    keyframe_dts: Ticks = AT_ZERO
    gop: Ticks = AT_ZERO
    """How far the last two keyframes were apart."""
    newest: Ticks = AT_ZERO
    """When the picture is shown that is shown last so far."""
    resyncs: int = 0
    """How often sound has been put back next to its timestamps."""

    @property
    def end(self) -> int:
        """The end of the frame that is held back, in milliseconds, rounded up."""
        return -(-(self.held_dts + self.usual) * MILLIS_PER_SECOND // self.timescale)

    def stand_still(self) -> None:
        """Take note of a frame with the time stamp of the one before.

        When the clock stands still, the track is moved on from frame to frame by what they last.
        """
        self.repeats += 1
        beyond = self.repeats - STANDSTILL
        if beyond >= 0:
            ticks, per_second = self.frame_length * MILLIS_PER_SECOND, self.timescale
            step = (beyond + 1) * ticks // per_second - beyond * ticks // per_second
            self.shift = Millis(self.shift + step)

    def push_video(self, time: int, frame: CodedFrame) -> Sample | None:
        """Take the frame of a time on the session's clock; return the one before it."""
        dts = time * VIDEO_TICKS_PER_MILLI
        pts = dts + frame.composition * VIDEO_TICKS_PER_MILLI
        done = None
        if self.held is not None:
            dts = max(dts, self.held_dts + VIDEO_TICKS_PER_MILLI)
            self.usual = Ticks(dts - self.held_dts)
            if self.heard_until is not None:  # the last still is not shown behind what follows it
                before = pts - self.frame_length - self.held_dts
                self.held_offset = Ticks(min(self.held_offset, before))
            done = self.release(self.usual)
        self.held, self.held_dts, self.held_offset = frame, Ticks(dts), Ticks(pts - dts)
        if pts > self.newest:
            self.newest = Ticks(pts)
        if frame.is_keyframe:
            if self.keyframe is not None and self.heard_until is None:
                self.gop = Ticks(dts - self.keyframe_dts)
            self.keyframe, self.keyframe_dts, self.heard_until = frame, Ticks(dts), None
        return done

    def push_audio(self, sounds: AudioConfiguration, time: int, frame: CodedFrame) -> Sample | None:
        """Take the frame of a time on the session's clock; return the one before it."""
        self.heard_until = None
        stamped = time * self.timescale // MILLIS_PER_SECOND
        if self.held is None:
            self.held, self.held_dts = frame, Ticks(stamped)
            self.usual = Ticks(sounds.samples_in(frame.payload))
            return None
        due = self.held_dts + self.usual
        length = self.usual
        error_ms = (stamped - due) * MILLIS_PER_SECOND / self.timescale
        if not -RESYNC <= error_ms <= RESYNC:
            self.resyncs += 1
            if error_ms < 0:
                return None
            due, length = stamped, Ticks(stamped - self.held_dts)
        done = self.release(length)
        self.held, self.held_dts = frame, Ticks(due)
        self.usual = Ticks(sounds.samples_in(frame.payload))
        return done

    def can_be_still(self) -> bool:
        """Whether to show the last keyframe where pictures are missing, or to wait for them."""
        frame = self.keyframe
        if frame is None or self.usual > SLOWEST:
            return False
        gop = max(self.gop, self.held_dts - self.keyframe_dts)
        return gop <= LONGEST_GOP and can_be_repeated(self.described.configuration, frame.payload)

    def repeat(self, still: CodedFrame) -> Sample | None:
        """Go on with a keyframe behind the frame that is held; return that one."""
        due = Ticks(self.held_dts + self.usual)
        if self.heard_until is None:
            self.heard_until = Millis(self.end)
        done = self.release(self.usual)
        # What was decoded last may be shown later than a keyframe would be in its place.
        pts = due + still.composition * VIDEO_TICKS_PER_MILLI
        self.newest = Ticks(max(pts, self.newest + self.frame_length))
        self.held, self.held_dts, self.held_offset = still, due, Ticks(self.newest - due)
        return done

    def fill(self, silence: CodedFrame, begin: Millis, until: int) -> list[Sample]:
        """Go on with silence from where the sound ended, or from ``begin``, until a time."""
        if self.heard_until is None:
            self.heard_until = Millis(self.end) if self.held is not None else begin
        if self.held is None:
            self.held, self.usual = silence, self.frame_length
            self.held_dts = Ticks(begin * self.timescale // MILLIS_PER_SECOND)
        filled: list[Sample] = []
        while self.end < until:
            due = Ticks(self.held_dts + self.usual)
            done = self.release(self.usual)
            filled += [done] if done is not None else []
            self.held, self.held_dts, self.usual = silence, due, self.frame_length
        return filled

    def release(self, duration: Ticks) -> Sample | None:
        """Let go of the frame that is held back."""
        frame = self.held
        if frame is None:
            return None
        self.held = None
        return Sample(self.held_dts, self.held_offset, duration, frame.is_keyframe, frame.payload)


def lane_of(name: TrackId, track: Track) -> Lane:
    """Begin a lane for a track."""
    configuration = track.configuration
    if isinstance(configuration, AudioConfiguration):
        length = Ticks(configuration.samples_per_frame)
        payload = silent_frame(configuration)
        silence = None
        if payload is not None:
            silence = CodedFrame(name, configuration.codec, AT_START, True, payload)
        return Lane(name, track.timescale, configuration, silence, track, length, length)
    rate = min(max(configuration.frame_rate or USUAL_FRAME_RATE, 1), FASTEST)
    length = Ticks(round(track.timescale / rate))
    return Lane(name, track.timescale, None, None, track, length, FIRST_FRAME_DURATION)
