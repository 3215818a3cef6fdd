"""Metrics of what is written behind: what is kept over a restart, what waits, and what was lost.

What they are for is the disk that is full or slow: nobody who watches notices anything of it,
until the process ends and cannot go on where it was.
"""

from origin.observe.metrics import Family, counter_by, gauge, gauge_by
from origin.store.writer import Writer


def store_families(writer: Writer) -> list[Family]:
    """The families of this moment; streams are labelled by name."""
    totals, failure = writer.stock.totals.copy(), writer.last_failure
    return [
        gauge_by(
            "stream",
            "tidecast_store_segments",
            "Segments of a stream that are kept.",
            {stream: total.segments for stream, total in totals.items()},
        ),
        gauge_by(
            "stream",
            "tidecast_store_bytes",
            "What they take of the disk.",
            {stream: total.bytes for stream, total in totals.items()},
        ),
        gauge(
            "tidecast_store_waiting_bytes",
            "What waits to be written.",
            writer.waiting_bytes,
        ),
        gauge(
            "tidecast_store_troubled_streams",
            "Streams that go on and are not kept.",
            writer.troubled,
        ),
        counter_by(
            "error",
            "tidecast_store_given_up",
            "Segments and notes that could not be written whole, by what was in the way.",
            writer.given_up,
        ),
        gauge(
            "tidecast_store_last_failure_timestamp_seconds",
            "When that happened last; 0 if never.",
            failure.at_s if failure is not None else 0.0,
        ),
    ]
