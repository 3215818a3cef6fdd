"""Viewers judge a server as players would: what it does wrong on purpose is what is reported."""

import asyncio

import pytest

from origin.bench.target import inspect
from origin.bench.viewers import Audience, ViewersReport, describe_viewers, run_viewers
from tests.origin.bench.live_fake import PART_S, Habits, Serving, live_fake

pytestmark = pytest.mark.lasts(60)

FEW = 10


async def watch(serving: Serving, audience: Audience) -> ViewersReport:
    def run() -> ViewersReport:
        return run_viewers(inspect(serving.url), audience)

    return await asyncio.to_thread(run)


def audience(seconds: float = 2, **others: bool) -> Audience:
    return Audience(FEW, seconds, per_second=100, timeout_s=30, **others)


async def test_a_good_low_latency_server_is_flawless() -> None:
    async with live_fake() as serving:
        report = await watch(serving, audience())
    assert report.is_flawless, report
    assert report.playing == FEW
    assert report.connections.opened == FEW
    assert report.late_ms.part.count > FEW * 1.0 / PART_S  # each saw most of two seconds' parts
    assert any(path.endswith(".1.m4s") for path in serving.fake.asked)


async def test_a_good_classic_server_is_flawless_and_is_asked_for_no_part() -> None:
    async with live_fake(Habits(low_latency=False)) as serving:
        report = await watch(serving, audience(3))
    assert report.is_flawless, report
    assert report.media >= FEW
    assert not any(path.endswith(".1.m4s") for path in serving.fake.asked)


async def test_low_latency_viewers_ask_once_per_part_and_do_not_storm() -> None:
    async with live_fake() as serving:
        report = await watch(serving, audience())
    parts = report.measured_s / PART_S + 2
    assert report.playlists <= FEW * parts


@pytest.mark.parametrize(
    "habits",
    [
        pytest.param(Habits(chunked=True), id="chunked bodies"),
        pytest.param(Habits(closes=True), id="no keep-alive"),
        pytest.param(Habits(media_bytes=300_000), id="bodies in many pieces"),
    ],
)
async def test_servers_may_frame_their_answers_as_they_like(habits: Habits) -> None:
    async with live_fake(habits) as serving:
        report = await watch(serving, audience())
    assert report.is_flawless, report


async def test_a_server_that_pauses_stalls_every_viewer() -> None:
    async with live_fake(Habits(pause_s=3, hold_back_s=1.5, crowd=FEW)) as serving:
        report = await watch(serving, audience(4))
    assert report.stalls.viewers == FEW
    assert 0 < report.stalls.longest_s < 3  # what the buffer holds is not stalled
    assert not report.errors


async def test_a_stall_that_lasts_to_the_end_counts() -> None:
    async with live_fake(Habits(pause_s=60, hold_back_s=1.5, crowd=FEW)) as serving:
        report = await watch(serving, audience(4))
    assert report.stalls.viewers == FEW


async def test_a_server_that_answers_late_has_late_percentiles() -> None:
    async with live_fake(Habits(late_s=0.1)) as serving:
        report = await watch(serving, audience())
    assert report.late_ms.part.p50 >= 100
    assert report.media_ms.p50 >= 100
    assert report.late_ms.playlist.p50 < report.late_ms.part.p50


async def test_a_playlist_that_turns_into_something_else_is_an_error_and_no_hang() -> None:
    async with live_fake(Habits(breaks=True, crowd=FEW)) as serving:
        report = await watch(serving, audience())
    assert report.errors["not_a_playlist"] >= FEW
    assert not report.is_flawless


async def test_missing_media_is_counted_by_status() -> None:
    async with live_fake(Habits(missing_media=True)) as serving:
        report = await watch(serving, audience())
    assert report.errors["status_4xx"] >= FEW
    assert report.playing == 0


async def test_a_server_that_does_not_hold_is_told_so_and_not_stormed() -> None:
    async with live_fake(Habits(holds=False)) as serving:
        report = await watch(serving, audience())
    assert report.errors["not_held"] > 0
    assert report.playlists < FEW * 40


async def test_classic_viewers_of_a_low_latency_stream_take_whole_segments() -> None:
    async with live_fake() as serving:
        report = await watch(serving, audience(low_latency=False))
    assert report.is_flawless, report
    assert not any(path.endswith(".1.m4s") for path in serving.fake.asked)


async def test_what_people_read_names_the_stalls_and_the_errors() -> None:
    async with live_fake(Habits(missing_media=True)) as serving:
        report = await watch(serving, audience(1))
    text = "\n".join(describe_viewers(report, low_latency=True))
    assert f"0 of {FEW} low-latency viewers played" in text
    assert "status_4xx" in text
