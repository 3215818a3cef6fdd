"""Real engines, as rendered, in front of an origin (or an edge) that does what the test wants.

Each engine is started once. Every test has a stream of its own on it, and those that take the
origin away come last.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from aiohttp import ClientSession, ClientTimeout
from yarl import URL

from cdn.http.keys import RESERVED
from tests.support.engines import haproxy, made_certificate, nginx, room, varnish
from tests.support.origins import FakeOrigin, Resource

pytestmark = pytest.mark.asyncio(loop_scope="module")
BRIEF = {"Cache-Control": "public, max-age=1", "Tidecast-Cache-Control": "max-age=0.01"}
ENGINES = ("nginx in front", "haproxy in front", "varnish alone", "nginx alone")


class Station:
    """One engine, what stands behind it, and a viewer in front."""

    def __init__(self, origin: FakeOrigin, base: str, client: ClientSession) -> None:
        self.origin = origin
        self._base = base
        self._client = client

    async def get(self, target: str, **headers: str) -> tuple[int, str]:
        """Ask for a path exactly as it is written."""
        url = URL(self._base + target, encoded=True)
        async with self._client.get(url, ssl=False, headers=headers) as answer:
            return answer.status, await answer.text()

    def is_asked_anew(self) -> None:
        """Forget what the origin was asked before."""
        self.origin.requests.clear()
        self.origin.heads.clear()


def playlist_of(stream: str) -> tuple[str, str]:
    """The address of a stream's playlist, and of one that is held."""
    playlist = f"/{stream}/v0/index.m3u8"
    return playlist, f"{playlist}?_HLS_msn=7&_HLS_part=1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine_room(request: pytest.FixtureRequest) -> AsyncIterator[Station]:
    name = str(request.param)
    origin = FakeOrigin()
    await origin.start()
    origin.serve("/readyz", Resource(b"ready"))
    host = origin.url.removeprefix("http://")
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(room())
        enter = stack.enter_async_context
        front = ("--origin", "http://127.0.0.1:9", "--edge", host)
        if name == "varnish alone":
            engine = await enter(varnish(folder / "engine", "--origin", origin.url))
        elif name == "nginx alone":
            engine = await enter(nginx(folder / "engine", None, "--origin", origin.url))
        elif name == "nginx in front":
            certificate = await made_certificate(folder)
            engine = await enter(nginx(folder / "engine", certificate, *front))
        else:
            certificate = await made_certificate(folder)
            engine = await enter(haproxy(folder / "engine", certificate, *front))
        client = await enter(ClientSession(timeout=ClientTimeout(total=60)))
        yield Station(origin, engine.base, client)
    await origin.die()


@pytest.fixture
def station(engine_room: Station) -> Station:
    engine_room.is_asked_anew()
    return engine_room


every_engine = pytest.mark.parametrize("engine_room", ENGINES, indirect=True)
varnish_alone = pytest.mark.parametrize("engine_room", ["varnish alone"], indirect=True)


@every_engine
async def test_the_control_side_is_never_forwarded_in_any_spelling(station: Station) -> None:
    spellings = [f"/{name}{rest}" for name in RESERVED for rest in ("", "/", "/v1/x", "?a=b")]
    spellings += ["/%61pi/v1", "//api/v1", "/main/../api/v1", "/main/%2e%2e/api", "/./metrics"]
    spellings += ["/main%2f..%2fapi/v1", "/api%2fv1", "/%2fapi", "/main/..%2fapi", "/api%00"]
    for spelling in spellings:
        status, _ = await station.get(spelling)
        assert status in (400, 404), spelling
    assert set(station.origin.requests) <= {"/readyz"}


@every_engine
async def test_nothing_that_tells_viewers_apart_is_passed_on(station: Station) -> None:
    playlist, _ = playlist_of("private")
    station.origin.serve(playlist, Resource(b"#EXTM3U", headers=BRIEF))
    secrets = {"Cookie": "who=me", "Authorization": "Basic me", "X-Forwarded-For": "1.2.3.4"}
    assert await station.get(playlist, **secrets) == (200, "#EXTM3U")
    (head,) = [head for head in station.origin.heads if "m3u8" in head]
    names = {line.partition(":")[0].lower() for line in head.splitlines()[1:]}
    assert names & {name.lower() for name in secrets} == set()


@varnish_alone
async def test_varnish_files_a_playlist_under_the_directives_in_one_order(
    station: Station,
) -> None:
    playlist, held = playlist_of("order")
    station.origin.serve(held, Resource(b"#EXTM3U", headers={"Cache-Control": "max-age=60"}))
    for query in (
        "_HLS_msn=7&_HLS_part=1",
        "_HLS_part=1&_HLS_msn=7",
        "token=abc&_HLS_part=1&CMCD=bl%3D1&_HLS_msn=7&x",
    ):
        assert await station.get(f"{playlist}?{query}") == (200, "#EXTM3U")
    assert station.origin.requests[held] == 1
    assert (await station.get(f"{playlist}?_HLS_msn=%37"))[0] == 400


@varnish_alone
async def test_varnish_lets_nobody_wait_in_line_for_what_fails(station: Station) -> None:
    playlist, held = playlist_of("failing")
    gate = asyncio.Event()
    station.origin.serve(held, Resource(b"", 503, {"Cache-Control": "no-store"}, gate=gate))
    station.origin.serve(playlist, Resource(b"", 503, {"Cache-Control": "no-store"}))
    waiting = asyncio.gather(*(station.get(held) for _ in range(10)))
    while not station.origin.requests[held]:
        station.origin.asked.clear()
        await station.origin.asked.wait()
    gate.set()
    assert {status for status, _ in await waiting} == {503}
    assert station.origin.requests[held] <= 2


@varnish_alone
async def test_varnish_bridges_an_outage_with_the_last_playlist(station: Station) -> None:
    playlist, held = playlist_of("outage")
    station.origin.serve(playlist, Resource(b"#EXTM3U", headers=BRIEF))
    assert (await station.get(playlist))[0] == 200
    await station.origin.die()
    await asyncio.sleep(0.6)  # Varnish's clock: its half second of short grace has to pass
    assert await station.get(playlist) == (200, "#EXTM3U")
    assert await station.get(held) == (200, "#EXTM3U")
    await station.origin.start()


@pytest.mark.parametrize("engine_room", ["nginx in front", "nginx alone"], indirect=True)
async def test_nginx_keeps_a_segment_while_the_origin_is_gone(station: Station) -> None:
    segment = "/main/v0/ab-1.m4s"
    station.origin.serve(segment, Resource(b"abc", headers={"Cache-Control": "max-age=60"}))
    assert await station.get(f"{segment}?token=1") == (200, "abc")
    await station.origin.die()
    assert await station.get(f"{segment}?token=2") == (200, "abc")
    assert (await station.get("/main/v0/ab-2.m4s"))[0] == 503
    await station.origin.start()
