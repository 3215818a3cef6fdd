"""The counters of a worker, as Prometheus reads them."""

from prometheus_client import generate_latest

from cdn.http.keys import Kind
from cdn.observe import Metrics


def page(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_requests_are_counted_by_kind_status_and_cache_and_bytes_by_kind() -> None:
    metrics = Metrics()
    metrics.answered(Kind.MEDIA, 200, "hit", 1000)
    metrics.answered(Kind.MEDIA, 200, "hit", 500)
    metrics.answered(Kind.MEDIA, 206, "miss", 7)
    text = page(metrics)
    assert 'tidecast_edge_requests_total{cache="hit",kind="media",status="200"} 2.0' in text
    assert 'tidecast_edge_requests_total{cache="miss",kind="media",status="206"} 1.0' in text
    assert 'tidecast_edge_sent_bytes_total{kind="media"} 1507.0' in text
    assert 'tidecast_edge_sent_bytes_total{kind="page"} 0.0' in text


def test_who_keeps_a_tally_counts_in_the_same_place() -> None:
    metrics = Metrics()
    tally = metrics.tally(Kind.PLAYLIST, 200, "hit")
    tally.requests += 3
    tally.sent_bytes += 30
    metrics.answered(Kind.PLAYLIST, 200, "hit", 10)
    text = page(metrics)
    assert 'tidecast_edge_requests_total{cache="hit",kind="playlist",status="200"} 4.0' in text
    assert 'tidecast_edge_sent_bytes_total{kind="playlist"} 40.0' in text


def test_fetches_are_timed_to_the_first_and_to_the_last_byte() -> None:
    metrics = Metrics()
    metrics.began(Kind.MEDIA, 0.01)
    metrics.fetched(Kind.MEDIA, 0.3)
    text = page(metrics)
    assert 'tidecast_edge_origin_first_byte_seconds_bucket{kind="media",le="0.02"} 1.0' in text
    assert 'tidecast_edge_origin_fetch_seconds_bucket{kind="media",le="0.25"} 0.0' in text
    assert 'tidecast_edge_origin_fetch_seconds_bucket{kind="media",le="0.5"} 1.0' in text


def test_numbers_that_are_known_elsewhere_are_read_at_each_scrape() -> None:
    metrics, objects, limits = Metrics(), [1, 2], {"address": 1.0}
    metrics.watch("cache_objects", "Objects in the cache.", lambda: len(objects))
    metrics.watch_total("cache_evictions", "Objects thrown out.", lambda: 5)
    metrics.watch_each("origin_up", "1 if it is well.", "origin", lambda: {"a": 1.0, "b": 0.0})
    metrics.watch_each_total("connections_refused", "By limit.", "limit", lambda: limits)
    text = page(metrics)
    assert "tidecast_edge_cache_objects 2.0" in text
    assert "# TYPE tidecast_edge_cache_evictions_total counter" in text
    assert "tidecast_edge_cache_evictions_total 5.0" in text
    assert 'tidecast_edge_origin_up{origin="b"} 0.0' in text
    assert 'tidecast_edge_connections_refused_total{limit="address"} 1.0' in text
    objects.clear()
    limits["total"] = 2.0
    text = page(metrics)
    assert "tidecast_edge_cache_objects 0.0" in text
    assert 'tidecast_edge_connections_refused_total{limit="total"} 2.0' in text


def test_a_label_may_hold_whatever_a_path_may_hold() -> None:
    metrics = Metrics()
    metrics.watch_each("playlist_age_seconds", "Age.", "stream", lambda: {'a"b\\c': 1.0})
    assert 'tidecast_edge_playlist_age_seconds{stream="a\\"b\\\\c"} 1.0' in page(metrics)
