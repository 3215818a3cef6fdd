"""Gates: keys in front of a registry, with time and threads in the test's hand."""

from collections.abc import Callable, Iterable
from datetime import datetime

from origin.auth.adobe import AdobeLogin
from origin.auth.gate import Gate, Surroundings
from origin.auth.keyring import KeyRing
from origin.auth.keys import StreamKey
from origin.auth.slowing import Slowing
from tests.support.clocks import FakeClock


class GateKeeper:
    """A gate, the ring behind it, and how long it made whom wait."""

    def __init__(
        self,
        keys: Iterable[StreamKey],
        clock: FakeClock | None = None,
        *,
        login: AdobeLogin | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.ring = KeyRing(keys)
        self.slowing = Slowing()
        self.waits: list[float] = []
        self.thread_calls = 0
        around = Surroundings(self._monotonic, self._wall, self._wait, self._in_thread)
        self.gate = Gate(self.ring, around, slowing=self.slowing, login=login)

    def _monotonic(self) -> float:
        return self.clock.monotonic()

    def _wall(self) -> datetime:
        return self.clock.wall()

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)

    async def _in_thread(self, work: Callable[[], None]) -> None:
        self.thread_calls += 1
        work()
