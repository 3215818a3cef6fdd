"""The figures of /metrics: what was counted, and one line per stream and state."""

import asyncio

from origin.ingest.shared import Counters
from origin.observe.metrics import Family
from origin.service.figures import read_figures
from tests.support.broadcasts import broadcast
from tests.support.stations import Station


def figures(station: Station, counters: Counters) -> dict[str, Family]:
    return {family.name: family for family in read_figures(station.registry, counters)}


def test_the_listener_is_counted_before_anybody_has_published() -> None:
    counters = Counters(accepted=5, open=2, refused=1, bytes_in=999)
    found = figures(Station(), counters)
    assert found["tidecast_rtmp_connections"].values == {(): 5.0}
    assert found["tidecast_rtmp_connections_open"].values == {(): 2.0}
    assert found["tidecast_rtmp_refused"].values == {(): 1.0}
    assert found["tidecast_rtmp_received_bytes"].values == {(): 999.0}
    assert found["tidecast_stream_state"].values == {}


async def test_a_stream_is_in_one_state_and_says_what_it_has_made() -> None:
    station = Station()
    broadcast(await station.publish("main"), 9)
    await station.publish("second")
    found = figures(station, Counters())
    states = found["tidecast_stream_state"]
    assert states.labels == ("stream", "state")
    assert {labels for labels, value in states.values.items() if value} == {
        ("main", "live"),
        ("second", "starting"),
    }
    assert len(states.values) == 10, "each of five states, for each stream"
    assert found["tidecast_stream_segments"].values == {("main",): 4.0, ("second",): 0.0}
    assert found["tidecast_stream_held_requests"].values == {("main",): 0.0, ("second",): 0.0}
    bitrates = found["tidecast_stream_bitrate_bits_per_second"].values
    assert set(bitrates) == {("main",)}, "nothing is known of the other one yet"


async def test_requests_that_are_held_are_counted() -> None:
    station = Station()
    await station.publish("main")
    stream = station.registry.find("main")
    assert stream is not None
    holds = [stream.waiting.hold(lambda: False, 6.0) for _ in range(3)]
    held = figures(station, Counters())["tidecast_stream_held_requests"]
    assert held.values == {("main",): 3.0}
    stream.waiting.release()
    await asyncio.gather(*(hold.outcome() for hold in holds))
    held = figures(station, Counters())["tidecast_stream_held_requests"]
    assert held.values == {("main",): 0.0}
