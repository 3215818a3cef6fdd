"""What a bandwidth test has shown: how much came through, how late, and what may be sent at most.

An encoder sends at the rate that it is set to, so a test shows that the uplink carries that much,
or that it does not. It never shows how much more it would carry.
"""

from dataclasses import dataclass

from origin.observe.health.arrival import RISE_MS
from origin.observe.health.bitrate import safe_kbits
from origin.observe.health.second import BITS

LONG_ENOUGH_S = 10.0
"""An uplink's queue takes seconds to fill."""

MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Uplink:
    """What was measured."""

    seconds: float
    received_bytes: int
    """Of audio and video, all tracks."""
    worst_lag_ms: float
    """Arrival, over the least of the minute before."""

    @property
    def bitrate(self) -> float:
        """Bits per second."""
        return self.received_bytes * BITS / self.seconds if self.seconds > 0 else 0.0

    @property
    def is_conclusive(self) -> bool:
        return self.seconds >= LONG_ENOUGH_S and self.received_bytes > 0

    @property
    def carried_all(self) -> bool:
        """Whether everything came as fast as it was sent."""
        return self.worst_lag_ms <= RISE_MS

    @property
    def safe_kbits(self) -> int | None:
        """What to set the encoder to at most; None if nobody knows."""
        return safe_kbits(self.bitrate) if self.is_conclusive else None

    @property
    def sentence(self) -> str:
        """The result in words."""
        measured = (
            f"{self.bitrate / MEGA:.1f} Mbit/s over {self.seconds:.0f} s, "
            f"lag {self.worst_lag_ms:.0f} ms"
        )
        if not self.is_conclusive:
            return f"{measured}: let the test run for {LONG_ENOUGH_S:.0f} s at least."
        if self.carried_all:
            return (
                f"{measured}: {self.safe_kbits} kbit/s is safe. The uplink carried all that was "
                "sent; a test at a higher bitrate would show whether it carries more."
            )
        return f"{measured}: the uplink takes no more than that, {self.safe_kbits} kbit/s is safe."
