"""What ``/metrics`` says: read off the listener and the streams when somebody asks."""

from collections.abc import Iterable, Iterator, Mapping

from origin.http.summary import Summary, summarize
from origin.ingest.shared import Counters
from origin.observe.metrics import Family, Kind
from origin.service.ingest_figures import ingest_families
from origin.streams.stream import State, Stream


def read_figures(streams: Iterable[Stream], counters: Counters) -> Iterator[Family]:
    """The families of this moment; streams are labelled by name, never by key."""
    yield from _listener_families(counters)
    known = list(streams)
    summaries = {stream.name: summarize(stream) for stream in known}
    yield Family(
        "tidecast_stream_state",
        "1 for the state that a stream is in, 0 for the others.",
        Kind.GAUGE,
        {
            (name, state.value): float(summary.state == state.value)
            for name, summary in summaries.items()
            for state in State
        },
        ("stream", "state"),
    )
    yield _per_stream(
        "tidecast_stream_bitrate_bits_per_second",
        "Average bit rate of a stream over its session.",
        {name: summary.bitrate for name, summary in summaries.items()},
    )
    yield _per_stream(
        "tidecast_stream_segments",
        "Media segments completed in the present session.",
        _segments(summaries),
    )
    yield _per_stream(
        "tidecast_stream_held_requests",
        "Requests that wait for the next part or segment of a stream.",
        {stream.name: len(stream.waiting) for stream in known},
    )
    yield from ingest_families(known)


def _listener_families(counters: Counters) -> Iterator[Family]:
    for name, text, value in (
        ("tidecast_rtmp_connections", "RTMP connections accepted.", counters.accepted),
        ("tidecast_rtmp_refused", "RTMP connections and publishes refused.", counters.refused),
        ("tidecast_rtmp_broken", "RTMP connections closed for what they did.", counters.broken),
        ("tidecast_rtmp_received_bytes", "Bytes received over RTMP.", counters.bytes_in),
    ):
        yield Family(name, text, Kind.COUNTER, {(): float(value)})
    text = "Players over RTMP now."
    yield Family("tidecast_rtmp_players", text, Kind.GAUGE, {(): float(counters.players)})
    text = "RTMP connections open now."
    yield Family("tidecast_rtmp_connections_open", text, Kind.GAUGE, {(): float(counters.open)})


def _segments(summaries: dict[str, Summary]) -> dict[str, int | None]:
    return {name: summary.segments for name, summary in summaries.items()}


def _per_stream(name: str, text: str, values: Mapping[str, int | None]) -> Family:
    known: dict[tuple[str, ...], float] = {
        (stream,): float(value) for stream, value in values.items() if value is not None
    }
    return Family(name, text, Kind.GAUGE, known, ("stream",))
