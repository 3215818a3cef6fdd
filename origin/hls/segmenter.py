"""Where parts and segments end.

One Segmenter serves one *discontinuity domain*: a fixed set of tracks on one unbroken timeline.
One of them leads, the first video where there is any. Its decoding times are the clock; every
track is dealt out by time: what begins before a cut goes into the part that the cut ends, and
what comes too late for that goes into the next one.

* A part ends *before* the frame that would make it longer than allowed, so that no part ever
  exceeds PART-TARGET (draft-pantos-hls-rfc8216bis, 4.4.4.9).
* Nor may it be shorter than 0.85 of that, unless it is a segment's last. Where frames are so far
  apart that none begins between the two (below 13 frames per second, for half a second), the
  part ends at PART-TARGET all the same, and the frame in whose midst that is begins the next
  one. So PART-TARGET need not follow the frame rate: it is the same for all, also when a
  publisher comes back with another one. Frames that are longer than that have their parts cut
  by the sound beside them; without any, each is a part of its own length.
* No part is empty: where nothing begins between two cuts, the first of them alone is made.
* A segment ends at the first keyframe at or past the segment's duration, half a frame of
  tolerance included: time stamps in milliseconds put a keyframe at 1.999 s as often as at 2.
* A session's first segment ends at the first keyframe past the length of a part: nobody can watch
  before it is complete, and nobody waits for more than the first GOP.
* Without a keyframe a segment ends by force where EXT-X-TARGETDURATION would be exceeded.
* Audio alone can be cut anywhere, so a segment ends with the part that comes nearest.
* Until the leader's first keyframe nothing can be decoded, and what lies before it is dropped.
* Other videos are cut at the same places; where a segment ends with a keyframe, at theirs of the
  same moment. One that stays away has gaps until its next keyframe (``hls.attendance``).
* When the leader falls silent, the others go on. Of several pictures the first one that is ahead of
  the leader by a part and ``Rules.late_s`` leads from there on: nobody waits for longer, and
  segments go on to begin with keyframes. Where there is sound alone, it cuts the parts while the
  picture is gone, after ``Rules.stall_s``: encoders may send that much sound ahead of it.

Cuts are counted in the leader's ticks, so the durations of parts add up without rounding; all
segments, and all parts at common frame rates, end where a frame does.

``push`` is called for every frame of every stream. It appends and compares; all else happens
once per part.
"""

import math

from origin.errors import MediaError
from origin.hls.attendance import Attendance
from origin.hls.cuts import NOTHING, PartReady, SegmentEnded, SegmenterEvent, choose_leader
from origin.hls.queues import SAMPLE_OVERHEAD_BYTES, Queues, weight
from origin.hls.rules import SHORTEST_PART, Rules, longest_allowed_s, target_duration
from origin.media.coded import MediaKind
from origin.media.sample import Sample
from origin.media.timebase import Ticks
from origin.media.track import Track


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
        self.leader = choose_leader(tracks)
        """The track that decides where cuts are made; another picture, when it falls silent."""
        self._is_audio = tracks[self.leader].kind is MediaKind.AUDIO
        self._timescale = tracks[self.leader].timescale
        self._timescales = tuple(track.timescale for track in tracks)
        self._queues = Queues(tracks, self.leader)
        self._waiting = self._queues.of
        self._leading = self._queues.leading
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
        self._late = self._ticks(rules.late_s)
        self._shift = 0
        """From the leader's clock to that of the track that led first: parts are timed by it."""
        self._led_until = 0
        """The end of the leader's last sample that is in a part."""
        # Per track, on its own timescale: what of a follower is earlier belongs to no keyframe.
        self._first = [0] * len(tracks)
        # Likewise: when a follower is past this, the leader is silent.
        self._silence = [-1] * len(tracks)
        self._attendance = Attendance()
        self._absent = self._attendance.absent

    def push(self, track_index: int, sample: Sample) -> tuple[SegmenterEvent, ...]:
        """Take the next sample of a track; raise MediaError if a part grows without bound."""
        dts, _, duration, is_sync, payload = sample  # quicker than one field after the other
        self._room -= len(payload) + SAMPLE_OVERHEAD_BYTES
        if self._room < 0:
            raise MediaError(
                f"over {self._rules.longest_part_bytes} bytes of media in one part: "
                "its time stamps stand still"
            )
        if track_index != self.leader:
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
        self._cut_beside(at, events, next_is_here=True)
        self._cut(at, events)
        self._end_segment(events, by_force=False)
        return tuple(events)

    def room_at(self, at: int) -> int:
        """How long a keyframe of the leader may be that begins at ``at``, to end with its part."""
        room = self._part_full - at
        begins_another = at - self._part_start >= self._shortest_part
        if begins_another or at + (room >> 1) >= self._segment_due:
            return self._part_length
        return room

    def flush(self) -> tuple[SegmenterEvent, ...]:
        """End the part and the segment with what is there: nothing more will come."""
        if not self._begun:
            return NOTHING
        events: list[SegmenterEvent] = []
        # What the others have beyond the leader's end goes into the last part, if it is little.
        much = self._queues.end_of_others() - self._part_length
        while much > max(self._part_full, self._leading_end()):
            self._cut_in_silence(events)
            much = self._queues.end_of_others() - self._part_length
        self._cut_beside(self._end(), events, next_is_here=False)
        if not self._queues.are_empty:
            end = min(self._end(), self._part_full) if self._queues.has_others else self._end()
            self._make_part(max(end, self._part_start + 1), events, self._queues.take(None))
        self._end_segment(events, by_force=False)
        return tuple(events)

    def _push_follower(self, index: int, sample: Sample) -> tuple[SegmenterEvent, ...]:
        if sample.dts < self._first[index] or (
            index in self._absent
            and not self._attendance.is_wanted(index, sample, self._part_start)
        ):
            self._room += weight([sample])
            return NOTHING
        self._waiting[index].append(sample)
        if sample.dts <= self._silence[index]:
            return NOTHING
        if index in self._queues.other_pictures:
            return self._lead_if_late(index, sample)
        if not self._begun:
            stall = round(self._rules.stall_s * self._timescales[index])
            self._room += self._queues.forget(index, sample.dts - stall)
            return NOTHING
        events: list[SegmenterEvent] = []
        while sample.dts > self._silence[index]:
            self._cut_in_silence(events)
        return tuple(events)

    def _lead_if_late(self, index: int, sample: Sample) -> tuple[SegmenterEvent, ...]:
        """Have another picture lead, which has come to ``sample``, if the leader is late."""
        first = self._part_start if self._begun else self._queues.waits_since(index)
        if first is None:  # nothing here can be decoded
            self._room += self._queues.forget(index, sample.dts + 1)
            return NOTHING
        due = self._queues.leader_is_due(first + self._part_length)
        return self._lead(index) if sample.dts > due + self._late else NOTHING

    def _lead(self, index: int) -> tuple[SegmenterEvent, ...]:
        """Have another picture lead, from the part under way on."""
        ahead = self._waiting[index][:]
        self._waiting[index].clear()
        sooner = self._queues.lead(index)
        self.leader, self._leading = index, self._queues.leading
        self._shift += sooner
        self._segment_start -= sooner
        self._segment_due -= sooner
        self._led_until -= sooner
        if self._begun:
            self._start_part(self._part_start - sooner)
        return tuple([event for sample in ahead for event in self._push_at_a_border(sample)])

    def _push_at_a_border(self, sample: Sample) -> tuple[SegmenterEvent, ...]:
        """Take a sample of the leader that may begin something new."""
        if not self._begun:
            self._begin(sample)
            return NOTHING
        events: list[SegmenterEvent] = []
        if sample.dts > self._part_start:
            self._cut_beside(sample.dts, events, next_is_here=True)
            self._cut_before(sample, events)
        self._leading.append(sample)
        self._cut_beside(sample.dts + sample.duration, events, next_is_here=False)
        return tuple(events)

    def _begin(self, sample: Sample) -> None:
        """Begin with the leader's first keyframe; anything else of the leader is dropped."""
        if not sample.is_sync:
            self._room += weight([sample])
            return
        self._begun = True
        self._segment_start = sample.dts
        self._segment_due = sample.dts + self._first_length
        self._start_part(sample.dts)
        for index in range(len(self._tracks)):
            if index in self._queues.other_pictures:
                self._begin_beside(index, sample)
            elif index != self.leader:
                self._first[index] = -(-sample.dts * self._timescales[index] // self._timescale)
                self._room += self._queues.forget(index, self._first[index])
        self._leading.append(sample)

    def _begin_beside(self, index: int, keyframe: Sample) -> None:
        """Begin another picture with its own keyframe: now, or when it comes."""
        is_here, dropped = self._queues.begin(index, keyframe)
        self._room += dropped
        if not is_here:
            self._absent.add(index)

    def _cut_before(self, sample: Sample, events: list[SegmenterEvent]) -> None:
        """End a part or segment, if there is to be an end where this sample begins."""
        end = sample.dts + sample.duration
        if sample.is_sync and not self._is_audio and self._is_due(sample):
            self._cut(sample.dts, events, sample)
            self._end_segment(events, by_force=False)
        elif end - self._segment_start > self._longest_segment:
            self._cut(sample.dts, events)
            self._end_segment(events, by_force=not sample.is_sync)
        elif end > self._part_full:
            if sample.dts - self._part_start >= self._shortest_part:
                self._cut(sample.dts, events)
            elif self._leading:
                self._cut(self._part_full, events)
            if self._is_audio and self._is_nearest_border():
                self._end_segment(events, by_force=False)

    def _cut_beside(self, until: int, events: list[SegmenterEvent], *, next_is_here: bool) -> None:
        """Cut the parts that are full before ``until``, beside a frame that lasts until then.

        The others must have come as far, unless the leader's next frame is here: whatever they
        still owe then goes into the next part, as it does everywhere.
        """
        if self._part_full >= until:
            return
        is_decided = next_is_here and self._queues.has_others
        while self._part_full < until:
            if not is_decided and not self._queues.others_reach(self._part_full):
                return
            if not self._cut(self._border(), events):
                return
            if self._part_full <= self._part_start:
                self._end_segment(events, by_force=True)  # as long as it may be

    def _cut_in_silence(self, events: list[SegmenterEvent]) -> None:
        """Cut by a follower; there is no keyframe to wait for."""
        if not self._cut(self._border(), events):
            self._cut(self._queues.end_of_first(), events)
        if self._is_nearest_border() or self._part_full <= self._part_start:
            self._end_segment(events, by_force=True)

    def _is_due(self, sample: Sample) -> bool:
        return sample.dts + (sample.duration >> 1) >= self._segment_due

    def _is_nearest_border(self) -> bool:
        """Tell whether the segment comes nearest to its length with the last part's end."""
        return self._part_start + self._part_length // 2 >= self._segment_due

    def _border(self) -> int:
        """Where the part ends beside a frame of the leader, or without any."""
        return self._queues.border(self._part_start + self._shortest_part, self._part_full)

    def _end(self) -> int:
        """Find the end of what is here: the leader's, or the others' where it is silent."""
        end = self._leading_end()
        return end if end > self._part_start else self._queues.end_of_others()

    def _leading_end(self) -> int:
        if not self._leading:
            return self._led_until
        last = self._leading[-1]
        return last.dts + last.duration

    def _cut(self, at: int, events: list[SegmenterEvent], keyframe: Sample | None = None) -> bool:
        """End the part, unless it would be empty: then its time belongs to the next one.

        ``keyframe`` is the leader's that begins the next one, where there is one.
        """
        if self._queues.is_empty_before(at):
            return False
        self._make_part(at, events, self._queues.take(at, keyframe))
        return True

    def _make_part(
        self, at: int, events: list[SegmenterEvent], samples: tuple[tuple[Sample, ...], ...]
    ) -> None:
        self._room += sum([weight(run) for run in samples])
        leading = samples[self.leader]
        end = at + self._shift
        self._attendance.note(self._queues.other_pictures, samples, self._waiting, end)
        if leading:
            self._led_until = leading[-1].dts + leading[-1].duration
        part = PartReady(
            tracks=self._tracks,
            samples=samples,
            start=Ticks(self._part_start + self._shift),
            duration=Ticks(at - self._part_start),
            timescale=self._timescale,
            independent=self._is_audio or any(sample.is_sync for sample in leading),
            starts_independent=self._is_audio or (bool(leading) and leading[0].is_sync),
        )
        events.append(part)
        self._start_part(at)

    def _end_segment(self, events: list[SegmenterEvent], *, by_force: bool) -> None:
        """End the segment, if there is a part in it."""
        length = self._part_start - self._segment_start
        if not length:
            return
        if not self._target_is_fixed:
            length_s = length / self._timescale
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
        self._silence = [int(silence_s * timescale) for timescale in self._timescales]
        for index in self._queues.other_pictures:
            self._silence[index] = self._part_full + self._late

    def _ticks(self, length_s: float) -> int:
        return round(length_s * self._timescale)
