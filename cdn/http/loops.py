"""Requests that go in circles, and how they are noticed (CDN-Loop; RFC 8586).

An edge may have another edge for its origin, and so a mistake in two settings files makes two
edges each other's origin: a request for what neither has would go round until something gives
way. Each edge therefore signs the requests that it makes with a name of its own, behind the names
that stood there already, and refuses a request that bears its name with 508.

The names that a request came with travel to the fetch that it starts as a context variable: the
cache lies between, and files answers under keys in which such things have no part. Requests that
join a fetch under way add nothing to it. Two edges that ask each other for one key at the same
moment, each for viewers of its own, therefore wait for each other until time is over
(``origin.first_byte_timeout_s``), once; whoever asks next is told.

These names are all that goes on of what a client has sent beside the key, and everybody who waits
gets the answer. A field that an origin might refuse, for its length above all, is taken for a
circle, too: passed on, it would be one client's way to have all others refused.
"""

from contextvars import ContextVar

FIELD = b"cdn-loop"

PSEUDONYM = "tidecast"
"""The name of an edge that was given none (tests, mostly); each process that serves is given one
that no other has, see ``workers``."""

MOST_CACHES = 16
"""Tiers behind tiers: two or three make sense, and more than this is a circle of other people's."""

LONGEST_BYTES = 1024
"""Of the field: names have a dozen bytes or two, and servers take 4 to 64 KiB of a whole head."""

CAME_THROUGH: ContextVar[bytes] = ContextVar("CAME_THROUGH", default=b"")
"""The CDN-Loop field of the request that is being answered."""


def caches_in(field: bytes) -> list[str]:
    """Return the names in a CDN-Loop field, without their parameters (RFC 8586, 2)."""
    members = (member.partition(b";")[0].strip() for member in field.split(b","))
    return [member.decode("latin-1") for member in members if member]


def is_loop(field: bytes, name: str) -> bool:
    """Say whether a request has been through the edge of this name already, or nearly for ever."""
    caches = caches_in(field)
    is_endless = len(caches) >= MOST_CACHES or len(field) > LONGEST_BYTES
    return name in caches or is_endless or not field.isascii()


def extended(field: bytes, name: str) -> str:
    """Return the field with this edge's name behind the others (RFC 8586, 2: none is removed)."""
    before = field.decode("latin-1").strip()
    return f"{before}, {name}" if before else name
