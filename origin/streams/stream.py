"""The life of one stream, from its first publisher to the end of its last session.

::

    OFFLINE --publish--> STARTING --first segment--> LIVE --clean end----------> ENDED
                            ^                        |  ^                        ^  |
                            |                      lost |                        |  |
                            |                        v  first segment            |  |
                            |                     RECONNECTING --grace is over---+  |
                            +-------------------------publish-----------------------+
    ENDED --forgotten--> OFFLINE                 STARTING --left without a segment--> OFFLINE

A session is what lies between OFFLINE (or ENDED) and ENDED: one playlist, one epoch in its names.
A publisher who is lost and comes back within the grace time goes on in the same session; so does
one who takes over from a connection that hangs. Media and discontinuity sequence numbers go on
from session to session and never back.

A publisher who leaves before there was a segment leaves nothing behind: the stream is OFFLINE
again, whatever it was before. All of this runs in the event loop's thread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

import structlog

from origin.hls.presentation import Presentation
from origin.hls.rules import Rules
from origin.media.coded import Coded, MediaKind
from origin.observe.health.monitor import Monitor
from origin.streams.audience import Audience
from origin.streams.calendar import Calendar
from origin.streams.clock import Clock, Timer
from origin.streams.health import watch
from origin.streams.kept.keeper import Keeper, Kept, SessionKeeper
from origin.streams.kept.revival import Remembered, Revived
from origin.streams.packager import Packager
from origin.streams.waiting import WaitingRoom

log = structlog.get_logger()


class State(Enum):
    """Where a stream is; the values are what the API and the watch page say."""

    OFFLINE = "offline"
    STARTING = "starting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream waits, in seconds."""

    grace_s: float = 90.0
    """For a lost publisher to come back, before the session ends."""
    keep_ended_s: float = 300.0
    """Until an ended session's window is let go of."""


class Sequence(NamedTuple):
    """The numbers that the next session of a stream begins with."""

    msn: int
    discontinuity: int


class Session:
    """One playlist: a packager, and when and by whom it is fed."""

    def __init__(
        self, packager: Packager, began: datetime, keeping: SessionKeeper | None = None
    ) -> None:
        self.packager = packager
        self.began = began
        self.keeping = keeping
        """Writes it down for another process; None if nobody does."""
        self.segments_at_attach = 0
        self.publishes = 0
        """How often a publisher has been let in."""

    @property
    def presentation(self) -> Presentation:
        return self.packager.presentation

    @property
    def segments(self) -> int:
        """Segments completed so far."""
        return self.presentation.segment_count


class Stream:
    """A name, and whatever is or was published under it."""

    def __init__(
        self,
        name: str,
        *,
        rules: Rules,
        patience: Patience,
        clock: Clock,
        new_epoch: Callable[[], str],
        keeper: Keeper | None = None,
    ) -> None:
        self.name = name
        self.state = State.OFFLINE
        self.since: datetime | None = None
        """When the present state began."""
        self.last_live: datetime | None = None
        """When the last session ended."""
        self.session: Session | None = None
        self.audience = Audience()
        """Those who watch over RTMP."""
        self.waiting = WaitingRoom(clock)
        """Requests that are held for what comes next."""
        self._rules = rules
        self._patience = patience
        self._clock = clock
        self._new_epoch = new_epoch
        self._keeper = keeper
        self._publisher: Publisher | None = None
        self._timer: Timer | None = None
        self._next: Sequence | None = None

    def recall(self, remembered: Remembered) -> None:
        """Go on where another process was killed; nobody may have published here before."""
        self.last_live = remembered.kept.last_live
        self._next = Sequence(*remembered.following)
        if remembered.revived is not None:
            self._revive(remembered.kept, remembered.revived)

    def attach(self, peer: str, on_closed: Callable[[str], None]) -> "Publisher":
        """Let a publisher in; one that is there already is replaced by it."""
        log.info("publisher connected", stream=self.name, peer=peer)
        if self._publisher is not None:
            self._publisher.dismiss("replaced by a newer connection to this stream")
        self._cancel_timer()
        if self.session is None or self.state is State.ENDED:
            self.session = self._new_session()
            self._enter(State.STARTING)
        elif self.state is State.LIVE:
            self._enter(State.RECONNECTING)
        self.session.segments_at_attach = self.session.segments
        self.session.publishes += 1
        health = watch(self.name, self._clock, reconnects=self.session.publishes - 1)
        self._publisher = Publisher(self, on_closed, health, self._clock.wall())
        return self._publisher

    @property
    def publisher(self) -> "Publisher | None":
        """Who publishes now."""
        return self._publisher

    def dismiss(self, reason: str) -> None:
        """Send the publisher away, if there is one; the session waits for another."""
        if self._publisher is not None:
            self._publisher.dismiss(reason)

    def close(self, reason: str) -> None:
        """Let the publisher go and publish what it sent; used when the process ends."""
        if self._publisher is not None:
            self._publisher.dismiss(reason)
        self._cancel_timer()
        self.waiting.close()

    def take(self, at: int, unit: Coded) -> None:
        """Take a unit from the publisher (only ``Publisher`` calls this)."""
        if self.session is None:
            return
        self.session.packager.push(at, unit)
        if self.state is not State.LIVE and self.session.segments > self.session.segments_at_attach:
            self._enter(State.LIVE)

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Take onMetaData (only ``Publisher`` calls this)."""
        if self.session is not None:
            self.session.packager.expect(metadata)
            self.audience.describe(metadata)

    def detach(self, *, clean: bool) -> None:
        """The publisher is gone (only ``Publisher`` calls this)."""
        log.info("publisher left", stream=self.name, said_goodbye=clean)
        self._publisher = None
        self.audience.end("The publisher has left.")
        if self.session is None:
            return
        self.session.packager.flush()
        if not self.session.segments:
            self._abandon_session()
            return
        if clean:
            self._end_session()
            return
        self._enter(State.RECONNECTING)
        self.waiting.release()
        self._timer = self._clock.call_later(self._patience.grace_s, self._end_session)

    def _new_session(self) -> Session:
        now = self._clock.wall()
        if self.session is not None:
            self._next = _sequence_after(self.session.presentation)
            self._forget_kept(self.session)
        first, epoch = self._first_sequence(now), self._new_epoch()
        presentation = Presentation(
            rules=self._rules,
            epoch=epoch,
            first_msn=first.msn,
            first_discontinuity_sequence=first.discontinuity,
            begins_with_discontinuity=self._next is not None,
        )
        packager = Packager(self._rules, presentation, self._calendar(presentation), self._wake)
        if self._keeper is None:
            return Session(packager, now)
        kept = Kept(self.name, epoch, now, self._rules, self.last_live)
        keeping = self._keeper.keep(kept, presentation)
        presentation.observe(keeping)
        return Session(packager, now, keeping)

    def _revive(self, kept: Kept, revived: Revived) -> None:
        presentation = revived.presentation
        packager = Packager(
            kept.rules,
            presentation,
            self._calendar(presentation),
            self._wake,
            start=revived.clock,
        )
        self.session = Session(packager, kept.began)
        if self._keeper is not None:
            keeping = self.session.keeping = self._keeper.keep(kept, presentation)
            keeping.resume(revived.broken_off, revived.epoch, revived.stale)
            presentation.observe(keeping)
            if not revived.is_noted:
                keeping.ended()
        if revived.ended_at is None:
            self._enter(State.RECONNECTING)
            self._timer = self._clock.call_later(self._patience.grace_s, self._end_session)
            return
        self._enter(State.ENDED)
        self.since = self.last_live = revived.ended_at
        # The wall clock may have stepped since then: it is believed within bounds.
        gone_s = (self._clock.wall() - revived.ended_at).total_seconds()
        keep_s = self._patience.keep_ended_s - max(0.0, gone_s)
        self._timer = self._clock.call_later(max(0.0, keep_s), self._forget)

    def _calendar(self, presentation: Presentation) -> Callable[[], datetime]:
        return Calendar(self._clock, presentation.redate).now

    def _wake(self) -> None:
        """Let those go on who have waited for what has just come."""
        keeping = self.session.keeping if self.session is not None else None
        if keeping is not None and len(self.waiting):
            keeping.when_kept(self.waiting.wake)
        else:
            self.waiting.wake()

    def _forget_kept(self, session: Session) -> None:
        if session.keeping is not None:
            session.keeping.forget(self.last_live)

    def _first_sequence(self, now: datetime) -> Sequence:
        """Where a session's numbers begin: after the last one's.

        A stream's first session in this process begins where the calendar has got to, counted
        in segments, so that a process that was restarted does not go back either.
        """
        if self._next is not None:
            return self._next
        return Sequence(int(now.timestamp() / self._rules.segment_s), 0)

    def _end_session(self) -> None:
        self._cancel_timer()
        if self.session is not None:
            self.session.presentation.end()
        self.last_live = self._clock.wall()
        self._enter(State.ENDED)
        self.waiting.release()
        self._timer = self._clock.call_later(self._patience.keep_ended_s, self._forget)

    def _abandon_session(self) -> None:
        """Nothing was ever shown of it, so no number was used up and nobody is told it ended."""
        if self.session is not None:
            self._forget_kept(self.session)
        self.session = None
        self._enter(State.OFFLINE)
        self.waiting.release()

    def _forget(self) -> None:
        self._cancel_timer()
        if self.session is not None:
            self._next = _sequence_after(self.session.presentation)
            self._forget_kept(self.session)
        self.session = None
        self._enter(State.OFFLINE)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since = self._clock.wall()
        log.info("stream is " + state.value, stream=self.name)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Publisher:
    """One publish of a stream; fulfils ``streams.door.Publication``.

    Once it has been dismissed or has ended, whatever it still sends is dropped: a connection that
    hangs must not feed a stream that somebody else has taken over.
    """

    def __init__(
        self,
        stream: Stream,
        on_closed: Callable[[str], None],
        health: Monitor,
        began: datetime,
    ) -> None:
        self.health = health
        """How well it comes in."""
        self.began = began
        self._stream: Stream | None = stream
        self._on_closed = on_closed
        self.units = 0
        """Pushed so far: whether it sends can be seen from that."""

    def push(self, at: int, unit: Coded) -> None:
        """Take a unit stamped ``at``; raises ``MediaError`` where it cannot be packaged."""
        self.units += 1
        if self._stream is not None:
            self.health.take(at, unit)
            self._stream.take(at, unit)

    def relay(
        self, kind: MediaKind, at: int, body: memoryview | bytes, held: tuple[Coded, ...]
    ) -> None:
        """Show a message as it came to those who watch over RTMP."""
        if self._stream is not None:
            self._stream.audience.take(kind, at, body, held)

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Take onMetaData."""
        if self._stream is not None:
            self.health.describe(metadata)
            self._stream.describe(metadata)

    def end(self, *, clean: bool) -> None:
        """The publish is over; ``clean`` if the encoder said so itself."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.detach(clean=clean)

    def dismiss(self, reason: str) -> None:
        """Send the publisher away, for a reason that it is told."""
        self.end(clean=False)
        self._on_closed(reason)


def _sequence_after(presentation: Presentation) -> Sequence:
    return Sequence(presentation.next_msn, presentation.next_discontinuity_sequence)
