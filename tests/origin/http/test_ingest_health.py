"""What a streamer is told of the stream over HTTP, and what a bandwidth test leaves behind."""

import httpx
import pytest

from tests.support.broadcasts import broadcast
from tests.support.stations import Station

METADATA = {"videocodecid": 7.0, "audiocodecid": 10.0, "framerate": 25.0, "encoder": "OBS"}
TEST_QUERY = "bandwidthtest=true"


@pytest.fixture
async def live(station: Station) -> Station:
    publication = await station.publish()
    publication.describe(METADATA)
    broadcast(publication, 12.0, meanwhile=station.clock.advance)
    return station


@pytest.mark.usefixtures("live")
async def test_the_health_of_a_stream_is_told_in_colour_words_and_numbers(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/api/v1/streams/main/health")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["colour"] == "yellow", "its frames of five bytes are silence"
    assert [finding["code"] for finding in told["findings"]] == ["audio_silent"]
    assert told["findings"][0]["severity"] == "warning"
    assert told["sentence"] == told["findings"][0]["text"]
    assert told["since"] == "2026-01-02T03:04:05Z"
    assert "2026-01-02T03:04:10Z" < told["findings"][0]["since"] < "2026-01-02T03:04:16Z"
    assert (told["video_codec"], told["profile"], told["level"]) == ("H.264", "High", "1.3")
    assert (told["width"], told["height"], told["frame_rate"]) == (320, 180, 25.0)
    assert (told["audio_codec"], told["sample_rate"], told["channels"]) == ("AAC", 44_100, 1)
    assert told["keyframe_interval_last_s"] == 2.0
    assert told["encoder"] == "OBS"
    assert told["b_frames"] is False
    assert "192.0.2.7" not in answer.text


async def test_nobody_publishing_is_a_404_with_a_problem(
    client: httpx.AsyncClient, station: Station
) -> None:
    for name in ("main", "no such name!"):
        answer = await client.get(f"/api/v1/streams/{name}/health")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    publication = await station.publish()
    broadcast(publication, 3.0, meanwhile=station.clock.advance)
    publication.end(clean=False)
    assert (await client.get("/api/v1/streams/main/health")).status_code == 404


async def test_reconnects_are_counted_within_a_session(
    client: httpx.AsyncClient, station: Station
) -> None:
    told = {}
    for _ in range(3):
        publication = await station.publish()
        broadcast(publication, 3.0, meanwhile=station.clock.advance)
        told = (await client.get("/api/v1/streams/main/health")).json()
        publication.end(clean=False)
    assert told["reconnects"] == 2
    station.clock.advance(100)
    await station.publish()
    assert (await client.get("/api/v1/streams/main/health")).json()["reconnects"] == 0


async def test_a_bandwidth_test_is_measured_and_never_shown(
    client: httpx.AsyncClient, station: Station
) -> None:
    assert (await client.get("/api/v1/streams/main/bandwidth-test")).status_code == 404
    test = await station.publish(query=TEST_QUERY)
    test.describe(METADATA)
    broadcast(test, 6.0, meanwhile=station.clock.advance)
    told = (await client.get("/api/v1/streams/main/bandwidth-test")).json()
    assert told["is_running"]
    assert told["safe_kbits"] is None, "six seconds show nothing"
    broadcast(test, 24.0, begin=6000, meanwhile=station.clock.advance)
    test.end(clean=True)
    station.clock.advance(1000)
    answer = await client.get("/api/v1/streams/main/bandwidth-test")
    told = answer.json()
    assert not told["is_running"]
    assert told["seconds"] == pytest.approx(30, abs=0.1)
    assert told["bitrate"] == pytest.approx((25 * 9 + 43 * 5) * 8, rel=0.05)
    assert told["safe_kbits"] == 3
    assert told["worst_lag_ms"] < 100
    assert "is safe" in told["sentence"]
    assert told["health"]["width"] == 320
    assert "192.0.2.7" not in answer.text
    assert (await client.get("/api/v1/streams")).json() == {"streams": []}
    assert (await client.get("/main/index.m3u8")).status_code == 404
    assert (await client.get("/api/v1/streams/main/health")).status_code == 404


@pytest.mark.usefixtures("live")
async def test_a_bandwidth_test_does_not_disturb_who_is_live(
    client: httpx.AsyncClient, live: Station
) -> None:
    test = await live.publish(query=f"x=1&{TEST_QUERY}")
    broadcast(test, 3.0)
    test.end(clean=False)
    assert (await client.get("/api/v1/streams/main")).json()["state"] == "live"
    assert (await client.get("/api/v1/streams/main/health")).status_code == 200
