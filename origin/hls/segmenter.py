"""Where parts and segments end.

One Segmenter serves one *discontinuity domain*: a fixed set of tracks on one unbroken timeline.
One of them leads, the video where there is any. Its decoding times are the clock; the others
are dealt out by time: what lies before a cut goes into the part that the cut ends, and what
comes too late for that goes into the next one.

* A part ends *before* the frame that would make it longer than allowed, so that no part ever
  exceeds PART-TARGET (draft-pantos-hls-rfc8216bis, 4.4.4.9).
* Nor may it be shorter than 0.85 of that, unless it is a segment's last. Where frames are so far
  apart that none begins between the two (below 13 frames per second, for half a second), the
  part ends at PART-TARGET all the same, and the frame in whose midst that is begins the next
  one. So PART-TARGET need not follow the frame rate: it is the same for all, also when a
  publisher comes back with another one. Frames that are longer than that have their parts cut
  by the sound beside them; without any, each is a part of its own length.
* A segment ends at the first keyframe at or past the segment's duration, half a frame of
  tolerance included: time stamps in milliseconds put a keyframe at 1.999 s as often as at 2.
* A session's first segment ends at the first keyframe past the length of a part: nobody can watch
  before it is complete, and nobody waits for more than the first GOP.
* Without a keyframe a segment ends by force where EXT-X-TARGETDURATION would be exceeded.
* Audio alone can be cut anywhere, so a segment ends with the part that comes nearest.
* Until the leader's first keyframe nothing can be decoded, and what lies before it is dropped.
* When the leader falls silent, the others go on: they cut the parts while it is gone.

Cuts are counted in the leader's ticks, so the durations of parts add up without rounding; all
segments, and all parts at common frame rates, end where a frame does.

``push`` is called for every frame of every stream. It appends and compares; all else happens
once per part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from origin.errors import MediaError
from origin.hls.rules import SHORTEST_PART, Rules, longest_allowed_s, target_duration
from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track

SAMPLE_OVERHEAD_BYTES = 128
"""What keeping a sample costs besides its payload: empty frames fill memory, too."""


@dataclass(frozen=True, slots=True)
class PartReady:
    """A part's samples; they never change again."""

    tracks: tuple[Track, ...]
    samples: tuple[tuple[Sample, ...], ...]
    """One entry per track; empty where the track has none in this part."""
    start: Ticks
    """On the leader's timescale, as ``duration``."""
    duration: Ticks
    timescale: int
    independent: bool
    """Contains a sync sample of the leader (EXT-X-PART's INDEPENDENT)."""
    starts_independent: bool
    """Begins with one: a segment whose first part does can be decoded on its own."""


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """The parts since the last one of these are a segment."""

    by_force: bool
    """The next one does not begin with a keyframe."""


SegmenterEvent: TypeAlias = PartReady | SegmentEnded

NOTHING: tuple[SegmenterEvent, ...] = ()


class Segmenter:
    """Feed it samples in the order they come; it returns the parts and segments they complete.

    The samples of one track must be in order, with ``dts`` not negative; those of different
    tracks may be ahead of one another. ``target`` is EXT-X-TARGETDURATION where the session
    has one already; else the first segment decides.
    """

    def __init__(
        self,
        rules: Rules,
        tracks: tuple[Track, ...],
        target: int | None = None,
        part_target_s: float | None = None,
    ) -> None:
        self._rules = rules
        self._tracks = tracks
        self._leader = choose_leader(tracks)
        self._is_audio = tracks[self._leader].kind is MediaKind.AUDIO
        self._timescale = tracks[self._leader].timescale
        self._timescales = tuple(track.timescale for track in tracks)
        self._followers = tuple(i for i in range(len(tracks)) if i != self._leader)
        self._queues: tuple[list[Sample], ...] = tuple([] for _ in tracks)
        self._leading = self._queues[self._leader]
        self._room = rules.longest_part_bytes
        self._target_is_fixed = target is not None
        self._part_length = self._ticks(part_target_s or rules.part_length_s)
        self._shortest_part = math.ceil(self._part_length * SHORTEST_PART)
        self._segment_length = self._ticks(rules.segment_s)
        is_first = target is None and not self._is_audio
        self._first_length = self._part_length if is_first else self._segment_length
        self._longest_segment = self._ticks(longest_allowed_s(target or rules.longest_segment_s))
        self._begun = False
        self._part_start = self._segment_start = 0
        self._part_full = -1  # nothing fits before the first keyframe
        self._segment_due = 0
        # Per track, on its own timescale: what of a follower is earlier belongs to no keyframe.
        self._first = [0] * len(tracks)
        # Likewise: when a follower is past this, the leader is silent.
        self._silence = [0] * len(tracks)

    def push(self, track_index: int, sample: Sample) -> tuple[SegmenterEvent, ...]:
        """Take the next sample of a track; raise MediaError if a part grows without bound."""
        dts, _, duration, is_sync, payload = sample  # quicker than one field after the other
        self._room -= len(payload) + SAMPLE_OVERHEAD_BYTES
        if self._room < 0:
            raise MediaError(
                f"over {self._rules.longest_part_bytes} bytes of media in one part: "
                "its time stamps stand still"
            )
        if track_index != self._leader:
            return self._push_follower(track_index, sample)
        if dts + duration <= self._part_full and (
            not is_sync or dts + (duration >> 1) < self._segment_due
        ):
            self._leading.append(sample)
            return NOTHING
        return self._push_at_a_border(sample)

    def meet_keyframe(self) -> tuple[SegmenterEvent, ...]:
        """Learn that a keyframe comes right behind the leader's last sample.

        Its own sample follows once it is known how long it lasts, a frame later. The session's
        first segment does not wait for that: viewers do.
        """
        if self._target_is_fixed or not self._leading:
            return NOTHING
        last = self._leading[-1]
        at = last.dts + last.duration
        if at <= self._part_start or at + (last.duration >> 1) < self._segment_due:
            return NOTHING
        events: list[SegmenterEvent] = []
        self._cut_beside(at, events)
        self._cut_part(at, events)
        self._end_segment(events, by_force=False)
        return tuple(events)

    def flush(self) -> tuple[SegmenterEvent, ...]:
        """End the part and the segment with what is there: nothing more will come."""
        if not self._begun:
            return NOTHING
        events: list[SegmenterEvent] = []
        while self._followers_end() > self._longest_end():
            self._cut_in_silence(self._follower_overshoot(), events)
        end = self._end()
        self._cut_beside(end, events)
        if any(self._queues):
            self._cut_part(max(end, self._part_start + 1), events, everything=True)
        if self._part_start > self._segment_start:
            self._end_segment(events, by_force=False)
        return tuple(events)

    def _push_follower(self, index: int, sample: Sample) -> tuple[SegmenterEvent, ...]:
        if sample.dts < self._first[index]:
            self._room += len(sample.payload) + SAMPLE_OVERHEAD_BYTES
            return NOTHING
        self._queues[index].append(sample)
        if not self._begun:
            self._forget(index, sample.dts - round(self._rules.stall_s * self._timescales[index]))
            return NOTHING
        if sample.dts <= self._silence[index]:
            return NOTHING
        events: list[SegmenterEvent] = []
        while sample.dts > self._silence[index]:
            self._cut_in_silence(self._follower_overshoot(), events)
        return tuple(events)

    def _push_at_a_border(self, sample: Sample) -> tuple[SegmenterEvent, ...]:
        """Take a sample of the leader that may begin something new."""
        if not self._begun:
            self._begin(sample)
            return NOTHING
        events: list[SegmenterEvent] = []
        if sample.dts > self._part_start:
            self._cut_beside(sample.dts, events)
            self._cut_before(sample, events)
        self._leading.append(sample)
        self._cut_beside(sample.dts + sample.duration, events)
        return tuple(events)

    def _cut_before(self, sample: Sample, events: list[SegmenterEvent]) -> None:
        """End a part or segment, if there is to be an end where this sample begins."""
        end = sample.dts + sample.duration
        if sample.is_sync and not self._is_audio and self._is_due(sample):
            self._cut_part(sample.dts, events)
            self._end_segment(events, by_force=False)
        elif end - self._segment_start > self._longest_segment:
            self._cut_part(sample.dts, events)
            self._end_segment(events, by_force=not sample.is_sync)
        elif end > self._part_full:
            if sample.dts - self._part_start >= self._shortest_part:
                self._cut_part(sample.dts, events)
            elif self._leading:
                self._cut_part(self._part_full, events)
            if self._is_audio and self._is_nearest_border():
                self._end_segment(events, by_force=False)

    def _cut_beside(self, at: int, events: list[SegmenterEvent]) -> None:
        """Cut the parts that are full before ``at``, beside a frame that lasts until then.

        Only where others have something for both sides of the cut: no part is empty.
        """
        while self._part_full < at and (border := self._border_beside()):
            self._cut_part(border, events)
            if self._part_full <= self._part_start:
                self._end_segment(events, by_force=True)  # as long as it may be

    def _border_beside(self) -> int:
        """Find the latest time at which the part may end with a follower's frames on both sides.

        0 if there is none.
        """
        for index in self._followers:
            queue, timescale = self._queues[index], self._timescales[index]
            if not queue:
                continue
            last = min(queue[-1].dts * self._timescale // timescale, self._part_full)
            has_begun = bool(self._leading) or queue[0].dts * self._timescale < last * timescale
            if has_begun and last - self._part_start >= self._shortest_part:
                return last
        return 0

    def _begin(self, sample: Sample) -> None:
        """Begin with the leader's first keyframe; anything else of the leader is dropped."""
        if not sample.is_sync:
            self._room += len(sample.payload) + SAMPLE_OVERHEAD_BYTES
            return
        self._begun = True
        self._segment_start = sample.dts
        self._segment_due = sample.dts + self._first_length
        self._start_part(sample.dts)
        for index in self._followers:
            self._first[index] = -(-sample.dts * self._timescales[index] // self._timescale)
            self._forget(index, self._first[index])
        self._leading.append(sample)

    def _is_due(self, sample: Sample) -> bool:
        return sample.dts + (sample.duration >> 1) >= self._segment_due

    def _is_nearest_border(self) -> bool:
        """Tell whether the segment comes nearest to its length with the last part's end."""
        return self._part_start + self._part_length // 2 >= self._segment_due

    def _cut_in_silence(self, at: int, events: list[SegmenterEvent]) -> None:
        """Cut by a follower; there is no keyframe to wait for."""
        self._cut_part(at, events)
        if self._is_nearest_border():
            self._end_segment(events, by_force=True)

    def _cut_part(self, at: int, events: list[SegmenterEvent], *, everything: bool = False) -> None:
        leading = self._leading
        independent = self._is_audio or any(sample.is_sync for sample in leading)
        starts_independent = self._is_audio or (bool(leading) and leading[0].is_sync)
        samples = tuple(
            self._take(index, None if everything or index == self._leader else at)
            for index in range(len(self._queues))
        )
        part = PartReady(
            tracks=self._tracks,
            samples=samples,
            start=Ticks(self._part_start),
            duration=Ticks(at - self._part_start),
            timescale=self._timescale,
            independent=independent,
            starts_independent=starts_independent,
        )
        events.append(part)
        self._start_part(at)

    def _end_segment(self, events: list[SegmenterEvent], *, by_force: bool) -> None:
        if not self._target_is_fixed:
            length_s = (self._part_start - self._segment_start) / self._timescale
            target = target_duration(self._rules, length_s, has_video=not self._is_audio)
            self._longest_segment = self._ticks(longest_allowed_s(target))
            self._target_is_fixed = True
        events.append(SegmentEnded(by_force))
        self._segment_start = self._part_start
        self._segment_due = self._segment_start + self._segment_length
        self._start_part(self._part_start)

    def _start_part(self, at: int) -> None:
        self._part_start = at
        self._part_full = min(at + self._part_length, self._segment_start + self._longest_segment)
        silence_s = (at + self._part_length) / self._timescale + self._rules.stall_s
        for index in self._followers:
            self._silence[index] = int(silence_s * self._timescales[index])

    def _take(self, index: int, before: int | None) -> tuple[Sample, ...]:
        """Take a track's samples that lie before a time of the leader's, or all of them."""
        queue = self._queues[index]
        count = len(queue)
        if before is not None:
            limit = before * self._timescales[index]
            while count and queue[count - 1].dts * self._timescale >= limit:
                count -= 1
        taken = tuple(queue[:count])
        del queue[:count]
        self._room += sum([len(sample.payload) for sample in taken])
        self._room += count * SAMPLE_OVERHEAD_BYTES
        return taken

    def _forget(self, index: int, before: int) -> None:
        """Drop a follower's samples before a time on its own timescale."""
        queue = self._queues[index]
        count = 0
        while count < len(queue) and queue[count].dts < before:
            self._room += len(queue[count].payload) + SAMPLE_OVERHEAD_BYTES
            count += 1
        del queue[:count]

    def _follower_overshoot(self) -> int:
        """Find where a follower's frame makes the part too long, on the leader's clock.

        It is not the part's first frame: no part is empty.
        """
        for index in self._followers:
            timescale = self._timescales[index]
            for position, sample in enumerate(self._queues[index]):
                start = sample.dts * self._timescale // timescale
                end = (sample.dts + sample.duration) * self._timescale // timescale
                is_first = position == 0 and not self._leading
                if end > self._part_full and start > self._part_start and not is_first:
                    return start
        return max(self._followers_end(), self._part_start + 1)

    def _longest_end(self) -> int:
        """Find how far the others may go on in the last part: beyond the leader's end a little."""
        if not self._leading:
            return self._part_full
        last = self._leading[-1]
        return max(self._part_full, last.dts + last.duration) + self._part_length

    def _end(self) -> int:
        """Find the end of what is queued: the leader's, or the others' where it is silent."""
        if self._leading:
            last = self._leading[-1]
            if last.dts + last.duration > self._part_start:
                return last.dts + last.duration
        return max(self._followers_end(), self._part_start + 1)

    def _followers_end(self) -> int:
        """Find the end of the followers' queues, on the leader's clock."""
        ends = [
            (queue[-1].dts + queue[-1].duration) * self._timescale // self._timescales[index]
            for index, queue in enumerate(self._queues)
            if queue and index != self._leader
        ]
        return max(ends, default=0)

    def _ticks(self, length_s: float) -> int:
        return round(length_s * self._timescale)


def choose_leader(tracks: Sequence[Track]) -> int:
    """Return the index of the track that decides where cuts are made."""
    for index, track in enumerate(tracks):
        if track.kind is MediaKind.VIDEO:
            return index
    return 0
