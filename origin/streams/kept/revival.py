"""Makes a session again from what was kept of it, as it was when its process was killed.

Segment by segment, all that went into the session goes into another one, beginning with what it
remembered (``hls.memory``). It ends where it was broken off: the open segment is closed with the
parts that are there, under a name that nobody has seen, and what comes next carries
EXT-X-DISCONTINUITY and names of a new epoch.

What cannot be trusted is not shown. A session is not gone on with, but followed by another one
that goes on with its numbers, if

* the machine was restarted in between: what had been written last may not have reached the disk;
* something was shown that was not kept, since the disk was slow or full (``shown``);
* this version of the packaging makes other bytes of the same frames: names would stand for both.

And one that was cut by other rules is shown, but has ended: its targets must not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from origin.errors import MediaError
from origin.hls.cuts import SegmentEnded
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.timebase import Millis
from origin.store.folder import KeptSegment, KeptStream
from origin.store.journal import Kind
from origin.store.marks import WHOLE, position, segment_of
from origin.streams.kept.form import (
    End,
    FormError,
    Note,
    checks_of,
    read_begin,
    read_end,
    read_note,
    read_part,
)
from origin.streams.kept.keeper import Following, Kept, following

MEMORY_OF_NUMBERS = timedelta(days=30)
"""How long the numbers of a stream are kept after its last session: the calendar has overtaken
them long before (``streams.stream``)."""

BEHIND = "more had been shown than could be kept"

LOST_WITH_POWER_S = 60
"""What had been shown, and had not reached the disk: twice what kernels wait before they write."""


@dataclass(frozen=True, slots=True)
class Revived:
    """A session that can be gone on with, or fetched until it is forgotten."""

    presentation: Presentation
    broken_off: int | None
    """The segment that was open."""
    stale: tuple[int, ...]
    """Segments that are kept and can no longer be fetched."""
    epoch: str
    """Of what comes next."""
    clock: Millis
    """Where its timelines have got to."""
    ended_at: datetime | None
    """None while its publisher may come back."""
    is_noted: bool
    """What is written down of its end is so."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a stream from before this process."""

    kept: Kept
    following: Following
    revived: Revived | None
    reason: str | None
    """Why there is no session, where there might have been one."""
    leftovers: tuple[str, ...]
    """Sessions of which nothing is needed any more."""
    is_outdated: bool
    """Even the numbers need not be kept."""


@dataclass(frozen=True, slots=True)
class Present:
    """What is so now, and may have been otherwise when a session was kept."""

    rules: Rules
    boot: str
    """Of the machine."""
    epoch: str
    """Of what comes next; never used before."""
    now: datetime
    shown: int = 0
    """The position up to which something was shown before it was kept."""


def remember(stream: KeptStream, present: Present) -> Remembered:
    """Find out what is known of a stream.

    Raises:
        FormError: not even what its note says can be read.
    """
    note = read_note(stream.note)
    session = note.session or ""
    kept = Kept(stream.folder.stream, session, note.began or note.at, note.rules, note.last_live)
    all_kept = stream.sessions.get(session, ())
    segments = unbroken(all_kept)
    revived, reason = None, None
    shown = segment_of(present.shown)
    numbers = Following(max(note.msn, shown + 1), note.discontinuity)
    if session and shown >= note.msn and not segments:
        reason = BEHIND
    if segments:
        try:
            revived = _revive(note, all_kept, segments, present)
            numbers = following(revived.presentation)
        except (FormError, MediaError) as error:
            reason = str(error)
            numbers = _numbers_after(note, segments, present)
    return Remembered(
        kept=kept,
        following=numbers,
        revived=revived,
        reason=reason,
        leftovers=tuple(name for name in stream.sessions if revived is None or name != session),
        is_outdated=revived is None and present.now - note.at > MEMORY_OF_NUMBERS,
    )


def unbroken(segments: Sequence[KeptSegment]) -> tuple[KeptSegment, ...]:
    """Return the last segments that follow one another; only the very last may be incomplete."""
    found: list[KeptSegment] = []
    for segment in reversed(segments):
        if found and (segment.number + 1 != found[-1].number or not segment.is_complete):
            break
        found.append(segment)
    return tuple(reversed(found))


def _revive(
    note: Note, kept: Sequence[KeptSegment], segments: Sequence[KeptSegment], present: Present
) -> Revived:
    """Replay ``segments``, the last ones of those that are ``kept``."""
    last = segments[-1]
    if note.boot != present.boot:
        raise FormError("the machine was restarted")
    got_to = position(last.number, WHOLE if last.is_complete else len(last.records) - 1)
    if present.shown > got_to or (note.has_ended and note.msn != last.number + 1):
        raise FormError(BEHIND)
    presentation = Presentation(
        rules=note.rules,
        epoch=present.epoch,
        first_msn=note.msn,
        first_discontinuity_sequence=note.discontinuity,
        begins_with_discontinuity=False,
    )
    for segment in segments:
        _replay(presentation, segment)
    if presentation.target_duration is None:
        raise FormError("no segment was complete")
    presentation.seal(present.epoch)
    has_ended = note.has_ended or note.rules != present.rules
    if has_ended:
        presentation.end()
    oldest = presentation.oldest_msn
    return Revived(
        presentation=presentation,
        broken_off=None if last.is_complete else last.number,
        stale=tuple(each.number for each in kept if each.number < oldest),
        epoch=present.epoch,
        clock=_clock_of(presentation),
        ended_at=(note.at if note.has_ended else present.now) if has_ended else None,
        is_noted=note.has_ended or not has_ended,
    )


def _replay(presentation: Presentation, segment: KeptSegment) -> None:
    begin, *rest = segment.records
    tracks, memory = read_begin(begin)
    if memory.msn != segment.number:
        raise FormError(f"segment {memory.msn} in the place of {segment.number}")
    presentation.recall(memory, tracks)
    at = datetime.min.replace(tzinfo=UTC)
    for each in rest:
        if each.kind is Kind.PART:
            part, at, checks = read_part(each, tuple(tracks.values()))
            presentation.add(part, at)
            if checks_of(presentation) != checks:
                raise FormError("this version would package it otherwise")
        else:
            _replay_end(presentation, read_end(each), at)


def _replay_end(presentation: Presentation, end: End, at: datetime) -> None:
    if end.sealed is not None:
        presentation.seal(end.sealed)
    else:
        presentation.add(SegmentEnded(by_force=not end.independent), at)


def _clock_of(presentation: Presentation) -> Millis:
    newest = presentation.main.newest
    if newest is None:
        raise FormError("no segment was complete")
    return Millis(ceil((newest.start + newest.duration) * 1000 / newest.timescale))


def _numbers_after(note: Note, segments: Sequence[KeptSegment], present: Present) -> Following:
    """Find numbers that were never shown, and cannot have been."""
    sequence = note.discontinuity
    try:
        _, memory = read_begin(segments[-1].records[0])
    except FormError:
        pass
    else:
        known = [each.discontinuity_sequence for each in memory.renditions]
        sequence = max(known, default=sequence) + memory.is_discontinuous
    last = max(segments[-1].number, segment_of(present.shown), note.msn - 1)
    lost = 0 if note.boot == present.boot else ceil(LOST_WITH_POWER_S / note.rules.segment_s)
    return Following(last + 1 + lost, sequence)
