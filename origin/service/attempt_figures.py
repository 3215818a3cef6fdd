"""Metrics of who asks to publish: how many came in, how many did not, and how many had to wait."""

from origin.auth.attempts import AttemptLog
from origin.auth.gate import Gate
from origin.observe.metrics import Family, counter, counter_by


def attempt_families(attempts: AttemptLog, gate: Gate | None) -> list[Family]:
    """The families of this moment; ``gate`` is None where publishing is open."""
    return [
        counter_by(
            "outcome",
            "tidecast_publish_attempts",
            "Wishes to publish, by what came of them.",
            {outcome.value: count for outcome, count in attempts.counts.items()},
        ),
        counter(
            "tidecast_publish_slowed",
            "Wishes to publish that had to wait for wrong keys of the same address.",
            gate.slowed if gate is not None else 0,
        ),
    ]
