"""The recorder over a real connection, from an origin that lives twenty times as fast.

It lives by the turns of the loop that both share: a busy machine slows it down with its recorder.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from tests.validator.content import Broadcast
from tests.validator.fake_origin import BASE, FakeOrigin, Fault
from tests.validator.recorder import Recorder
from tests.validator.session import Probe, Purpose, Request, Session
from tests.validator.watching import Pace

SPEED = 20.0
TURN_S = 0.005
WITHIN_S = 60
FAST = Pace(
    playlist_s=0.02,
    multivariant_s=0.1,
    again_after_s=0.1,
    removal_margin_s=9.0,
    polls_after_end=2,
    retry_s=0.05,
)


def purpose_of(path: str) -> Purpose:
    if re.search(r"\.\d+\.m4s$", path):
        return Purpose.PART
    if path.endswith("v0/index.m3u8"):
        return Purpose.MEDIA_PLAYLIST
    return Purpose.MULTIVARIANT if path.endswith(".m3u8") else Purpose.SEGMENT


class Life:
    """How old an origin is."""

    def __init__(self) -> None:
        self.age_s = 0.0

    async def live(self) -> None:
        """Grow older by the same each turn, however late that comes."""
        while True:
            await asyncio.sleep(TURN_S)
            self.age_s += TURN_S * SPEED

    async def until(self, age_s: float) -> None:
        while self.age_s < age_s:  # noqa: ASYNC110 - its own clock, not the test's
            await asyncio.sleep(TURN_S)


@asynccontextmanager
async def served(origin: FakeOrigin) -> AsyncIterator[str]:
    """The origin on a port; its broadcast begins now."""
    life = Life()

    async def answer(asked: web.Request) -> web.Response:
        url = BASE + asked.path_qs.removeprefix("/main/")
        headers = {name.lower(): value for name, value in asked.headers.items()}
        request = Request(purpose_of(asked.path), Probe.PLAIN, url, asked.method, headers)
        ready_s = origin.ready_s(request, life.age_s)
        await life.until(ready_s)  # that is what an origin does
        made = origin.answer(request, max(ready_s, life.age_s))
        kept = {name: value for name, value in made.headers.items() if name != "content-length"}
        return web.Response(status=made.status, headers=kept, body=made.body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    living = asyncio.create_task(life.live())
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/main/index.m3u8"
    finally:
        living.cancel()
        await asyncio.wait([living])
        await runner.cleanup()


def bodies(session: Session) -> dict[str, bytes]:
    return {
        exchange.request.url.rpartition("/")[2]: exchange.body
        for exchange in session.exchanges
        if exchange.request.purpose is Purpose.SEGMENT and exchange.request.probe is Probe.PLAIN
    }


async def test_the_recorder_has_every_byte_when_the_playlist_has_ended(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    broadcast = broadcasts["fmp4 video"]
    async with served(FakeOrigin(broadcast)) as url, Recorder(url, FAST) as recorder:
        await recorder.saw_segments(2, within_s=WITHIN_S)
        session = await recorder.ended(within_s=WITHIN_S)

    assert bodies(session) == {piece.uri: piece.body for piece in broadcast.pieces}
    assert session.must_end


async def test_what_comes_compressed_is_kept_compressed(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    async with served(FakeOrigin(broadcasts["fmp4 video"])) as url, Recorder(url, FAST) as recorder:
        session = await recorder.ended(within_s=WITHIN_S)

    zipped = [each for each in session.exchanges if "content-encoding" in each.headers]
    assert {each.request.probe for each in zipped} == {Probe.GZIP}
    assert all(each.body.startswith(b"\x1f\x8b") for each in zipped)


async def test_a_recorder_that_is_told_to_stop_does_what_is_left_at_once(
    broadcasts: Mapping[str, Broadcast],
) -> None:
    endless = Fault(media=lambda playlist, _: playlist.replace("#EXT-X-ENDLIST\n", ""))
    async with served(FakeOrigin(broadcasts["fmp4"], endless)) as url:
        patient = replace(FAST, again_after_s=1000.0)
        async with Recorder(url, patient) as recorder:
            await recorder.saw_segments(6, within_s=WITHIN_S)
            with recorder.silence():
                pass
            session = await recorder.stopped()

    probes = {each.request.probe for each in session.exchanges}
    assert {Probe.AGAIN, Probe.AFTER_REMOVAL} <= probes
    assert len(session.silences) == 1
    assert not session.must_end


async def test_a_server_that_is_not_there_is_recorded_as_such() -> None:
    async with Recorder("http://127.0.0.1:9/main/index.m3u8", FAST) as recorder:
        with pytest.raises(TimeoutError):
            await recorder.saw_segments(1, within_s=0.1)
        session = await recorder.stopped()

    assert {each.status for each in session.exchanges} == {0}
    assert all("Connect" in (each.error or "") for each in session.exchanges)


async def test_low_latency_is_recorded_as_it_happens(broadcasts: Mapping[str, Broadcast]) -> None:
    broadcast = broadcasts["parts video"]
    async with served(FakeOrigin(broadcast)) as url, Recorder(url, FAST) as recorder:
        session = await recorder.ended(within_s=WITHIN_S)

    held = {
        each.request.probe
        for each in session.exchanges
        if each.status == 200 and each.received_s > each.sent_s
    }
    assert {Probe.BLOCKING, Probe.WHOLE, Probe.HINT} <= held
    refused = [each for each in session.exchanges if each.request.probe is Probe.REFUSED]
    assert refused
    parts = {
        each.request.url.rpartition("/")[2]: each.body
        for each in session.exchanges
        if each.request.probe is Probe.HINT and each.status == 200
    }
    known = {part.uri: part.body for piece in broadcast.pieces for part in piece.parts}
    assert parts
    assert parts.items() <= known.items()
