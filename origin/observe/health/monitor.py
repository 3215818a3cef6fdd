"""One publisher's health: frames in, findings out.

``take`` is on the way of every frame, so it puts two numbers aside, and looks at the time at every
eighth frame of a track. Everything else happens once per second of the server's clock, in
``_close_second``; seconds are counted from the publish's beginning, and those in which nothing came
are made up for when the next frame comes or somebody asks.

The leading tracks, number 0 of each kind, are looked at. Of the others only the codec is. One
monitor serves one publish and is used from the event loop's thread alone; it keeps no payload.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from origin.errors import MediaError
from origin.media.coded import AUDIO_TRACK, VIDEO_TRACK, Codec, Coded, CodedFrame, SequenceHeader
from origin.media.configuration import AudioConfiguration, VideoConfiguration
from origin.media.description import Description
from origin.observe.health.arrival import Arrival
from origin.observe.health.bitrate import Bitrate
from origin.observe.health.clocks import Clocks
from origin.observe.health.codecs import NAMES, Codecs, profile_and_level
from origin.observe.health.codes import Code, Finding, Level, colour_of
from origin.observe.health.frames import Frames
from origin.observe.health.keyframes import Keyframes
from origin.observe.health.lane import Lane
from origin.observe.health.latches import Latch
from origin.observe.health.report import Report
from origin.observe.health.second import MILLIS, Declared, Picture, Second
from origin.observe.health.sound import Sound

SECOND = 1.0
TIMED = 8
"""One frame in so many is asked when it came: a clock costs as much as all else that ``take`` does.
It is a power of two. The first of each second is always asked, and so are keyframes."""

MOST_KEYFRAMES = 300
"""Of one second; a codec whose every frame is one has as many as it has frames."""

LONGEST_SILENCE_S = 60
"""Seconds without anything that are made up for one by one."""

_VIDEO, _AUDIO = VIDEO_TRACK, AUDIO_TRACK  # looked up once, not at every frame
_UNTIMED = TIMED - 1


class Concern(Protocol):
    """One module's share: it takes each second, and has a level for each of its codes."""

    @property
    def codes(self) -> tuple[Code, ...]: ...

    def take(self, second: Second) -> None: ...

    def look(self) -> tuple[Level, ...]: ...

    def say(self, code: Code) -> str: ...


OnChange = Callable[[Finding, bool], None]
"""Takes a finding, and whether it was raised; otherwise it was cleared."""


class Monitor:
    """Feed it all that a publisher sends; ``clock`` is the server's, in monotonic seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        reconnects: int = 0,
        on_change: OnChange = lambda finding, is_raised: None,
    ) -> None:
        self._clock = clock
        self._began = clock()
        self._end = self._began + SECOND
        self._number = 0
        self._reconnects = reconnects
        self._on_change = on_change
        self._video, self._audio = Lane(), Lane()
        self._picture_sizes, self._picture_stamps = self._video.sizes, self._video.stamps
        self._sound_sizes, self._sound_stamps = self._audio.sizes, self._audio.stamps
        self._last_sound = 0
        self._keyframe_marks: list[Picture] = []
        self._video_codec: Codec | None = None  # of the configurations that are known
        self._audio_codec: Codec | None = None
        self._has_b_frames: bool | None = None
        self._video_description, self._audio_description = Description(), Description()
        self._declared = Declared()
        self._keyframes, self._frames, self._bitrate = Keyframes(), Frames(), Bitrate()
        self._arrival, self._clocks, self._sound = Arrival(), Clocks(), Sound()
        self._codecs = Codecs()
        concerns: tuple[Concern, ...] = (
            self._keyframes, self._frames, self._bitrate, self._arrival, self._clocks, self._sound,
            self._codecs,
        )  # fmt: skip
        self._concerns = concerns
        self._say = {code: concern.say for concern in concerns for code in concern.codes}
        self._latches = {code: Latch(code) for code in self._say}
        self._is_calm = True  # no finding is raised, or about to be

    def take(self, at: int, unit: Coded) -> None:
        """Take a unit with its raw 32-bit time."""
        if type(unit) is not CodedFrame:
            self._meet(unit)
            return
        track = unit.track
        if track is _VIDEO or track == _VIDEO:
            sizes = self._picture_sizes
            if unit.is_keyframe:
                self._pass_time(self._video, at, unit)
                self._mark(at, unit)
            elif not len(sizes) & _UNTIMED:
                self._pass_time(self._video, at, unit)
            self._picture_stamps.append(at)
            sizes.append(len(unit.payload))
        elif track is _AUDIO or track == _AUDIO:
            sizes = self._sound_sizes
            if not len(sizes) & _UNTIMED:
                self._pass_time(self._audio, at, unit)
                self._sound_stamps.append(at)
            self._last_sound = at
            sizes.append(len(unit.payload))

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Take onMetaData."""
        declared = Declared.read(metadata)
        self._declared = declared
        self._frames.declared = self._bitrate.declared = self._sound.declared = declared

    def report(self) -> Report:
        """How things stand."""
        now = self._clock()
        self._close_seconds(now)
        findings = self.findings()
        video, audio = self._codecs.video, self._codecs.audio
        profile, level = profile_and_level(video.codecs) if video is not None else (None, None)
        declared = self._declared
        return Report(
            age_s=now - self._began,
            colour=colour_of(findings),
            findings=findings,
            encoder=declared.encoder,
            bitrate=self._bitrate.now,
            bitrate_average=self._bitrate.average,
            bitrate_declared=declared.bitrate(has_pictures=video is not None),
            frame_rate=self._frames.fps,
            frame_rate_declared=declared.frame_rate,
            dropped_share=self._frames.dropped_last_minute,
            keyframe_last_s=self._keyframes.last_s,
            keyframe_average_s=self._keyframes.mean_s,
            keyframe_worst_s=self._keyframes.worst_s,
            video_codec=NAMES[video.codec] if video is not None else None,
            profile=profile,
            level=level,
            width=video.width if video is not None else declared.width,
            height=video.height if video is not None else declared.height,
            has_b_frames=self._has_b_frames,
            audio_codec=NAMES[audio.codec] if audio is not None else None,
            audio_bitrate=self._bitrate.audio_now if audio is not None else None,
            sample_rate=audio.sample_rate if audio is not None else None,
            channels=audio.channels if audio is not None else None,
            skew_ms=self._clocks.skew_ms,
            lag_ms=self._arrival.lag_ms,
            reconnects=self._reconnects,
        )

    @property
    def worst_lag_ms(self) -> float:
        """The most that a whole second has been late, since the publish began."""
        return self._arrival.worst_ms

    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, the gravest first."""
        raised = [
            Finding(code, latch.level, self._say[code](code), latch.since_s)
            for code, latch in self._latches.items()
            if latch.level is not Level.FINE
        ]
        return tuple(sorted(raised, key=lambda finding: -finding.level))

    def _mark(self, at: int, unit: CodedFrame) -> None:
        if len(self._keyframe_marks) < MOST_KEYFRAMES:
            self._keyframe_marks.append(Picture(at, len(unit.payload)))
        self._has_b_frames = unit.composition > 0  # only reordering delays a keyframe

    def _meet(self, unit: Coded) -> None:
        """Learn from what is not a frame; what cannot be packaged is the packager's to refuse."""
        if not isinstance(unit, SequenceHeader):
            return
        with suppress(MediaError):
            if unit.track == _VIDEO:
                self._video_description.take(unit)
            elif unit.track == _AUDIO:
                self._audio_description.take(unit)
            else:
                self._codecs.meet(unit.codec)
        self._take_configurations()

    def _take_configurations(self) -> None:
        video, audio = self._video_description.configuration, self._audio_description.configuration
        if isinstance(video, VideoConfiguration):
            self._codecs.video, self._video_codec = video, video.codec
        if isinstance(audio, AudioConfiguration):
            self._codecs.audio = self._sound.configuration = audio
            self._audio_codec = audio.codec

    def _pass_time(self, lane: Lane, at: int, unit: CodedFrame) -> None:
        now = self._clock()
        if now >= self._end:
            self._close_seconds(now)
        lane.time(at, now * MILLIS)
        if unit.codec is not (self._video_codec if lane is self._video else self._audio_codec):
            self._learn(unit)

    def _learn(self, frame: CodedFrame) -> None:
        """Some codecs have no header: their frames say what there is to know."""
        is_video = frame.track == _VIDEO
        with suppress(MediaError):
            (self._video_description if is_video else self._audio_description).learn(frame)
        self._take_configurations()

    def _close_seconds(self, now: float) -> None:
        if now - self._end > LONGEST_SILENCE_S:
            self._end = now - LONGEST_SILENCE_S
        while now >= self._end:
            self._close_second()
            self._end += SECOND

    def _close_second(self) -> None:
        self._number += 1
        second = self._sum_up()
        levels: list[Level] = []
        for concern in self._concerns:
            concern.take(second)
            levels += concern.look()
        if self._is_calm and not any(levels):
            return  # nearly always
        for (code, latch), level in zip(self._latches.items(), levels, strict=True):
            self._look(code, latch, level)
        self._is_calm = all(latch.is_idle for latch in self._latches.values())

    def _look(self, code: Code, latch: Latch, level: Level) -> None:
        since_s = self._end - self._began
        if latch.look(level, since_s):
            is_raised = level is not Level.FINE
            self._on_change(Finding(code, level, self._say[code](code), since_s), is_raised)

    def _sum_up(self) -> Second:
        video, audio = self._video, self._audio
        end_ms = self._end * MILLIS
        if not self._picture_sizes and not self._sound_sizes:
            video.wait(end_ms)
            audio.wait(end_ms)
        else:
            if self._sound_sizes:
                self._sound_stamps.append(self._last_sound)
            video.close(end_ms)
            audio.close(end_ms)
        jump = video.jump_ms or audio.jump_ms
        marks, self._keyframe_marks = self._keyframe_marks, []
        return Second(
            number=self._number,
            steps=video.steps,
            pictures=video.count,
            picture_bytes=video.bytes,
            keyframes=tuple([Picture(video.unwrapped(at), size) for at, size in marks]),
            video_at=video.at,
            video_steps_ms=sum(video.steps),
            video_lag_ms=video.lag_ms if not jump else None,
            sounds=audio.count,
            sound_bytes=audio.bytes,
            largest_sound=audio.largest,
            audio_at=audio.at,
            audio_lag_ms=audio.lag_ms if not jump else None,
            jump_ms=jump,
        )
