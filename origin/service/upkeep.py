"""Upkeep of the origin process: what it watches about itself, and what ``/metrics`` says of that.

Whether the loop keeps up, whether file descriptors last, and whether there is memory for one more
publisher. Each has its own module; here they are tied to the listener, started and ended together.
"""

from origin.ingest.listener import RtmpListener
from origin.observe.durations import Durations
from origin.observe.lag import LoopLag
from origin.observe.metrics import Family, Histogram, gauge
from origin.service.descriptors import DescriptorWatch, raise_limit
from origin.service.memory_budget import MemoryBudget, mib, used_bytes
from origin.streams.clock import Clock


class Upkeep:
    """Started once the loop runs; ``shortage`` is why nobody new can come, if so."""

    def __init__(self, listener: RtmpListener, clock: Clock, memory_mib: int) -> None:
        self._listener = listener
        self._clock = clock
        self._lags = Durations()
        self._lag = LoopLag(clock, self._lags.add)
        self._budget = MemoryBudget(mib(memory_mib))
        self._descriptors = DescriptorWatch(listener.pause, listener.resume)
        listener.refuse_publishers_when(self._budget.shortage)

    @property
    def shortage(self) -> str | None:
        return self._descriptors.shortage

    def start(self) -> None:
        raise_limit()
        self._lag.start()
        self._descriptors.start()

    async def stop(self) -> None:
        self._lag.stop()
        await self._descriptors.stop()

    def read(self) -> list[Family | Histogram]:
        """The families of this moment."""
        now, gaps = self._clock.monotonic(), self._listener.gaps
        return [
            Histogram(
                "tidecast_event_loop_lag_seconds",
                "How late a timer of 50 ms runs in the event loop.",
                self._lags,
            ),
            Histogram(
                "tidecast_rtmp_read_gap_seconds",
                "How long live publishers go unread; 50 ms is the rule.",
                gaps,
            ),
            gauge(
                "tidecast_event_loop_lag_max_seconds",
                "The event loop's longest lag of the last minute.",
                self._lags.longest_s(now),
            ),
            gauge(
                "tidecast_rtmp_read_gap_max_seconds",
                "The longest that live publishers went unread in the last minute.",
                gaps.longest_s(now),
            ),
            gauge(
                "tidecast_memory_used_bytes",
                "Memory of the origin process, without what it shares with others.",
                used_bytes(),
            ),
            gauge(
                "tidecast_memory_budget_bytes",
                "What it may use; new publishers are refused at 80 % of it.",
                self._budget.budget_bytes,
            ),
            gauge(
                "tidecast_rtmp_accepting",
                "0 while new connections wait, because file descriptors have run out.",
                self._descriptors.shortage is None,
            ),
        ]
