"""Plays about several origins: one is killed, one freezes, one does not know, all are gone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from cdn.errors import OriginFailed
from cdn.fetch.failover import Failover
from cdn.health import Health
from cdn.http.keys import Key
from cdn.settings import Origin
from tests.support.clocks import FakeClock
from tests.support.edges import running_edge
from tests.support.origins import FakeOrigin, Resource

pytestmark = pytest.mark.usefixtures("either_path")

PLAYLIST = Key("/main/v0/index.m3u8?_HLS_msn=7", gzip=False)
NEVER_PROBED_AGAIN_S = 3600.0


@pytest.fixture
async def pair() -> AsyncIterator[tuple[FakeOrigin, FakeOrigin]]:
    origins = FakeOrigin(), FakeOrigin()
    for origin in origins:
        origin.serve("/healthz", Resource(b"ok"))
        await origin.start()
    yield origins
    for origin in origins:
        await origin.die()


class Stage:
    """All origins, who hears of them, and the time."""

    def __init__(self, settings: Origin) -> None:
        self.clock = FakeClock()
        self.health = Health(self.clock)
        self.failover = Failover(settings, self.health, self.clock)

    async def get(self, key: Key = PLAYLIST, etag: bytes | None = None) -> tuple[int, bytes]:
        async with self.failover.fetch(key, etag) as reply:
            return reply.head.status, b"".join([piece async for piece in reply.pieces()])

    @property
    def well(self) -> list[bool]:
        return [is_well for _, is_well in self.failover.conditions()]

    async def probe_until(self, *well: bool) -> None:
        while self.well != list(well):
            await self.failover.probe()


@asynccontextmanager
async def stage(*origins: FakeOrigin, **settings: object) -> AsyncGenerator[Stage]:
    urls = [origin.url for origin in origins]
    play = Stage(Origin.model_validate({"url": urls, **settings}))
    await play.failover.open()
    try:
        yield play
    finally:
        await play.failover.close()


def serve_alike(pair: tuple[FakeOrigin, FakeOrigin], key: Key = PLAYLIST) -> None:
    for body, origin in zip((b"from a", b"from b"), pair, strict=True):
        origin.serve(key.target, Resource(body))


async def test_the_first_is_asked_while_it_is_well(pair: tuple[FakeOrigin, FakeOrigin]) -> None:
    serve_alike(pair)
    async with stage(*pair) as play:
        assert await play.get() == (200, b"from a")
    assert PLAYLIST.target not in pair[1].requests


async def test_where_the_first_is_gone_the_second_is_asked_in_the_same_breath(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    serve_alike(pair)
    async with stage(*pair) as play:
        await pair[0].die()
        for _ in range(3):
            assert await play.get() == (200, b"from b")
        assert play.well == [False, True]
        assert [member.failures for member, _ in play.failover.conditions()][1] == 0
        await pair[0].start()


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_error_is_asked_again_at_the_second(
    pair: tuple[FakeOrigin, FakeOrigin], status: int
) -> None:
    serve_alike(pair)
    pair[0].serve(PLAYLIST.target, Resource(b"oops", status))
    async with stage(*pair) as play:
        assert await play.get() == (200, b"from b")
        assert play.well == [True, True]


async def test_when_both_say_503_the_first_ones_word_stands(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    for body, origin in zip((b"a starts", b"b starts"), pair, strict=True):
        origin.serve(PLAYLIST.target, Resource(body, 503))
    async with stage(*pair) as play:
        assert await play.get() == (503, b"a starts")
    assert [origin.requests[PLAYLIST.target] for origin in pair] == [1, 1]


@pytest.mark.parametrize("status", [400, 403, 410])
async def test_a_refusal_is_an_answer(pair: tuple[FakeOrigin, FakeOrigin], status: int) -> None:
    serve_alike(pair)
    pair[0].serve(PLAYLIST.target, Resource(b"no", status))
    async with stage(*pair) as play:
        assert (await play.get())[0] == status
    assert PLAYLIST.target not in pair[1].requests


async def test_a_stream_that_only_the_second_knows_is_found_there_and_then_asked_for_there(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    pair[1].serve(PLAYLIST.target, Resource(b"from b"))
    pair[1].serve("/main/v0/7.m4s", Resource(b"segment of b"))
    async with stage(*pair) as play:
        assert await play.get() == (200, b"from b")
        assert await play.get(Key("/main/v0/7.m4s", gzip=False)) == (200, b"segment of b")
    assert pair[0].requests[PLAYLIST.target] == 1
    assert "/main/v0/7.m4s" not in pair[0].requests


@pytest.mark.parametrize(
    "settings", [{"retry_missing": False}, {"choice": "by-stream"}], ids=["off", "by stream"]
)
async def test_elsewhere_404_is_an_answer(
    pair: tuple[FakeOrigin, FakeOrigin], settings: dict[str, object]
) -> None:
    async with stage(*pair, **settings) as play:
        assert (await play.get())[0] == 404
    assert sum(origin.requests[PLAYLIST.target] for origin in pair) == 1


async def test_nobody_knows_it_and_each_was_asked_once(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    async with stage(*pair) as play:
        assert (await play.get())[0] == 404
    assert [origin.requests[PLAYLIST.target] for origin in pair] == [1, 1]


async def test_a_body_that_breaks_off_is_not_begun_again_elsewhere(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    pair[0].serve(PLAYLIST.target, Resource(b"half and half", breaks_off=True))
    async with stage(*pair) as play:
        with pytest.raises(OriginFailed):
            await play.get()
    assert PLAYLIST.target not in pair[1].requests


async def test_who_waits_at_an_origin_that_freezes_is_answered_by_the_next(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    serve_alike(pair)
    never = asyncio.Event()
    async with stage(*pair, probe_timeout_s=0.05) as play:
        for target in (PLAYLIST.target, "/healthz"):
            pair[0].resources[target].gate = never
        viewers = [asyncio.create_task(play.get()) for _ in range(20)]
        while pair[0].requests[PLAYLIST.target] < len(viewers):
            pair[0].asked.clear()
            await pair[0].asked.wait()
        await play.probe_until(False, True)
        assert await asyncio.gather(*viewers) == [(200, b"from b")] * len(viewers)
    never.set()


async def test_an_origin_that_is_back_is_trusted_after_its_second_good_answer(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    serve_alike(pair)
    async with stage(*pair, probe_interval_s=NEVER_PROBED_AGAIN_S) as play:
        await pair[0].die()
        await play.probe_until(False, True)
        await pair[0].start()
        await play.failover.probe()
        assert await play.get() == (200, b"from b")
        await play.failover.probe()
        assert await play.get() == (200, b"from a")


async def test_all_are_probed_every_second_though_no_viewer_asks(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    async with stage(*pair) as play:
        for asked in (1, 2, 3):
            async with asyncio.timeout(10):
                while play.clock.pending == 0:  # noqa: ASYNC110 the probe is under way
                    await asyncio.sleep(0)
            assert [origin.requests["/healthz"] for origin in pair] == [asked, asked]
            play.clock.advance(1.0)


async def test_a_single_origin_is_not_probed_in_the_background(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    async with stage(pair[0]) as play:
        assert play.clock.pending == 0
        assert await play.health.obstacle(play.failover.probe) is None
    assert pair[0].requests == {"/healthz": 1}


async def test_an_edge_is_ready_while_one_origin_is_well(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    async with stage(*pair, probe_interval_s=NEVER_PROBED_AGAIN_S) as play:
        await pair[0].die()
        await play.probe_until(False, True)
        assert await play.health.obstacle(play.failover.probe) is None
        await pair[1].die()
        await play.failover.probe()
        play.clock.advance(5.0)
        assert await play.health.obstacle(play.failover.probe) is not None
        for origin in pair:
            await origin.start()
        play.clock.advance(1.0)
        assert await play.health.obstacle(play.failover.probe) is None


async def test_all_are_down_and_the_best_guess_is_asked_anyway(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    serve_alike(pair)
    async with stage(*pair, probe_interval_s=NEVER_PROBED_AGAIN_S) as play:
        for origin in pair:
            await origin.die()
        await play.probe_until(False, False)
        with pytest.raises(OriginFailed):
            await play.get()
        for origin in pair:
            await origin.start()
        assert await play.get() == (200, b"from a")


async def test_going_down_and_coming_back_are_logged_once_each(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    async with stage(*pair, probe_interval_s=NEVER_PROBED_AGAIN_S) as play:
        with capture_logs() as lines:
            for _ in range(3):  # the second and third outage come within seconds
                await pair[0].die()
                await play.probe_until(False, True)
                await pair[0].start()
                await play.probe_until(True, True)
    assert [line["event"] for line in lines] == ["an origin is down", "an origin is back"]
    assert lines[0]["origin"] == pair[0].url


async def test_retired_origins_are_closed_after_the_last_fetch(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    serve_alike(pair)
    gate = pair[0].resources[PLAYLIST.target].gate = asyncio.Event()
    play = Stage(Origin.model_validate({"url": [pair[0].url]}))
    await play.failover.open()
    viewer = asyncio.create_task(play.get())
    await pair[0].asked.wait()
    retiring = asyncio.create_task(play.failover.retire())
    gate.set()
    assert await viewer == (200, b"from a")
    await retiring


async def test_an_origin_is_killed_in_mid_stream_and_no_viewer_sees_an_error(
    pair: tuple[FakeOrigin, FakeOrigin],
) -> None:
    gate = asyncio.Event()
    for number in range(20):
        for origin in pair:
            origin.serve(f"/main/v0/{number}.m4s", Resource(b"segment %d" % number))
    pair[0].serve(PLAYLIST.target, Resource(b"never", gate=gate))
    pair[1].serve(PLAYLIST.target, Resource(b"the next part"))
    urls: list[object] = [origin.url for origin in pair]
    async with running_edge("", FakeClock(), {"origin": {"url": urls}}) as edge:
        held = [asyncio.create_task(edge.get(PLAYLIST.target)) for _ in range(50)]
        while PLAYLIST.target not in pair[0].requests:
            pair[0].asked.clear()
            await pair[0].asked.wait()
        for number in range(20):
            if number == 10:
                await pair[0].die()
            seen = await edge.get(f"/main/v0/{number}.m4s")
            assert (seen.status, seen.body) == (200, b"segment %d" % number)
        for seen in await asyncio.gather(*held):
            assert (seen.status, seen.body) == (200, b"the next part")
        assert (await edge.get("/readyz")).status == 200
    assert pair[1].requests[PLAYLIST.target] == 1
    gate.set()
    await pair[0].start()
