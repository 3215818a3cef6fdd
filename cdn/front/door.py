"""Who may come in: limits on connections, in total and from one address.

One for each edge process. The limit per address is off by default: whole cities reach an edge
from the few addresses of a carrier, and everybody comes from one behind a balancer.
"""

import resource
from collections import Counter
from collections.abc import Hashable

from cdn.front.parcels import MOST_FILES

RESERVED_DESCRIPTORS = 64 + MOST_FILES
"""For the process itself: its loop, its listener, metrics, logs, libraries, and shared answers."""


def most_connections(wanted: int, origin_connections: int) -> int:
    """Return how many viewers there may be: ``wanted``, or as many as there are descriptors for.

    A process without descriptors cannot even refuse a connection; so it stops before.
    """
    if wanted:
        return wanted
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return 0
    return max(1, descriptors - origin_connections - RESERVED_DESCRIPTORS)


class Door:
    """Counts connections; nought is no limit."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._inside: dict[Hashable, str] = {}
        self._by_address: Counter[str] = Counter()
        self.turned_away = 0

    @property
    def most(self) -> int:
        """How many connections there may be; nought is no limit."""
        return self._most

    @property
    def wants_addresses(self) -> bool:
        """Whether it matters where a connection comes from."""
        return self._most_per_address > 0

    def admit(self, guest: Hashable, inside: int, address: str) -> bool:
        """Say whether a connection may come in where ``inside`` are; remember where it is from."""
        is_full = bool(self._most) and inside >= self._most
        if is_full or (
            self.wants_addresses and self._by_address[address] >= self._most_per_address
        ):
            self.turned_away += 1
            return False
        if self.wants_addresses:
            self._inside[guest] = address
            self._by_address[address] += 1
        return True

    def limit(self, most: int, most_per_address: int) -> None:
        """Change the limits; who is inside stays."""
        self._most = most
        self._most_per_address = most_per_address

    def hand_over(self, guest: Hashable, successor: Hashable) -> None:
        """Let another object stand for a connection."""
        if guest in self._inside:
            self._inside[successor] = self._inside.pop(guest)

    def leave(self, guest: Hashable) -> None:
        """Forget a connection."""
        address = self._inside.pop(guest, None)
        if address is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
