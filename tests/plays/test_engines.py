"""A live stream through the engines that operators run already, told by us what to do.

One push, one origin, and at the same time four roads from it to Chromium: nginx and HAProxy with
TLS and HTTP/2 in front of an edge of ours, Varnish and nginx alone in front of the origin. What
happened on each is kept, and the tests look at it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import m3u8
import pytest
from aiohttp import ClientSession, ClientTimeout
from playwright.async_api import Browser, expect

from tests.support.browser import SMALL, chromium, visit
from tests.support.engines import Engine, haproxy, made_certificate, nginx, room, varnish
from tests.support.pushers import pushing
from tests.support.servers import NO_EDGE, edge, tidecast
from tests.support.tap import Tap, tapped

PLAYED_S = 4.0
PATIENCE_S = 60.0
PART_S = 0.5
CROWD = 20
IN_FRONT = ("nginx in front", "haproxy in front")
NAMES = (*IN_FRONT, "varnish alone", "nginx alone")
SEGMENT, HELD, HINTED = "a segment", "a held playlist", "a hinted part"
PART = re.compile(r"-(\d+)\.(\d+)\.m4s$")

PLAYED = """([enough, patience]) => new Promise((done) => {
    const video = document.querySelector("video");
    let last = video.currentTime, played = 0;
    const until = performance.now() + patience * 1000;
    const step = setInterval(() => {
        const moved = video.currentTime - last;
        last = video.currentTime;
        if (moved > 0 && moved < 1) played += moved;
        if (played < enough && performance.now() < until) return;
        clearInterval(step);
        done(played);
    }, 100);
})"""
PROTOCOLS = """() => performance.getEntries()
    .filter((entry) => entry.nextHopProtocol)
    .map((entry) => entry.nextHopProtocol)"""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many viewers asked for one thing at once."""

    answers: Counter[tuple[int, int]]
    """Status and size of what they got."""
    cost: int
    """Requests that came out of the engine's other side."""
    statuses: Counter[str]
    """What the engine said of its cache."""


@dataclass(slots=True)
class Road:
    """One way from the origin to a viewer, and what was seen on it."""

    name: str
    engine: Engine
    tap: Tap
    played_s: float = 0.0
    protocols: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    crowds: dict[str, Crowd] = field(default_factory=dict)

    def asked_of(self, path: str) -> int:
        """Requests behind the engine for this address, with or without more in its query."""
        return sum(
            count
            for asked, count in self.tap.requests.items()
            if asked == path or asked.startswith(f"{path}&")
        )

    def asked_for_parts(self) -> int:
        return sum(bool(PART.search(url)) for url in self.asked)


@dataclass(frozen=True, slots=True)
class Play:
    """All roads, and the tap between our edge and the origin."""

    roads: dict[str, Road]
    behind_edge: Counter[str]


@pytest.fixture(scope="module")
def play() -> Play:
    with room() as folder:
        return asyncio.run(_play(folder))


async def _play(folder: Path) -> Play:
    async with (
        tidecast(folder, "--open", *NO_EDGE) as origin,
        pushing(origin.rtmp_url("main")),
        tapped(origin.ports.control) as tap,
        edge(folder, tap.url) as node,
        built(folder, origin.ports.control, node.port) as roads,
        chromium("--ignore-certificate-errors") as browser,
    ):
        await origin.until("main", "live")
        await asyncio.gather(*(watch(browser, road) for road in roads))
        await asyncio.gather(*(crowd_in(road) for road in roads))
    return Play({road.name: road for road in roads}, tap.requests)


@asynccontextmanager
async def built(folder: Path, control: int, edge_port: int) -> AsyncIterator[list[Road]]:
    """All the roads, each with a tap behind its engine."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        taps = [await enter(tapped(port)) for port in (edge_port, edge_port, control, control)]
        hosts = [tap.url.removeprefix("http://") for tap in taps]
        origin = ("--origin", f"http://127.0.0.1:{control}")
        certificate = await made_certificate(folder)
        engines = (
            await enter(nginx(folder / "a", certificate, *origin, "--edge", hosts[0])),
            await enter(haproxy(folder / "b", certificate, *origin, "--edge", hosts[1])),
            await enter(varnish(folder / "c", "--origin", taps[2].url)),
            await enter(nginx(folder / "d", None, "--origin", taps[3].url)),
        )
        yield list(map(Road, NAMES, engines, taps))


async def watch(browser: Browser, road: Road) -> None:
    """Watch the page for a while, as a viewer does."""
    async with visit(browser, viewport=SMALL) as viewer:
        await viewer.page.goto(f"{road.engine.base}/main")
        await expect(viewer.page.locator("body[data-state=live]")).to_be_attached()
        road.played_s = await viewer.page.evaluate(PLAYED, [PLAYED_S, PATIENCE_S])
        road.protocols = set(await viewer.page.evaluate(PROTOCOLS))
        road.asked = [asked.url for asked in viewer.requests]
        road.complaints = list(viewer.complaints)


async def crowd_in(road: Road) -> None:
    """A crowd asks for a segment that nobody had, for a playlist that is held, and for a part.

    The players have gone when that segment ends: at the most they had it in parts. It has ended
    just now, and so nobody is late for what comes next.
    """
    async with ClientSession(timeout=ClientTimeout(total=PATIENCE_S)) as client:
        url = f"{road.engine.base}/main/v0/index.m3u8"
        under_way, _ = place_of((await playlist_at(client, url)).preload_hint.uri)
        playlist = await playlist_at(client, f"{url}?_HLS_msn={under_way}")
        newest = [segment.uri for segment in playlist.segments if segment.uri][-1]
        hinted = urljoin(url, playlist.preload_hint.uri)
        number, part = place_of(hinted)
        wanted = {
            SEGMENT: urljoin(url, newest),
            HELD: f"{url}?_HLS_msn={number}&_HLS_part={part}&token={{viewer}}",
            HINTED: hinted,
        }
        crowds = await asyncio.gather(*(crowd_at(client, road, each) for each in wanted.values()))
        road.crowds = dict(zip(wanted, crowds, strict=True))


async def playlist_at(client: ClientSession, url: str) -> m3u8.M3U8:
    async with client.get(url, ssl=False) as answer:
        return m3u8.loads(await answer.text(), uri=url)


def place_of(part: str) -> tuple[int, int]:
    """The segment and the number of a part, by its name."""
    found = PART.search(part)
    assert found is not None, part
    return int(found[1]), int(found[2])


async def crowd_at(client: ClientSession, road: Road, url: str) -> Crowd:
    path = url.removeprefix(road.engine.base).partition("&token")[0]
    before = road.asked_of(path)
    answers, statuses = Counter[tuple[int, int]](), Counter[str]()

    async def ask(viewer: int) -> None:
        async with client.get(url.format(viewer=viewer), ssl=False) as answer:
            answers[answer.status, len(await answer.read())] += 1
        statuses[answer.headers.getall("Cache-Status", [""])[-1]] += 1

    await asyncio.gather(*map(ask, range(CROWD)))
    return Crowd(answers, road.asked_of(path) - before, statuses)


@pytest.mark.parametrize("name", NAMES)
def test_a_live_stream_plays_through_it(play: Play, name: str) -> None:
    road = play.roads[name]
    assert road.played_s >= PLAYED_S
    assert road.complaints == []


@pytest.mark.parametrize("name", NAMES)
def test_it_plays_with_low_latency(play: Play, name: str) -> None:
    road = play.roads[name]
    assert road.asked_for_parts() >= PLAYED_S / PART_S / 2
    assert any("_HLS_part=" in url for url in road.asked)


@pytest.mark.parametrize("name", IN_FRONT)
def test_in_front_of_an_edge_browsers_get_http_2(play: Play, name: str) -> None:
    assert play.roads[name].protocols == {"h2"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", [SEGMENT, HELD, HINTED])
def test_everybody_in_a_crowd_gets_it(play: Play, name: str, what: str) -> None:
    answers = play.roads[name].crowds[what].answers
    assert answers.total() == CROWD
    assert {status for status, _ in answers} == {200}
    assert len(answers) == 1 or (name, what) == ("nginx alone", HELD)  # the origin's own moments


@pytest.mark.parametrize(
    ("name", "what", "cost"),
    [
        pytest.param("nginx in front", SEGMENT, 1, id="nginx in front keeps segments"),
        pytest.param("nginx in front", HELD, CROWD, id="nginx in front passes playlists"),
        pytest.param("nginx in front", HINTED, CROWD, id="nginx in front passes parts"),
        pytest.param("haproxy in front", SEGMENT, CROWD, id="HAProxy keeps nothing"),
        pytest.param("varnish alone", SEGMENT, 1, id="Varnish keeps segments"),
        pytest.param("varnish alone", HELD, 1, id="Varnish asks once for a held playlist"),
        pytest.param("varnish alone", HINTED, 1, id="Varnish asks once for a part"),
        pytest.param("nginx alone", SEGMENT, 1, id="nginx alone keeps segments"),
        pytest.param("nginx alone", HELD, CROWD, id="nginx alone asks for each viewer's playlist"),
        pytest.param("nginx alone", HINTED, CROWD, id="nginx alone asks for each viewer's part"),
    ],
)
def test_what_a_crowd_costs_behind_the_engine(play: Play, name: str, what: str, cost: int) -> None:
    assert play.roads[name].crowds[what].cost == cost


def test_behind_our_edge_two_crowds_and_two_browsers_cost_the_origin_one_request_each(
    play: Play,
) -> None:
    media = [path for path in play.behind_edge if path.endswith((".m4s", ".mp4"))]
    held = [path for path in play.behind_edge if "_HLS_msn" in path]
    assert len(media) > 5
    assert len(held) > 5
    assert [path for path in (*media, *held) if play.behind_edge[path] > 1] == []


def test_an_engine_says_what_its_cache_did(play: Play) -> None:
    assert play.roads["nginx in front"].crowds[SEGMENT].statuses["nginx; hit"] > 0
    assert play.roads["nginx alone"].crowds[SEGMENT].statuses["nginx; hit"] > 0
    assert play.roads["varnish alone"].crowds[SEGMENT].statuses["varnish; hit"] > 0
