"""What it costs to count a request and to log one, beside the ways not taken.

    python -m benchmarks.edge_observe

Prints nanoseconds and ratios; the ratios are what counts, since machines differ.
"""

from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns

from prometheus_client import CollectorRegistry, Counter

from benchmarks.support.arguments import arguments
from cdn.http.keys import Kind
from cdn.observe.access_log import Access, AccessLog
from cdn.observe.metrics import Metrics

ROUNDS = 5
TIMES = 50_000
ACCESS = Access("192.0.2.7", "GET", "/main/v0/index.m3u8?_HLS_msn=7", 200, 1234, "hit", 0.01)


def main() -> None:
    """Measure every way in turns, and print the medians."""
    arguments(__doc__).parse_args()
    tally = Metrics().tally(Kind.PLAYLIST, 200, "hit")
    names = ("kind", "status", "cache")
    counter = Counter("requests", "Requests.", names, registry=CollectorRegistry())
    sent = Counter("sent_bytes", "Bytes.", ("kind",), registry=CollectorRegistry())
    bound, bound_bytes = counter.labels("playlist", "200", "hit"), sent.labels("playlist")

    def kept_tally() -> None:
        tally.requests += 1
        tally.sent_bytes += 1234

    def library_bound() -> None:
        bound.inc()
        bound_bytes.inc(1234)

    def library_labels() -> None:
        counter.labels("playlist", "200", "hit").inc()
        sent.labels("playlist").inc(1234)

    with TemporaryDirectory() as folder:
        one_in_a_hundred = AccessLog(0.01, f"{folder}/sample.log")
        every = AccessLog(1.0, f"{folder}/every.log")

        def sampled() -> None:
            if one_in_a_hundred.wants():
                one_in_a_hundred.write(ACCESS)

        def logged() -> None:
            if every.wants():
                every.write(ACCESS)

        ways = {
            "count: plain integers of a tally": kept_tally,
            "count: the library's, bound": library_bound,
            "count: the library's, by labels()": library_labels,
            "log: one request in a hundred": sampled,
            "log: every request (until lines are dropped)": logged,
        }
        _report({name: _cost(way) for name, way in ways.items()})
        one_in_a_hundred.close()
        every.close()


def _cost(way: Callable[[], None]) -> float:
    """Return nanoseconds for one time, the call of the way itself taken off."""
    return max(1.0, _timed(way) - _timed(_nothing))


def _nothing() -> None:
    pass


def _timed(way: Callable[[], None]) -> float:
    rounds: list[float] = []
    for _ in range(ROUNDS):
        start = perf_counter_ns()
        for _ in range(TIMES):
            way()
        rounds.append((perf_counter_ns() - start) / TIMES)
    return median(rounds)


def _report(costs: dict[str, float]) -> None:
    first = next(iter(costs.values()))
    for name, cost in costs.items():
        print(f"{name:46} {cost:8.0f} ns  {cost / first:6.1f} x")


if __name__ == "__main__":
    main()
