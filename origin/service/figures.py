"""What ``/metrics`` says: read off the listener and the streams when somebody asks."""

from collections.abc import Iterable, Mapping, Sequence

from origin.http.summary import Summary, summarize
from origin.ingest.shared import Counters
from origin.observe.metrics import Family, Kind, counter, gauge, gauge_by
from origin.service.ingest_figures import ingest_families
from origin.streams.stream import State, Stream


def read_figures(streams: Iterable[Stream], counters: Counters) -> list[Family]:
    """The families of this moment; streams are labelled by name, never by key."""
    known = list(streams)
    return [
        *_listener_families(counters),
        *_stream_families(known),
        *ingest_families(known),
    ]


def _listener_families(counters: Counters) -> list[Family]:
    return [
        counter("tidecast_rtmp_connections", "RTMP connections accepted.", counters.accepted),
        counter(
            "tidecast_rtmp_refused", "RTMP connections and publishes refused.", counters.refused
        ),
        counter(
            "tidecast_rtmp_broken", "RTMP connections closed for what they did.", counters.broken
        ),
        counter("tidecast_rtmp_received_bytes", "Bytes received over RTMP.", counters.bytes_in),
        gauge("tidecast_rtmp_players", "Players over RTMP now.", counters.players),
        gauge("tidecast_rtmp_connections_open", "RTMP connections open now.", counters.open),
    ]


def _stream_families(streams: Sequence[Stream]) -> list[Family]:
    summaries = {stream.name: summarize(stream) for stream in streams}
    return [
        _states(summaries),
        gauge_by(
            "stream",
            "tidecast_stream_bitrate_bits_per_second",
            "Average bit rate of a stream over its session.",
            {name: summary.bitrate for name, summary in summaries.items()},
        ),
        gauge_by(
            "stream",
            "tidecast_stream_segments",
            "Media segments completed in the present session.",
            {name: summary.segments for name, summary in summaries.items()},
        ),
        gauge_by(
            "stream",
            "tidecast_stream_held_requests",
            "Requests that wait for the next part or segment of a stream.",
            {stream.name: len(stream.waiting) for stream in streams},
        ),
    ]


def _states(summaries: Mapping[str, Summary]) -> Family:
    return Family(
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
