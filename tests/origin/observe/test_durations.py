"""Durations: how often something took how long, and the longest of the last minute."""

from origin.observe.durations import BOUNDS_S, Durations
from origin.observe.metrics import Histogram, MetricsPage


def test_each_is_counted_in_the_first_bucket_that_it_fits() -> None:
    durations = Durations()
    for seconds in (0.0, 0.005, 0.006, 0.2, 99.0):
        durations.add(seconds, 0.0)
    counted = dict(zip(BOUNDS_S, durations.counts, strict=False))
    assert (counted[0.005], counted[0.01], counted[0.2], durations.counts[-1]) == (2, 1, 1, 1)
    assert sum(durations.counts) == 5
    assert durations.total_s == 99.211


def test_the_longest_is_remembered_for_a_minute_and_not_much_longer() -> None:
    durations = Durations()
    durations.add(0.7, 5.0)
    durations.add(0.3, 30.0)
    durations.add(0.1, 60.0)
    assert durations.longest_s(64.0) == 0.7
    assert durations.longest_s(75.0) == 0.3
    assert durations.longest_s(131.0) == 0.0


def test_metrics_show_it_as_a_histogram() -> None:
    durations = Durations()
    durations.add(0.15, 0.0)
    durations.add(7.0, 0.0)
    page = MetricsPage(lambda: [Histogram("lag_seconds", "Lag.", durations)]).render().decode()
    assert 'lag_seconds_bucket{le="0.1"} 0.0' in page
    assert 'lag_seconds_bucket{le="0.2"} 1.0' in page
    assert 'lag_seconds_bucket{le="+Inf"} 2.0' in page
    assert "lag_seconds_sum 7.15" in page
