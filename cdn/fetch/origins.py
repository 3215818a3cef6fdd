"""Which origin is asked for which stream, given who is well: decisions only.

An origin is known by its place in the settings' list. It counts as down after ``down_after``
failures in a row (fetches and probes count alike) and as well again after ``up_after`` good
answers in a row, so that one lost packet moves nobody, and an origin that is just coming back is
not trusted at its first word::

    WELL ──down_after failures in a row──> DOWN ──up_after good answers in a row──> WELL

Two ways to choose:

- in order: the first that is well. The next ones are there for its bad days.
- by stream: each stream ranks all origins by a hash of both names (rendezvous hashing: Thaler and
  Ravishankar, 1998). All edges find the same ranking without talking, so a stream's requests meet
  in one shield; when one of N goes, only its own streams move, and spread over all the others.

Nobody well is no reason to ask nobody: then the ranking stands as it is, and the first is the best
guess that there is.

One more thing is remembered, for a while: where a stream was found that the first origin did not
know. Without it, each of the stream's objects would be asked for twice.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import blake2b

FOUND_ELSEWHERE_S = 10.0
"""How long a stream is asked for where it was found; then the first origin has its chance again."""

MOST_FOUND_ELSEWHERE = 1024
"""Streams of which that is remembered; names come from viewers, so there has to be an end."""


class Choice(Enum):
    """How one of several origins is chosen; the values are the setting's."""

    IN_ORDER = "in-order"
    BY_STREAM = "by-stream"


class Turn(Enum):
    """What a report has changed."""

    NOTHING = auto()
    WENT_DOWN = auto()
    CAME_BACK = auto()


@dataclass(slots=True)
class Condition:
    """How one origin is doing; the counts are of answers in a row."""

    is_well: bool = True
    good: int = 0
    bad: int = 0


class Origins:
    """The conditions of all origins, and the order in which each stream asks them."""

    def __init__(
        self, names: tuple[str, ...], choice: Choice, down_after: int, up_after: int
    ) -> None:
        self._names = names
        self._choice = choice
        self._down_after = down_after
        self._up_after = up_after
        self._conditions = [Condition() for _ in names]
        self._found: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def is_well(self, origin: int) -> bool:
        return self._conditions[origin].is_well

    def answered(self, origin: int) -> Turn:
        """Note a good answer, of whatever kind."""
        condition = self._conditions[origin]
        condition.good, condition.bad = condition.good + 1, 0
        if condition.is_well or condition.good < self._up_after:
            return Turn.NOTHING
        condition.is_well = True
        return Turn.CAME_BACK

    def failed(self, origin: int) -> Turn:
        """Note that there was no answer, or only a part of one."""
        condition = self._conditions[origin]
        condition.good, condition.bad = 0, condition.bad + 1
        if not condition.is_well or condition.bad < self._down_after:
            return Turn.NOTHING
        condition.is_well = False
        return Turn.WENT_DOWN

    def ranking(self, stream: str, now: float) -> list[int]:
        """Return all origins, the one to be asked first at the head."""
        ranked = list(range(len(self._names)))
        if self._choice is Choice.BY_STREAM:
            ranked.sort(key=lambda origin: _weight(self._names[origin], stream), reverse=True)
        found = self._found_at(stream, now)
        return sorted(ranked, key=lambda origin: (not self.is_well(origin), origin != found))

    def found(self, stream: str, origin: int, now: float) -> None:
        """Remember who knows a stream that the first one asked does not."""
        self._found[stream] = (origin, now + FOUND_ELSEWHERE_S)
        self._found.move_to_end(stream)
        if len(self._found) > MOST_FOUND_ELSEWHERE:
            self._found.popitem(last=False)

    def _found_at(self, stream: str, now: float) -> int | None:
        origin, until = self._found.get(stream, (None, 0.0))
        return origin if now < until else None


def stream_of(target: str) -> str:
    """Return the first segment of a path: all of a stream's addresses begin with its name."""
    return target.split("/", 2)[1].partition("?")[0]


def _weight(origin: str, stream: str) -> bytes:
    # Not hash(): its seed differs from process to process, and edges would not meet.
    return blake2b(f"{origin} {stream}".encode(), digest_size=8).digest()
