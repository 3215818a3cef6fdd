"""The ingest's share of ``/metrics``: every publisher's health, and the codes as 0 or 1.

A stream that nobody publishes has none of these, so that nobody is woken for a streamer who has
gone to bed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from origin.observe.health.codes import Code
from origin.observe.health.report import Report
from origin.observe.health.second import MILLIS
from origin.observe.metrics import Family, Kind, gauge_by
from origin.streams.stream import Stream

Read: TypeAlias = Callable[[Report], float | None]

GAUGES: Mapping[str, tuple[str, Read]] = {
    "bitrate_bits_per_second": (
        "What a publisher sends, over the last ten seconds.",
        lambda report: report.bitrate,
    ),
    "declared_bitrate_bits_per_second": (
        "What a publisher's encoder says it is set to.",
        lambda report: report.bitrate_declared,
    ),
    "frames_per_second": (
        "Frames per second of a publisher's own clock.",
        lambda report: report.frame_rate,
    ),
    "keyframe_interval_seconds": (
        "The longest keyframe interval of the last twelve seconds.",
        lambda report: report.keyframe_worst_s,
    ),
    "dropped_ratio": (
        "Share of the last minute's frames that never came.",
        lambda report: report.dropped_share,
    ),
    "arrival_lag_seconds": (
        "Wall clock less a publisher's, over the least of the last minute.",
        lambda report: _seconds(report.lag_ms),
    ),
    "av_skew_seconds": (
        "The sound's clock less the picture's, as they arrive.",
        lambda report: _seconds(report.skew_ms),
    ),
    "reconnects": (
        "How often the present session's publisher has come back.",
        lambda report: report.reconnects,
    ),
}
"""What each gauge is called behind ``tidecast_ingest_``, what it says, and where it stands."""


def ingest_families(streams: Iterable[Stream]) -> Iterator[Family]:
    """The families of all streams that are being published."""
    reports = {
        stream.name: stream.publisher.health.report()
        for stream in streams
        if stream.publisher is not None
    }
    raised = {
        (name, finding.code) for name, report in reports.items() for finding in report.findings
    }
    codes: dict[tuple[str, ...], float] = {
        (name, code.value): float((name, code) in raised) for name in reports for code in Code
    }
    text = "1 for each finding about a publisher, 0 for what is well."
    yield Family("tidecast_ingest_health", text, Kind.GAUGE, codes, ("stream", "code"))
    for name, (text, read) in GAUGES.items():
        values = {stream: read(report) for stream, report in reports.items()}
        yield gauge_by("stream", f"tidecast_ingest_{name}", text, values)


def _seconds(millis: float | None) -> float | None:
    return millis / MILLIS if millis is not None else None
