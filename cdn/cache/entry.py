"""What the cache holds: answers with their times, and how a viewer came by one.

Values only. ``store`` keeps entries, ``cache`` decides about them, ``front`` writes them out.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from cdn.cache.body import Body
from cdn.http.keys import Key
from cdn.http.message import Head

ENTRY_OVERHEAD_BYTES = 1024
"""What an entry costs beside its bytes: 960 were measured, for an answer with four headers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its times on the cache's clock.

    Until ``ask_at`` it is served without asking the origin: while it is fresh or, ``standing_in``
    for an origin that failed, a little longer. After ``stale_until`` it may not stand in.
    """

    key: Key
    head: Head
    body: Body
    storable: bool
    born_at: float
    ask_at: float
    fresh_until: float
    stale_until: float
    standing_in: bool = False

    @property
    def cost(self) -> int:
        headers = sum(len(name) + len(value) for name, value in self.head.headers)
        return self.body.size + headers + len(self.key.target) + ENTRY_OVERHEAD_BYTES

    @property
    def stale_for_s(self) -> float:
        """How long after its lifetime it may stand in."""
        return self.stale_until - self.fresh_until


class Outcome(Enum):
    """How a request was answered; the values are the metrics' label."""

    HIT = "hit"
    STALE = "stale"
    MISS = "miss"
    MISS_JOINED = "miss_collapsed"
    EXPIRED = "expired"
    EXPIRED_JOINED = "expired_collapsed"


class Found(NamedTuple):
    """An answer, and how it was come by. Those who waited together get one and the same."""

    entry: Entry
    outcome: Outcome
