"""The log of attempts: who asked to publish of late, and what came of it.

An encoder says "failed to connect" and no more; here its owner reads why. Nothing in it opens
anything: what was asked has been masked before it comes here (``origin.auth.asking``), and the
hints name streams only. The log is bounded, and an encoder that tries again every few seconds
takes one line of it: the same answer to the same question from the same address is counted.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

MOST_ATTEMPTS = 200
_LOOKED_BACK = 20
"""Lines among which the same attempt is looked for."""


class Outcome(Enum):
    """What came of it; the values are what the API says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One wish to publish, or several that were alike."""

    at: datetime
    """The first of them."""
    address: str
    asked: str
    """App and publish name, masked."""
    encoder: str
    outcome: Outcome
    stream: str | None = None
    """Which stream it led to; None if none."""
    reason: str = ""
    """What the encoder was told."""
    hint: str = ""
    """What else can be said to whoever runs the server."""
    last_at: datetime | None = None
    """The last of them; None if there was one."""
    times: int = 1


class AttemptLog:
    """The last attempts, and how many there were of each outcome."""

    def __init__(self, most: int = MOST_ATTEMPTS) -> None:
        self._attempts: deque[Attempt] = deque(maxlen=most)
        self.counts = dict.fromkeys(Outcome, 0)
        """Since the start, those included that are no longer in the log."""

    def note(self, attempt: Attempt) -> None:
        """Keep ``attempt``; one that is like an earlier one is added to it."""
        self.counts[attempt.outcome] += 1
        newest = range(len(self._attempts) - 1, -1, -1)[:_LOOKED_BACK]
        for index in newest:
            earlier = self._attempts[index]
            if _question(earlier) == _question(attempt):
                del self._attempts[index]
                attempt = replace(
                    earlier, last_at=attempt.at, times=earlier.times + 1, hint=attempt.hint
                )
                break
        self._attempts.append(attempt)

    def __len__(self) -> int:
        return len(self._attempts)

    def __iter__(self) -> Iterator[Attempt]:
        """The newest first."""
        return iter(reversed(self._attempts))


def _question(attempt: Attempt) -> tuple[object, ...]:
    """What makes attempts alike."""
    return (
        attempt.address,
        attempt.asked,
        attempt.encoder,
        attempt.outcome,
        attempt.stream,
        attempt.reason,
    )
