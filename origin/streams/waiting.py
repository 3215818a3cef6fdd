"""Who waits for what: requests that are held until a stream has come far enough.

::

    hold(is_over, within_s) --> Hold, a future of an Outcome
                                  READY       it is over: ``wake`` found it so
                                  RELEASED    it may never be: answer with what is true now
                                  TIMED_OUT   it took too long
                                  CLOSED      the process is ending
                                  LEFT        whoever waited has gone

``wake`` is called at every part of the stream and asks each hold whether it is over; where
nobody waits it does nothing, and nobody is woken for nothing. A hold lasts until it has its
outcome, whatever that is, and then nothing of it stays behind: no timer, no entry.

All of this belongs to one stream and runs in the event loop's thread. Who holds a request looks
at the stream again after it: between ``wake`` and the holder's turn more may have happened.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto

from origin.streams.clock import Clock


class Outcome(Enum):
    """Why a hold is over."""

    READY = auto()
    RELEASED = auto()
    TIMED_OUT = auto()
    CLOSED = auto()
    LEFT = auto()


class Hold:
    """One request that is held."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        self._is_over = is_over
        self._future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def outcome(self) -> Outcome:
        """Wait for it."""
        return await self._future

    def leave(self) -> None:
        """Whoever waited has gone."""
        self.end(Outcome.LEFT)

    def end(self, outcome: Outcome) -> None:
        """Say how it ended; only the first one counts."""
        if not self._future.done():
            self._future.set_result(outcome)

    def wake(self) -> None:
        """Look whether it is over."""
        if self._is_over():
            self.end(Outcome.READY)

    def when_done(self, forget: Callable[["Hold"], None]) -> None:
        """Have ``forget`` called once there is an outcome, or nobody waits for one any more."""
        self._future.add_done_callback(lambda _: forget(self))


class WaitingRoom:
    """All that is held on one stream."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holds: set[Hold] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._holds)

    def hold(self, is_over: Callable[[], bool], within_s: float) -> Hold:
        """Hold a request that is not over yet, for ``within_s`` at most."""
        hold = Hold(is_over)
        if self._is_closed:
            hold.end(Outcome.CLOSED)
            return hold
        self._holds.add(hold)
        timer = self._clock.call_later(within_s, lambda: hold.end(Outcome.TIMED_OUT))

        def forget(done: Hold) -> None:
            timer.cancel()
            self._holds.discard(done)

        hold.when_done(forget)
        return hold

    def wake(self) -> None:
        """The stream has gone on: let those go who waited for that."""
        for hold in self._holds:
            hold.wake()

    def release(self) -> None:
        """Nothing may come any more: let everyone go."""
        for hold in self._holds:
            hold.end(Outcome.RELEASED)

    def close(self) -> None:
        """The process is ending: let everyone go, and hold nobody again."""
        self._is_closed = True
        for hold in self._holds:
            hold.end(Outcome.CLOSED)
