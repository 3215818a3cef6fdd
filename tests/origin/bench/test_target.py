"""What cannot be measured is said in one sentence, before any load is made."""

import asyncio

import pytest

from origin.bench.errors import CannotMeasure
from origin.bench.resources import check_descriptors, source_addresses
from origin.bench.target import Target, inspect
from tests.origin.bench.live_fake import Habits, live_fake
from tests.support.servers import free_ports

HERE = Target("http://127.0.0.1:80/x", "127.0.0.1", 80, "127.0.0.1", "/x", True)
THERE = Target("http://192.0.2.1/x", "192.0.2.1", 80, "192.0.2.1", "/x", True)


async def test_a_multivariant_playlist_is_followed_to_see_whether_it_is_low_latency() -> None:
    async with live_fake() as serving:
        target = await asyncio.to_thread(inspect, serving.url)
    assert target.is_low_latency
    assert target.path == "/live/index.m3u8"  # viewers begin there, too


async def test_a_classic_playlist_is_seen_to_be_one() -> None:
    async with live_fake(Habits(low_latency=False)) as serving:
        assert not (await asyncio.to_thread(inspect, serving.url)).is_low_latency


async def test_an_error_is_named_with_its_status() -> None:
    async with live_fake() as serving:
        with pytest.raises(CannotMeasure, match="404"):
            await asyncio.to_thread(inspect, f"{serving.base}/nothing.m3u8")


async def test_what_is_no_playlist_is_quoted() -> None:
    async with live_fake(Habits(is_no_playlist=True)) as serving:
        with pytest.raises(CannotMeasure, match=r"not a playlist.*Sorry"):
            await asyncio.to_thread(inspect, serving.url)


async def test_a_stream_that_is_over_is_not_called_flawless() -> None:
    async with live_fake(Habits(has_ended=True)) as serving:
        with pytest.raises(CannotMeasure, match=r"index\.m3u8 has ended \(EXT-X-ENDLIST\)"):
            await asyncio.to_thread(inspect, serving.url)


def test_a_port_where_nobody_listens_is_named() -> None:
    (port,) = free_ports(1)
    with pytest.raises(CannotMeasure, match=f"Nothing answers at http://127.0.0.1:{port}"):
        inspect(f"http://127.0.0.1:{port}/x.m3u8")


def test_https_is_refused_with_the_reason() -> None:
    with pytest.raises(CannotMeasure, match="plain HTTP only"):
        inspect("https://127.0.0.1/x.m3u8")


def test_too_few_descriptors_are_said_with_both_numbers() -> None:
    with pytest.raises(CannotMeasure, match=r"10064 open files.*4096"):
        check_descriptors(10_000, hard_limit=4096)
    check_descriptors(10_000, hard_limit=10_064)


@pytest.mark.parametrize(
    ("connections", "wanted", "addresses"),
    [
        pytest.param(1_000, None, 0, id="the kernel chooses"),
        pytest.param(60_000, None, 3, id="as many as are needed"),
        pytest.param(1_000, 4, 4, id="as many as are asked for"),
    ],
)
def test_source_addresses_on_loopback(connections: int, wanted: int | None, addresses: int) -> None:
    assert source_addresses(HERE, connections, wanted) == addresses


def test_another_machine_is_met_from_one_address() -> None:
    assert source_addresses(THERE, 1_000, None) == 0
    for connections, wanted in ((60_000, None), (1_000, 4)):
        with pytest.raises(CannotMeasure, match="several machines"):
            source_addresses(THERE, connections, wanted)
