"""Metrics of what is written behind: what is kept over a restart, what waits, and what was lost.

What they are for is the disk that is full or slow: nobody who watches notices anything of it,
until the process ends and cannot go on where it was.
"""

from collections.abc import Iterator

from origin.observe.metrics import Family, Kind
from origin.store.writer import Writer


def store_families(writer: Writer) -> Iterator[Family]:
    """The families of this moment; streams are labelled by name."""
    totals = writer.stock.totals.copy()
    yield Family(
        "tidecast_store_segments",
        "Segments of a stream that are kept.",
        Kind.GAUGE,
        {(stream,): float(total.segments) for stream, total in totals.items()},
        ("stream",),
    )
    yield Family(
        "tidecast_store_bytes",
        "What they take of the disk.",
        Kind.GAUGE,
        {(stream,): float(total.bytes) for stream, total in totals.items()},
        ("stream",),
    )
    yield Family(
        "tidecast_store_waiting_bytes",
        "What waits to be written.",
        Kind.GAUGE,
        {(): float(writer.waiting_bytes)},
    )
    yield Family(
        "tidecast_store_troubled_streams",
        "Streams that go on and are not kept.",
        Kind.GAUGE,
        {(): float(writer.troubled)},
    )
    yield Family(
        "tidecast_store_given_up",
        "Segments and notes that could not be written whole, by what was in the way.",
        Kind.COUNTER,
        {(kind,): float(count) for kind, count in writer.given_up.items()},
        ("error",),
    )
    failure = writer.last_failure
    yield Family(
        "tidecast_store_last_failure_timestamp_seconds",
        "When that happened last; 0 if never.",
        Kind.GAUGE,
        {(): failure.at_s if failure is not None else 0.0},
    )
