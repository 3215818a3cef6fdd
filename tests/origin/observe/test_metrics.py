"""What components say of themselves is what Prometheus reads."""

from collections.abc import Iterable

from origin.observe.metrics import Family, MetricsPage, counter, counter_by, gauge, gauge_by


def samples(families: Iterable[Family]) -> list[str]:
    page = MetricsPage(lambda: families).render().decode()
    return [line for line in page.splitlines() if not line.startswith("#")]


def test_one_number_has_no_label_and_a_counter_says_that_it_is_one() -> None:
    assert samples([counter("seen", "Seen.", 3), gauge("open", "Open.", True)]) == [
        "seen_total 3.0",
        "open 1.0",
    ]


def test_several_numbers_are_told_apart_by_their_label_and_what_is_unknown_is_left_out() -> None:
    by_stream = gauge_by("stream", "rate", "Rate.", {"main": 2, "second": None, "third": 0})
    by_error = counter_by("error", "lost", "Lost.", {"EIO": 1})
    assert samples([by_stream, by_error]) == [
        'rate{stream="main"} 2.0',
        'rate{stream="third"} 0.0',
        'lost_total{error="EIO"} 1.0',
    ]
