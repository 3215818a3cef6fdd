"""What a presentation tells whoever keeps a session: enough to make the same one again.

Nothing that is served is handed out, but what it was made of; see ``hls.memory`` for the rest.
"""

from datetime import datetime
from typing import Protocol

from origin.hls.cuts import PartReady
from origin.hls.memory import Memory


class Observer(Protocol):
    """Told of everything that a session is made of, when it is in it.

    Whoever does the same with another presentation, from any beginning of a segment on, has the
    same session.
    """

    def segment_begins(self, memory: Memory) -> None:
        """A segment begins; this is what was before it."""

    def part_added(self, part: PartReady, at: datetime) -> None:
        """A part is in all renditions; it was taken at ``at``."""

    def segment_ended(self) -> None:
        """The open segment is complete, and listed."""

    def ended(self) -> None:
        """Nothing comes any more; what is listed stays."""
