"""Writes down what a session is made of, as it happens, so that another process can go on with it.

::

    Presentation --tells--> SessionKeeper --records--> store.writer --thread--> disk
                                 |
    waiting requests <--wake-- when it is written, or has taken too long

A part is in the presentation before it is on the disk. Between the two somebody may be shown it
who will ask for what follows; if the process is killed there, the next one knows nothing of it.
So those who wait for a part are woken when it is kept. That is a fraction of a millisecond, and
never more than ``PATIENCE_S``: a disk that is slow or full holds nobody up.

The files of segments that can no longer be fetched are removed as the window moves on, those of a
session when it is forgotten. All of this belongs to the loop's thread; nothing in it waits.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from origin.hls.cuts import PartReady
from origin.hls.memory import Memory
from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.store.folder import StreamFolder
from origin.store.journal import FILE_HEAD
from origin.store.marks import WHOLE, Marks, position
from origin.store.writer import Writer
from origin.streams.clock import Clock
from origin.streams.kept.form import (
    End,
    Note,
    begin_record,
    end_record,
    note_record,
    part_record,
)

PATIENCE_S = 0.05
"""How long a new part may be kept from those who wait for it; as long as from beat to beat."""


SMALL_BYTES = 100
"""About the size of a record without media."""


class Following(NamedTuple):
    """The numbers that the next session of a stream begins with."""

    msn: int
    discontinuity: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one session beside its segments."""

    stream: str
    session: str
    """The epoch with which it began: of all its names, or of the first."""
    began: datetime
    rules: Rules
    last_live: datetime | None
    """When the session before it ended."""


class Keeper:
    """Keeps the sessions of all streams; ``boot`` is the machine's present one."""

    def __init__(
        self,
        writer: Writer,
        root: Path,
        clock: Clock,
        *,
        marks: Marks | None = None,
        boot: str = "",
    ) -> None:
        self.boot = boot
        self.marks = marks or Marks()
        self.clock = clock
        self._writer = writer
        self._root = root

    def keep(self, kept: Kept, presentation: Presentation) -> "SessionKeeper":
        """Keep a session, from its first part on."""
        return SessionKeeper(self, self._writer, self._folder(kept.stream), kept, presentation)

    def forget(self, kept: Kept, following: Following, last_live: datetime | None) -> None:
        """Remove the segments of a session; what follows it goes on with these numbers."""
        folder = self._folder(kept.stream)
        self.note(replace(kept, last_live=last_live), following, has_session=False)
        self._writer.remove_folder(kept.stream, folder.session(kept.session))

    def note(
        self,
        kept: Kept,
        following: Following,
        *,
        has_session: bool = True,
        has_ended: bool = False,
    ) -> None:
        """Write down where a stream is now."""
        now = self.clock.wall()
        note = Note(
            session=kept.session if has_session else None,
            has_ended=has_ended,
            at=now,
            began=kept.began,
            last_live=now if has_ended else kept.last_live,
            msn=following.msn,
            discontinuity=following.discontinuity,
            rules=kept.rules,
            boot=self.boot,
        )
        path = self._folder(kept.stream).note
        self._writer.replace(kept.stream, path, lambda: (FILE_HEAD, *note_record(note)))

    def drop(self, stream: str, session: str) -> None:
        """Remove a session of which nothing is needed."""
        self._writer.remove_folder(stream, self._folder(stream).session(session))

    def drop_stream(self, stream: str) -> None:
        """Remove all that is kept of a stream, its numbers, too."""
        self._writer.remove_folder(stream, self._folder(stream).path)

    def _folder(self, stream: str) -> StreamFolder:
        return StreamFolder(self._root, stream)


class SessionKeeper:
    """Keeps one session; fulfils ``hls.observer.Observer``."""

    def __init__(
        self,
        keeper: Keeper,
        writer: Writer,
        folder: StreamFolder,
        kept: Kept,
        presentation: Presentation,
    ) -> None:
        self.kept = kept
        self._keeper = keeper
        self._writer = writer
        self._folder = folder
        self._presentation = presentation
        self._is_noted = False
        self._oldest: int | None = None
        self._number = self._parts = 0
        self._path = folder.session(kept.session)
        self._beginning: Memory | None = None
        self._ticket = writer.ticket
        self._behind_since_s = keeper.clock.monotonic()

    def segment_begins(self, memory: Memory) -> None:
        """Remember how; the file is made with the first part."""
        if not self._is_noted:
            self._is_noted = True
            self._note(has_ended=False)
        self._begin_file(memory.msn)
        if self._oldest is None:
            self._oldest = memory.msn
        self._beginning = memory

    def part_added(self, part: PartReady, at: datetime) -> None:
        """Write it."""
        self._parts += 1
        self._look_behind()
        parts = [each.growing.parts[-1] for each in self._presentation.renditions.values()]
        size = parts[0].resource.size
        if self._beginning is None:
            self._writer.append(
                self.kept.stream, self._path, lambda: part_record(part, at, parts), size
            )
        else:
            memory, tracks, self._beginning = self._beginning, self._presentation.tracks, None
            self._writer.create(
                self.kept.stream,
                self._path,
                lambda: (
                    FILE_HEAD,
                    *begin_record(tracks.items(), memory),
                    *part_record(part, at, parts),
                ),
                size,
            )
        self._ticket = self._writer.ticket

    def segment_ended(self) -> None:
        """Say so, and remove the files of segments that cannot be fetched any more."""
        self._parts = WHOLE
        self._look_behind()
        self._end_segment(sealed=None)
        oldest = self._presentation.oldest_msn
        self._remove(range(oldest if self._oldest is None else self._oldest, oldest))
        self._oldest = oldest

    def ended(self) -> None:
        """Note that nothing comes any more."""
        self._note(has_ended=True)

    def when_kept(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when all that has come so far is kept, or has taken too long."""

        def late() -> None:
            self._mark()
            wake()

        def kept() -> None:
            timer.cancel()
            wake()

        timer = self._keeper.clock.call_later(PATIENCE_S, late)
        self._writer.when_reached(kept)

    def forget(self, last_live: datetime | None) -> None:
        """Remove all segments; the numbers of what follows stay."""
        self._keeper.forget(self.kept, following(self._presentation), last_live)

    def resume(self, broken_off: int | None, epoch: str, stale: Iterable[int]) -> None:
        """Go on with what another process has kept, but for the ``stale`` segments.

        It was killed in the midst of segment ``broken_off``, which is sealed with ``epoch`` now.
        """
        self._is_noted = True
        self._oldest = self._presentation.oldest_msn
        self._remove(stale)
        if broken_off is not None:
            self._begin_file(broken_off)
            self._end_segment(sealed=epoch)

    def _begin_file(self, number: int) -> None:
        self._number, self._parts = number, 0
        self._path = self._folder.segment(self.kept.session, number)

    def _look_behind(self) -> None:
        """What comes now is shown; where what came before is not kept yet, it may never be."""
        now_s = self._keeper.clock.monotonic()
        if self._writer.has_kept(self.kept.stream, self._ticket):
            self._behind_since_s = now_s
        elif now_s - self._behind_since_s > PATIENCE_S:
            self._mark()

    def _mark(self) -> None:
        self._keeper.marks.mark(self.kept.stream, position(self._number, self._parts))

    def _end_segment(self, *, sealed: str | None) -> None:
        end = End(self._presentation.is_independent, sealed)
        self._writer.append(self.kept.stream, self._path, lambda: end_record(end), SMALL_BYTES)

    def _remove(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            path = self._folder.segment(self.kept.session, number)
            self._writer.remove(self.kept.stream, path)

    def _note(self, *, has_ended: bool) -> None:
        self._keeper.note(self.kept, following(self._presentation), has_ended=has_ended)


def following(presentation: Presentation) -> Following:
    """Return the numbers that the session after this one begins with."""
    return Following(presentation.next_msn, presentation.next_discontinuity_sequence)
