"""Further turns for those who are not publishing: one at a time, so many in a second.

What a stranger sends is read at once, for as much as one turn may cost; encoders need less than
half of that for all that they say. Whoever wants more of the loop's time stands here, with
everybody else who does: strangers and players, from whatever addresses. So all of them together
cost the loop one turn now and then, however many they are and however much they send. Publishers
who are live never stand here.
"""

import asyncio
from typing import Protocol


class Peer(Protocol):
    """A connection that has more to read than one turn allows."""

    def on_turn(self) -> None:
        """Take another one."""
        ...


class Queue:
    """Calls whoever waits, in the order in which they came."""

    def __init__(self, turns_per_s: float) -> None:
        self._every_s = 1 / turns_per_s
        self._waiting: dict[Peer, None] = {}
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, peer: Peer) -> None:
        """Have ``peer`` called when it is its turn: at once, where nobody has had one of late."""
        self._waiting[peer] = None
        if self._timer is None:
            self._set_timer()

    def leave(self, peer: Peer) -> bool:
        """Call ``peer`` no more; whether it was waiting."""
        if peer not in self._waiting:
            return False
        del self._waiting[peer]
        return True

    def _call_next(self) -> None:
        self._timer = None
        self._next_at = asyncio.get_running_loop().time() + self._every_s
        if (peer := next(iter(self._waiting), None)) is not None:
            del self._waiting[peer]
            peer.on_turn()
        if self._waiting and self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(max(loop.time(), self._next_at), self._call_next)
