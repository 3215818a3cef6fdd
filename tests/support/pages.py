"""A theatre for the player's pages: everything that they ask an edge for, told what to say.

::

    async with theatre(tape) as house:
        show = house.show("main")
        await page.goto(house.address("/main"))     # offline
        show.go_live()                              # ... and the page finds out by itself

A show stands for one stream: it plays a tape in real time as a rolling live playlist, freezes,
comes back, ends, and begins again as a new session. Its status says what the origin's would. The
pages and assets are the real ones, with the headers that matter to a browser (the policy, ETags).
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from aiohttp import web

from player import assets, pages
from tests.support.tape import Tape

H264_AAC = "avc1.42c00d,mp4a.40.2"


@dataclass(slots=True)
class Session:
    """One run of the tape, from a publish to its end."""

    epoch: str
    first_msn: int
    started: float
    began: datetime
    frozen: float | None = None
    ended: bool = False

    def ready(self, length: int) -> int:
        """How many segments are complete now: four from the beginning, then one each second."""
        now = self.frozen if self.frozen is not None else time.monotonic()
        return min(length, 4 + int(now - self.started))


@dataclass(slots=True)
class Show:
    """One stream, and what the server says of it."""

    name: str
    tape: Tape
    state: str = "offline"
    codecs: str = H264_AAC
    heights: Sequence[int] = (180,)
    window: int = 6
    """How many segments a playlist lists."""
    sound_alone: range = range(0)
    """The numbers of segments that have no picture; only in MP4."""
    last_live: datetime | None = None
    silent: bool = False
    """Whether the server hangs up on whoever asks."""
    session: Session | None = None
    status_reads: int = 0
    unchanged_reads: int = 0
    """Those of them that were answered by 304."""
    sessions: int = 0

    def start(self) -> None:
        """A publisher connects; there is no segment yet."""
        self.state = "starting"

    def go_live(self) -> None:
        """Begin a new session, with its first segments ready."""
        self.sessions += 1
        now = datetime.now(UTC) - timedelta(seconds=4)
        self.session = Session(f"e{self.sessions}", 1000 * self.sessions, time.monotonic(), now)
        self.state = "live"

    def drop(self) -> None:
        """Lose the publisher: the playlist stands still, and the server waits."""
        self.freeze()
        self.state = "reconnecting"

    def freeze(self) -> None:
        """No new segment from now on."""
        if self.session:
            self.session.frozen = time.monotonic()

    def resume(self) -> None:
        """Go on where it stood still."""
        if self.session and self.session.frozen is not None:
            self.session.started += time.monotonic() - self.session.frozen
            self.session.frozen = None
        self.state = "live"

    def end(self) -> None:
        """End the session cleanly: ENDLIST, and the window stays."""
        self.freeze()
        if self.session:
            self.session.ended = True
        self.state = "ended"

    def status(self) -> dict[str, object]:
        on_air = self.state in {"live", "reconnecting", "ended"} and self.session is not None
        return {
            "stream": self.name,
            "state": self.state,
            "since": self.session.began.isoformat() if self.session else None,
            "playlist": f"/{self.name}/index.m3u8" if on_air else None,
            "ts_playlist": f"/{self.name}/ts/index.m3u8" if on_air else None,
            "last_live": self.last_live.isoformat() if self.last_live else None,
            "codecs": self.codecs if on_air else None,
            "width": self.heights[-1] * 16 // 9 if on_air else None,
            "height": self.heights[-1] if on_air else None,
            "frame_rate": 25.0 if on_air else None,
        }

    def multivariant(self) -> str:
        lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
        for number, height in enumerate(self.heights):
            size = f"{height * 16 // 9}x{height}"
            lines += [
                f"#EXT-X-STREAM-INF:BANDWIDTH={height * 2000},RESOLUTION={size},"
                f'FRAME-RATE=25.000,CODECS="{self.codecs}"',
                f"v{number}/index.m3u8",
            ]
        return "\n".join(lines) + "\n"

    def header(self, number: int) -> str:
        """The name of the header that an MP4 segment needs."""
        return "sound.mp4" if number in self.sound_alone else "init.mp4"

    def media(self, suffix: str) -> str:
        session = self.session
        if session is None:
            raise web.HTTPNotFound
        last = session.ready(len(self.tape.fmp4))
        first = max(0, last - self.window)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            "#EXT-X-TARGETDURATION:1",
            f"#EXT-X-MEDIA-SEQUENCE:{session.first_msn + first}",
        ]
        header = None
        for number in range(first, last):
            if suffix == "m4s" and header != (needed := self.header(number)):
                lines += ["#EXT-X-DISCONTINUITY"] if header else []
                lines.append(f'#EXT-X-MAP:URI="{needed}"')
                header = needed
            at = session.began + timedelta(seconds=number)
            lines += [
                f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds')}",
                "#EXTINF:1.000,",
                f"{session.epoch}-{number}.{suffix}",
            ]
        if session.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class Theatre:
    """The house: shows by name, and the cards of its home page."""

    base: str
    tape: Tape
    shows: dict[str, Show] = field(default_factory=dict[str, Show])
    cards: list[pages.StreamCard] = field(default_factory=list[pages.StreamCard])

    def show(self, name: str) -> Show:
        """Put a new show on, offline at first."""
        self.shows[name] = Show(name, self.tape)
        return self.shows[name]

    def address(self, path: str) -> str:
        return self.base + path


@asynccontextmanager
async def theatre(tape: Tape) -> AsyncIterator[Theatre]:
    """Open the house on loopback."""
    house = Theatre("", tape)
    app = web.Application()
    app.router.add_routes(_Desk(house).routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    house.base = f"http://{host}:{port}"
    try:
        yield house
    finally:
        await runner.cleanup()


class _Desk:
    """Answers requests from what the shows say."""

    def __init__(self, house: Theatre) -> None:
        self._house = house

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self._home),
            web.get("/assets/{name}", self._asset),
            web.get("/{stream}", self._watch),
            web.get("/{stream}/embed", self._embed),
            web.get("/{stream}/status.json", self._status),
            web.get("/{stream}/index.m3u8", self._multivariant),
            web.get("/{stream}/ts/index.m3u8", self._multivariant),
            web.get("/{stream}/v{level}/index.m3u8", self._fmp4_playlist),
            web.get("/{stream}/ts/v{level}/index.m3u8", self._ts_playlist),
            web.get("/{stream}/v{level}/{header:init|sound}.mp4", self._init),
            web.get("/{stream}/v{level}/{epoch}-{number}.m4s", self._fmp4),
            web.get("/{stream}/ts/v{level}/{epoch}-{number}.ts", self._ts),
        ]

    async def _home(self, _: web.Request) -> web.Response:
        return _page(pages.home_page(self._house.cards), pages.CONTENT_SECURITY_POLICY)

    async def _watch(self, request: web.Request) -> web.Response:
        show = self._house.shows.get(request.match_info["stream"])
        if show is None:
            return _page(pages.not_found_page(), pages.CONTENT_SECURITY_POLICY, status=404)
        return _page(pages.watch_page(_view(show)), pages.CONTENT_SECURITY_POLICY)

    async def _embed(self, request: web.Request) -> web.Response:
        view = _view(self._show(request))
        return _page(pages.embed_page(view), pages.EMBED_CONTENT_SECURITY_POLICY)

    async def _asset(self, request: web.Request) -> web.Response:
        found = assets.asset(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Type": found.content_type,
            "Cache-Control": "public, max-age=31536000, immutable",
        }
        if found.gzip is None:
            return web.Response(body=found.body, headers=headers)
        return web.Response(body=found.gzip, headers=headers | {"Content-Encoding": "gzip"})

    async def _status(self, request: web.Request) -> web.Response:
        show = self._show(request)
        show.status_reads += 1
        answer = web.json_response(show.status())
        answer.headers["Cache-Control"] = "public, max-age=1"
        answer.headers["ETag"] = f'"{sha256(str(answer.text).encode()).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == answer.headers["ETag"]:
            show.unchanged_reads += 1
            return web.Response(status=304, headers={"ETag": answer.headers["ETag"]})
        return answer

    async def _multivariant(self, request: web.Request) -> web.Response:
        return _playlist(self._show(request).multivariant())

    async def _fmp4_playlist(self, request: web.Request) -> web.Response:
        return _playlist(self._show(request).media("m4s"))

    async def _ts_playlist(self, request: web.Request) -> web.Response:
        return _playlist(self._show(request).media("ts"))

    async def _init(self, request: web.Request) -> web.Response:
        tape = self._show(request).tape
        is_sound = request.match_info["header"] == "sound"
        body = tape.sound_init if is_sound else tape.init
        return web.Response(body=body, content_type="video/mp4")

    async def _fmp4(self, request: web.Request) -> web.Response:
        show, number = self._show(request), int(request.match_info["number"])
        body = (show.tape.sound if number in show.sound_alone else show.tape.fmp4)[number]
        return web.Response(body=body, content_type="video/mp4")

    async def _ts(self, request: web.Request) -> web.Response:
        body = self._show(request).tape.ts[int(request.match_info["number"])]
        return web.Response(body=body, content_type="video/mp2t")

    def _show(self, request: web.Request) -> Show:
        show = self._house.shows.get(request.match_info["stream"])
        if show is None:
            raise web.HTTPNotFound
        if show.silent and request.transport is not None:
            request.transport.abort()
        return show


def _view(show: Show) -> pages.StreamView:
    return pages.StreamView(show.name, show.state, show.last_live, json.dumps(show.status()))


def _page(text: str, policy: str, status: int = 200) -> web.Response:
    headers = {"Content-Security-Policy": policy, "Cache-Control": "public, max-age=1"}
    return web.Response(text=text, content_type="text/html", headers=headers, status=status)


def _playlist(text: str) -> web.Response:
    headers = {"Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": "max-age=1"}
    return web.Response(text=text, headers=headers)
