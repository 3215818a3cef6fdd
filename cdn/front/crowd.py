"""Those who have sent the same bytes and wait for the same flight: together they are one waiter.

Ten thousand viewers of one stream wait for the same playlist, and get the same answer. To the
flight their crowd is one that waits; when it lands, the answer is rendered once, and what is left
to do for each of them is to write it. Who came first is served first. The first of all who asked is
not in the crowd, but joined the flight on its own account, and is answered before it.

A member that leaves is taken out of the crowd, and a crowd of nobody out of the flight; a member
that is lost while the crowd is being answered (one answer may lead to anything) waits for it no
more. The answer says to the second how old it is, so it is asked for anew after every ``BATCH``.
"""

from collections.abc import Callable
from typing import Protocol

import structlog

from cdn.cache.entry import Found
from cdn.cache.flight import UNANSWERED, Flight
from cdn.errors import OriginFailed
from cdn.front.renderings import Again
from cdn.front.request import LONGEST_REMEMBERED_BYTES, Request

MOST = 2048
"""How many crowds may gather: beyond that they are forgotten, and others gather anew."""

BATCH = 256
"""How many are answered alike before the clock is looked at again: some three milliseconds."""

_log: structlog.typing.FilteringBoundLogger = structlog.get_logger("edge")


class Member(Protocol):
    """One connection in a crowd."""

    def is_in(self, crowd: "Crowd") -> bool:
        """Say whether it still waits with this crowd."""
        ...

    def on_again(self, again: Again, crowd: "Crowd") -> bool:
        """Write what all get; say whether it was that which was written."""
        ...

    def on_found(self, found: Found) -> None: ...
    def on_failure(self, failure: OriginFailed) -> None: ...


AgainFor = Callable[[Found, Request], Again | None]
"""Gives what all get alike; nothing where each must be answered on its own."""


class Crowd:
    """A request that is waiting for its flight, and those who have sent the same bytes since."""

    __slots__ = ("_again_for", "_members", "flight", "request")

    def __init__(self, request: Request, flight: Flight, again_for: AgainFor) -> None:
        self.request = request
        self.flight = flight
        self._again_for = again_for
        self._members: dict[Member, None] = {}

    def join(self, member: Member) -> None:
        """Let one more wait."""
        if self._members:
            self.flight.waiting.count += 1
        else:
            self.flight.join(self)
        self._members[member] = None

    def leave(self, member: Member) -> None:
        """Forget a member, if it still waits."""
        if member not in self._members:
            return
        del self._members[member]
        if self._members:
            self.flight.waiting.count -= 1
        else:
            self.flight.leave(self)

    def on_found(self, found: Found) -> None:
        """Answer all of them."""
        members = self._dissolve()
        for begin in range(0, len(members), BATCH):
            again = self._again_for(found, self.request)
            batch = members[begin : begin + BATCH]
            if again is None:
                self._tell(batch, lambda member: member.on_found(found))
            else:
                self._write(batch, again)

    def on_failure(self, failure: OriginFailed) -> None:
        """Tell all of them that there is nothing."""
        self._tell(self._dissolve(), lambda member: member.on_failure(failure))

    def _dissolve(self) -> list[Member]:
        # The flight has taken its one waiter off the count.
        members, self._members = list(self._members), {}
        self.flight.waiting.count -= len(members) - 1
        return members

    def _write(self, members: list[Member], again: Again) -> None:
        written = 0
        for member in members:
            try:
                written += member.on_again(again, self)
            except Exception:
                _log.exception(UNANSWERED)
        again.tally.requests += written
        again.tally.sent_bytes += written * again.body_bytes

    def _tell(self, members: list[Member], tell: Callable[[Member], None]) -> None:
        for member in members:
            try:
                if member.is_in(self):
                    tell(member)
            except Exception:
                _log.exception(UNANSWERED)


class Crowds:
    """All crowds of one edge process, by the bytes that their members have sent."""

    def __init__(self, again_for: AgainFor) -> None:
        self._again_for = again_for
        self._crowds: dict[bytes, Crowd] = {}

    def find(self, data: bytes) -> Crowd | None:
        """Return who waits for what these bytes ask for, if anybody does and it may be joined."""
        crowd = self._crowds.get(data)
        return crowd if crowd is not None and crowd.flight.is_open else None

    def gather(self, data: bytes, request: Request, flight: Flight) -> None:
        """Let whoever sends these bytes from now on wait together."""
        if len(data) > LONGEST_REMEMBERED_BYTES or request.closes or request.if_none_match:
            return
        if len(self._crowds) >= MOST:
            self._crowds.clear()
        self._crowds[data] = Crowd(request, flight, self._again_for)

    def forget(self) -> None:
        """Let go of those who wait no more."""
        self._crowds = {data: crowd for data, crowd in self._crowds.items() if crowd.flight.is_open}
