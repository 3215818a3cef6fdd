"""The ingest's share of ``/metrics``: every publisher's health, and the codes as 0 or 1.

A stream that nobody publishes has none of these, so that nobody is woken for a streamer who has
gone to bed.
"""

from collections.abc import Iterable, Iterator

from origin.observe.health.codes import Code
from origin.observe.health.report import Report
from origin.observe.metrics import Family, Kind
from origin.streams.stream import Stream

MILLIS = 1000
HELP = {
    "bitrate_bits_per_second": "What a publisher sends, over the last ten seconds.",
    "declared_bitrate_bits_per_second": "What a publisher's encoder says it is set to.",
    "frames_per_second": "Frames per second of a publisher's own clock.",
    "keyframe_interval_seconds": "The longest keyframe interval of the last twelve seconds.",
    "dropped_ratio": "Share of the last minute's frames that never came.",
    "arrival_lag_seconds": "Wall clock less a publisher's, over the least of the last minute.",
    "av_skew_seconds": "The sound's clock less the picture's, as they arrive.",
    "reconnects": "How often the present session's publisher has come back.",
}


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
    gauges = {name: _gauges(report) for name, report in reports.items()}
    for gauge, text in HELP.items():
        known: dict[tuple[str, ...], float] = {
            (name,): value
            for name, values in gauges.items()
            if (value := values[gauge]) is not None
        }
        yield Family(f"tidecast_ingest_{gauge}", text, Kind.GAUGE, known, ("stream",))


def _gauges(report: Report) -> dict[str, float | None]:
    return {
        "bitrate_bits_per_second": report.bitrate,
        "declared_bitrate_bits_per_second": report.bitrate_declared,
        "frames_per_second": report.frame_rate,
        "keyframe_interval_seconds": report.keyframe_worst_s,
        "dropped_ratio": report.dropped_share,
        "arrival_lag_seconds": _seconds(report.lag_ms),
        "av_skew_seconds": _seconds(report.skew_ms),
        "reconnects": report.reconnects,
    }


def _seconds(millis: float | None) -> float | None:
    return millis / MILLIS if millis is not None else None
