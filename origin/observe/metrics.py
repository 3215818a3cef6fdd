"""Prometheus metrics, read off the origin's state when somebody asks.

Nothing is counted twice for the sake of metrics: the components keep plain integers, and a
collector turns them into families at scrape time, so that a frame never pays for a label.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from origin.observe.durations import BOUNDS_S, Durations

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Kind(Enum):
    """What a family's values do over time."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: a name, what it says, and its values by label values."""

    name: str
    help: str
    kind: Kind
    values: Mapping[tuple[str, ...], float]
    labels: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Histogram:
    """One metric of how often something took how long."""

    name: str
    help: str
    durations: Durations


def gauge(name: str, text: str, value: float) -> Family:
    """One number that goes up and down."""
    return Family(name, text, Kind.GAUGE, {(): float(value)})


def gauge_by(label: str, name: str, text: str, values: Mapping[str, float | None]) -> Family:
    """One such number for each value of ``label``; None is left out."""
    known: dict[tuple[str, ...], float] = {
        (each,): float(value) for each, value in values.items() if value is not None
    }
    return Family(name, text, Kind.GAUGE, known, (label,))


def counter(name: str, text: str, value: float) -> Family:
    """One number that only goes up; Prometheus's client adds ``_total`` to its name."""
    return Family(name, text, Kind.COUNTER, {(): float(value)})


def counter_by(label: str, name: str, text: str, values: Mapping[str, float]) -> Family:
    """One such number for each value of ``label``."""
    counts: dict[tuple[str, ...], float] = {(each,): float(n) for each, n in values.items()}
    return Family(name, text, Kind.COUNTER, counts, (label,))


class MetricsPage:
    """Renders ``/metrics`` from whatever ``read`` returns at that moment."""

    def __init__(self, read: Callable[[], Iterable[Family | Histogram]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_StateCollector(read))

    def render(self) -> bytes:
        """The page, in Prometheus's text format."""
        return generate_latest(self._registry)


class _StateCollector(Collector):
    def __init__(self, read: Callable[[], Iterable[Family | Histogram]]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        for family in self._read():
            if isinstance(family, Histogram):
                yield _histogram(family)
                continue
            make = CounterMetricFamily if family.kind is Kind.COUNTER else GaugeMetricFamily
            metric = make(family.name, family.help, labels=family.labels)
            for labels, value in family.values.items():
                metric.add_metric(labels, value)
            yield metric


def _histogram(given: Histogram) -> HistogramMetricFamily:
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(given.durations.counts), strict=True))
    metric = HistogramMetricFamily(given.name, given.help)
    metric.add_metric([], buckets, given.durations.total_s)
    return metric
