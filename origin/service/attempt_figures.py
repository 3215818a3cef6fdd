"""Metrics of who asks to publish: how many came in, how many did not, and how many had to wait."""

from collections.abc import Iterator

from origin.auth.attempts import AttemptLog
from origin.auth.gate import Gate
from origin.observe.metrics import Family, Kind


def attempt_families(attempts: AttemptLog, gate: Gate | None) -> Iterator[Family]:
    """The families of this moment; ``gate`` is None where publishing is open."""
    yield Family(
        "tidecast_publish_attempts",
        "Wishes to publish, by what came of them.",
        Kind.COUNTER,
        {(outcome.value,): float(count) for outcome, count in attempts.counts.items()},
        ("outcome",),
    )
    yield Family(
        "tidecast_publish_slowed",
        "Wishes to publish that had to wait for wrong keys of the same address.",
        Kind.COUNTER,
        {(): float(gate.slowed if gate is not None else 0)},
    )
