"""What a session has to tell its caller: wishes to decide on, media, and ends.

``Media`` and ``Metadata`` are messages as well as events and live in ``messages``. All of them
are named tuples: some are made per frame.
"""

from typing import NamedTuple, TypeAlias

from origin.rtmp.messages import Media, Metadata


class PublishRequested(NamedTuple):
    """A wish to publish: answer it with ``accept`` or ``reject`` and this ``request_id``."""

    request_id: int
    app: str
    name: str
    """The publish name as it was sent, its query removed. It may be the key: never log it."""
    query: str
    """What follows the first "?" of the publish name."""
    tc_url: str
    encoder: str


class PublishEnded(NamedTuple):
    """The accepted publish is over; ``clean`` if the encoder said so itself."""

    clean: bool


class PlayRequested(NamedTuple):
    """A wish to watch: answer it with ``play`` or ``reject`` and this ``request_id``."""

    request_id: int
    name: str
    """The public name of a stream, its query removed."""


class PlayEnded(NamedTuple):
    """Whoever was let in to watch is gone."""


class TurnSpent(NamedTuple):
    """Enough work for one turn of the loop: let others have theirs, then ask again."""


Event: TypeAlias = (
    PublishRequested | Media | Metadata | PublishEnded | PlayRequested | PlayEnded | TurnSpent
)
