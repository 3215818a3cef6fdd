"""Publishers made for a monitor: every fault on its own, on a clock that the test owns.

::

    publisher = MadePublisher()
    publisher.run(20)                       # 20 healthy seconds: 30 fps, GOP 2 s, 2,500 kbit/s
    publisher.mark()
    publisher.gop_s = 10
    publisher.run(20)
    assert publisher.raised_after(Code.KEYFRAME_INTERVAL_LONG) <= 10

Frames are stamped when they are taken, travel for ``delay_s``, and are read at beats of 50 ms, as
the listener reads them; sizes scatter as an encoder's do, from a seed.
"""

import math
import random
from collections.abc import Callable
from typing import NamedTuple

from origin.media.coded import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Codec,
    CodedFrame,
    SequenceHeader,
)
from origin.media.timebase import MILLIS_WRAP, Millis
from origin.observe.health.codes import Code, Finding
from origin.observe.health.monitor import Monitor
from origin.observe.health.report import Report
from tests.support.broadcasts import AVC_RECORD

BEAT_S = 0.05
AAC_STEREO_48K = bytes.fromhex("1190")
AAC_SURROUND_48K = bytes.fromhex("11b0")
SOUND_S = 1024 / 48_000
SILENT_BYTES, SPOKEN_BYTES = 6, 340
KEYFRAME_TIMES = 8.0
"""How much larger a keyframe is than another frame."""


class Change(NamedTuple):
    code: Code
    is_raised: bool
    at_s: float


class MadePublisher:
    """Its settings may change between runs; times count from the last ``mark``."""

    def __init__(
        self, *, began: float = 1000.0, first_stamp: int = 0, beat_s: float = BEAT_S
    ) -> None:
        self.fps = 30.0
        self.gop_s = 2.0
        self.kbits = 2500.0
        self.keyframe_times = KEYFRAME_TIMES
        self.declared_fps: float | None = 30.0
        self.declared_kbits: float | None = 2500.0
        self.has_pictures = True
        self.has_sound = True
        self.sound_record = AAC_STEREO_48K
        self.sound_bytes = SPOKEN_BYTES
        self.sound_ahead_ms = 0
        self.delay_s: Callable[[float], float] = lambda since: 0.02
        """How long a frame travels, by the seconds since the mark."""
        self.is_dropped: Callable[[int, bool], bool] = lambda number, is_keyframe: False
        """Of a frame's number and whether it is a keyframe."""
        self.rate: Callable[[float], float] = lambda since: 1.0
        """Times the bit rate, by the seconds since the mark."""
        self.next_gop_s: Callable[[int], float] = lambda number: self.gop_s
        self.next_step_s: Callable[[int], float] = lambda number: 1 / self.fps
        self.codec, self.record = Codec.AVC, AVC_RECORD
        self.changes: list[Change] = []
        self.now = self._arrived = began
        self.monitor = Monitor(lambda: self._arrived, on_change=self._on_change)
        self._taken = began  # when the next picture is taken
        self._heard = began
        self._stamp_base, self._clock_base = float(first_stamp), began
        self._clock_rate = 1.0
        self._numbers = 0
        self._keyframe_due, self._gops = began, 0
        self._beat_s = beat_s
        self._began = self._mark = began
        self._sizes = random.Random(4)
        self._has_begun = False

    def _on_change(self, finding: Finding, is_raised: bool) -> None:
        assert finding.text or not is_raised
        self.changes.append(
            Change(finding.code, is_raised, self._began + finding.since_s - self._mark)
        )

    def mark(self) -> None:
        """Count seconds from here, and forget what was found before."""
        self._mark = self.now
        self.changes.clear()

    def run(self, seconds: float) -> Report:
        """Publish for so long."""
        if not self._has_begun:
            self._announce()
        end = self.now + seconds
        while min(self._taken, self._heard) < end:
            if self._heard <= self._taken:
                self._send_sound()
            else:
                self._send_picture()
        self.now = end
        self._arrived = max(self._arrived, end)
        return self.monitor.report()

    def set_clock(self, rate: float) -> None:
        """Have the publisher's clock go so fast from now on."""
        self._stamp_base += (self.now - self._clock_base) * 1000 * self._clock_rate
        self._clock_base, self._clock_rate = self.now, rate

    def jump(self, seconds: float) -> None:
        """Have both clocks go on elsewhere."""
        self._stamp_base += seconds * 1000

    def announce(self) -> None:
        """Send metadata and headers again."""
        self._announce()

    def raised_after(self, code: Code) -> float:
        """Seconds from the mark until the finding was raised."""
        return self._first(code, is_raised=True)

    def all_raised(self) -> list[Code]:
        """What was found since the mark, in that order."""
        return [change.code for change in self.changes if change.is_raised]

    def cleared_after(self, code: Code) -> float:
        """Seconds from the mark until the finding was cleared."""
        return self._first(code, is_raised=False)

    def _first(self, code: Code, *, is_raised: bool) -> float:
        times = [c.at_s for c in self.changes if c.code is code and c.is_raised is is_raised]
        assert times, f"{code} was not {'raised' if is_raised else 'cleared'}: {self.changes}"
        return times[0]

    def _announce(self) -> None:
        self._has_begun = True
        metadata: dict[str, object] = {"encoder": "made", "videocodecid": 7.0}
        if self.declared_kbits is not None:
            metadata["videodatarate"] = self.declared_kbits
        if self.declared_fps is not None:
            metadata["framerate"] = self.declared_fps
        if self.has_sound:
            metadata["audiocodecid"] = 10.0
        self.monitor.describe(metadata)
        header = SequenceHeader(VIDEO_TRACK, self.codec, self.record)
        self.monitor.take(0, header)
        if self.has_sound:
            header = SequenceHeader(AUDIO_TRACK, Codec.AAC, self.sound_record)
            self.monitor.take(0, header)

    def _send_picture(self) -> None:
        taken, number = self._taken, self._numbers
        self._numbers += 1
        self._taken += self.next_step_s(number)
        if not self.has_pictures:
            return
        is_due = taken >= self._keyframe_due - 1e-6
        if is_due:
            self._keyframe_due = taken + self.next_gop_s(self._gops)
            self._gops += 1
        if self.is_dropped(number, is_due):
            return
        per_gop = self.fps * self.gop_s - 1 + self.keyframe_times
        size = self.kbits * 125 * self.gop_s / per_gop * self.rate(taken - self._mark)
        size *= self._sizes.uniform(0.7, 1.3) * (self.keyframe_times if is_due else 1)
        payload = bytes(max(1, round(size)))
        frame = CodedFrame(VIDEO_TRACK, self.codec, Millis(0), is_due, payload)
        self._send(taken, frame)

    def _send_sound(self) -> None:
        heard = self._heard
        self._heard += SOUND_S
        if self.has_sound:
            size = self.sound_bytes
            if size > SILENT_BYTES:
                size += self._sizes.randrange(-size // 4, size // 4)
            frame = CodedFrame(AUDIO_TRACK, Codec.AAC, Millis(0), True, bytes(size))
            self._send(heard, frame, self.sound_ahead_ms)

    def _send(self, taken: float, frame: CodedFrame, ahead_ms: int = 0) -> None:
        stamp = self._stamp_base + (taken - self._clock_base) * 1000 * self._clock_rate + ahead_ms
        arrived = taken + self.delay_s(taken - self._mark)
        read = math.ceil(arrived / self._beat_s) * self._beat_s
        self._arrived = max(self._arrived, read)  # TCP keeps the order
        self.monitor.take(round(stamp) % MILLIS_WRAP, frame)
