"""The counters of one worker, in Prometheus's terms.

A request is counted by two additions to plain integers of a ``Tally`` that was looked up before:
the library's own counters cost seven times that, and ``labels()`` 28 times. The same holds for
every other number: components keep integers of their own, and ``watch`` names them.

A scrape runs in another thread and only reads. It may see a request counted whose bytes are not
counted yet, which is all that can happen: a dictionary is copied in one step before it is walked
through, and nothing is ever written from there. With several workers each has a port of its own,
counted up from the first, and Prometheus adds them up: every figure is one that a process knows
for certain.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cdn.http.keys import Kind

PREFIX = "tidecast_edge_"

FETCH_BUCKETS_S = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Up to the time-outs: a blocked playlist legitimately takes several part durations."""

LAG_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5)
"""Around the 200 ms that no single client may hold the loop for."""

Value = Callable[[], float]
Values = Callable[[], Mapping[str, float]]


class Tally:
    """Requests of one kind, status and cache result: add to it, keep it, share it."""

    __slots__ = ("requests", "sent_bytes")

    def __init__(self) -> None:
        self.requests = 0
        self.sent_bytes = 0


class Metrics:
    """What this worker has counted, and what others told it to read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._tallies: dict[tuple[Kind, int, str], Tally] = {}
        self._watched: list[Callable[[], Metric]] = []
        first_byte = self._by_kind("origin_first_byte_seconds", "Time until the origin's head.")
        whole = self._by_kind("origin_fetch_seconds", "Time until the origin's last byte.")
        self._first_byte = {kind: first_byte.labels(kind.value) for kind in Kind}
        self._whole = {kind: whole.labels(kind.value) for kind in Kind}
        self._lag = Histogram(
            f"{PREFIX}loop_lag_seconds",
            "How much later than due the event loop runs a timer.",
            buckets=LAG_BUCKETS_S,
            registry=self.registry,
        )
        self.registry.register(_Read(self._collect))

    def _by_kind(self, name: str, documentation: str) -> Histogram:
        return Histogram(
            PREFIX + name, documentation, ("kind",), buckets=FETCH_BUCKETS_S, registry=self.registry
        )

    def tally(self, kind: Kind, status: int, cache: str) -> Tally:
        """Return where requests of this sort are counted; always the same object."""
        tally = self._tallies.get((kind, status, cache))
        if tally is None:
            tally = self._tallies[kind, status, cache] = Tally()
        return tally

    def answered(self, kind: Kind, status: int, cache: str, sent_bytes: int) -> None:
        """Count one request."""
        tally = self.tally(kind, status, cache)
        tally.requests += 1
        tally.sent_bytes += sent_bytes

    def began(self, kind: Kind, seconds: float) -> None:
        """Note how long the head of an answer of the origin took."""
        self._first_byte[kind].observe(seconds)

    def fetched(self, kind: Kind, seconds: float) -> None:
        """Note how long a request to the origin took as a whole, however it ended."""
        self._whole[kind].observe(seconds)

    def lagged(self, seconds: float) -> None:
        """Note how late the event loop was."""
        self._lag.observe(seconds)

    def watch(self, name: str, documentation: str, read: Value) -> None:
        """Export a number that goes up and down and is known elsewhere."""
        self._watched.append(lambda: _gauge(name, documentation, read()))

    def watch_total(self, name: str, documentation: str, read: Value) -> None:
        """Export a number that only grows; its name gets ``_total``."""
        self._watched.append(lambda: _counter(name, documentation, read()))

    def watch_each(self, name: str, documentation: str, label: str, read: Values) -> None:
        """Export a number for each value of a label; what is no longer told is gone."""
        self._watched.append(lambda: _gauge(name, documentation, read(), label))

    def watch_each_total(self, name: str, documentation: str, label: str, read: Values) -> None:
        """Export a number that only grows, for each value of a label."""
        self._watched.append(lambda: _counter(name, documentation, read(), label))

    def _collect(self) -> Iterator[Metric]:
        tallies = tuple(self._tallies.items())
        requests = CounterMetricFamily(
            f"{PREFIX}requests",
            "Viewers' requests, by kind of resource, status and how the cache answered.",
            labels=("kind", "status", "cache"),
        )
        sent = dict.fromkeys(Kind, 0)
        for (kind, status, cache), tally in tallies:
            requests.add_metric((kind.value, str(status), cache), tally.requests)
            sent[kind] += tally.sent_bytes
        yield requests
        by_kind = {kind.value: float(count) for kind, count in sent.items()}
        yield _family(
            CounterMetricFamily, "sent_bytes", "Bytes of bodies sent to viewers.", by_kind, "kind"
        )
        for read in self._watched:
            yield read()


def _family(
    made: type[GaugeMetricFamily] | type[CounterMetricFamily],
    name: str,
    documentation: str,
    value: float | Mapping[str, float],
    label: str = "",
) -> Metric:
    """Name a number, or one for each value of a label."""
    if not isinstance(value, Mapping):
        return made(PREFIX + name, documentation, value)
    family = made(PREFIX + name, documentation, labels=(label,))
    for each, number in value.items():
        family.add_metric((each,), number)
    return family


_gauge = partial(_family, GaugeMetricFamily)
_counter = partial(_family, CounterMetricFamily)


class _Read(Collector):
    """What the library wants to see of a function that yields families."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()
