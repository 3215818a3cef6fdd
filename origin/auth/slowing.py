"""Repeated failures from one address are slowed.

Each wrong key makes the next wish from its address wait a little longer before it is decided, up
to a bound that leaves the listener time to decide at all. Right keys wait like wrong ones, for a
guesser who could tell them apart by the time would not wait; but they are never refused for it,
and a key that has been let in from an address before does not wait there: a publisher behind the
same router as somebody who guesses comes back at once.

Wishes that are being decided count as failures for those that come meanwhile, so nothing is won
by asking many times at once. An IPv6 address counts by its first 64 bits, which is what one
customer has (RFC 6177). The memory is bounded: who has so many addresses that the oldest are
forgotten was not to be slowed by address anyway.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 4.0
"""Less than the time in which a publish has to be decided (``IngestSettings.decision_s``)."""

FORGOTTEN_AFTER_S = 600.0
"""Without a failure."""

MOST_ADDRESSES = 4096
"""Remembered; the one that was heard of longest ago is forgotten first."""

MOST_TRUSTED = 64
"""Keys that are remembered as let in from one address."""

_IPV6_CUSTOMER_BITS = 64


@dataclass(slots=True)
class _Record:
    """What is known about one address."""

    failures: int = 0
    deciding: int = 0
    failed_at: float = 0.0
    trusted: OrderedDict[bytes, None] = field(default_factory=OrderedDict[bytes, None])


class Slowing:
    """Counts failures by address and says how long to wait. Time is given in."""

    def __init__(self, longest_delay_s: float = LONGEST_DELAY_S) -> None:
        self._longest_s = longest_delay_s
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def begin(self, address: str, now: float) -> float:
        """A wish comes from ``address``; how long it has to wait. ``end`` it, however it ends."""
        record = self._record(address)
        if record.failures and now - record.failed_at > FORGOTTEN_AFTER_S:
            record.failures = 0
        delay = self._delay_after(record.failures + record.deciding) if record.failures else 0.0
        record.deciding += 1
        return delay

    def end(self, address: str, now: float, *, failed: bool) -> None:
        """It has been decided."""
        record = self._record(address)
        record.deciding = max(record.deciding - 1, 0)
        if failed:
            record.failures += 1
            record.failed_at = now

    def trust(self, address: str, digest: bytes) -> None:
        """The key with this digest was let in from there."""
        trusted = self._record(address).trusted
        trusted[digest] = None
        trusted.move_to_end(digest)
        while len(trusted) > MOST_TRUSTED:
            trusted.popitem(last=False)

    def trusts(self, address: str, digest: bytes) -> bool:
        """Whether that key was let in from there before."""
        record = self._records.get(_customer(address))
        return record is not None and digest in record.trusted

    def _delay_after(self, failures: int) -> float:
        doubled = FIRST_DELAY_S * 2.0 ** min(failures - 1, 16)
        return min(doubled, self._longest_s)

    def _record(self, address: str) -> _Record:
        customer = _customer(address)
        record = self._records.get(customer)
        if record is None:
            record = self._records[customer] = _Record()
        self._records.move_to_end(customer)
        while len(self._records) > MOST_ADDRESSES:
            self._records.popitem(last=False)
        return record


def _customer(address: str) -> str:
    """Whom an address belongs to, as far as an address tells."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # no IP at all: whatever it is, it is one of a kind
        return address[:64]
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, _IPV6_CUSTOMER_BITS), strict=False))
