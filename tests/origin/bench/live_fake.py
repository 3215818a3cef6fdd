"""A live stream that is not one: a low-latency or classic origin in a few lines, made to misbehave.

Time is the loop's: parts come when they are due, and ``Habits`` says what the server does wrong.
When it does so is decided by what its viewers have had, so that a busy machine is waited for.
It serves ``/live/index.m3u8`` (multivariant) and ``/live/v0/index.m3u8``.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from tests.support.turns import close_door, settle

PART_S, PARTS, FIRST_MSN = 0.2, 5, 10
SEGMENT_S = PART_S * PARTS
ENOUGH = 18
"""Parts that a viewer has had who has been watching for a while: three seconds and more of them."""
MEDIA = re.compile(r"/live/v0/s(\d+)(?:\.(\d+))?\.m4s")
MULTIVARIANT = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nv0/index.m3u8\n"


@dataclass(frozen=True, slots=True)
class Habits:
    """What the server does to its viewers."""

    late_s: float = 0.0
    """Every part is sent this much later."""
    pause_s: float = 0.0
    """For so long nothing is published, once ``crowd`` viewers have had ``ENOUGH`` parts each."""
    breaks: bool = False
    """From that moment on, playlists are a page of something else."""
    crowd: int = 0
    is_no_playlist: bool = False
    """The same, from the beginning."""
    has_ended: bool = False
    missing_media: bool = False
    holds: bool = True
    """Whether blocking reloads are held; if not, they are answered at once."""
    chunked: bool = False
    closes: bool = False
    """Every answer ends its connection."""
    low_latency: bool = True
    hold_back_s: float = 3.0
    """Much for such parts: a busy machine that pauses is no stall of the server's."""
    media_bytes: int = 3_000


class LiveFake:
    """One stream, from the moment at which it is made."""

    def __init__(self, habits: Habits) -> None:
        self.habits = habits
        self.asked: Counter[str] = Counter()
        self._began = asyncio.get_running_loop().time()
        self._turned_at_s: float | None = None
        """How old the stream was when its viewers had had enough."""
        self._had: Counter[asyncio.Task[None] | None] = Counter()
        """Parts by connection."""
        self._talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def _age_s(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    @property
    def _parts(self) -> int:
        """How many parts have been published since the first segment of the list."""
        age_s, turned_at_s = self._age_s, self._turned_at_s
        if turned_at_s is not None:
            age_s = max(turned_at_s, age_s - self.habits.pause_s)
        return 4 * PARTS + int(age_s / PART_S)

    def _note_part(self) -> None:
        self._had[asyncio.current_task()] += 1
        satisfied = sum(count >= ENOUGH for count in self._had.values())
        if self._turned_at_s is None and 0 < self.habits.crowd <= satisfied:
            self._turned_at_s = self._age_s

    async def _until(self, parts: int) -> None:
        while self._parts < parts:  # noqa: ASYNC110 - the server's own clock, not the test's
            await asyncio.sleep(0.005)

    async def answer(self, target: str) -> tuple[int, bytes]:
        """The status and the body, when they are there."""
        url = urlsplit(target)
        self.asked[url.path] += 1
        if url.path == "/live/index.m3u8":
            return 200, MULTIVARIANT.encode()
        if url.path == "/live/v0/index.m3u8":
            return 200, await self._playlist(parse_qs(url.query))
        if url.path == "/live/v0/init.mp4":
            return 200, bytes(700)
        if (media := MEDIA.fullmatch(url.path)) and not self.habits.missing_media:
            await asyncio.sleep(self.habits.late_s)
            self._note_part()
            return 200, bytes(self.habits.media_bytes * (1 if media[2] else PARTS))
        return 404, b"gone"

    async def _playlist(self, query: dict[str, list[str]]) -> bytes:
        if "_HLS_msn" in query and self.habits.holds:
            msn, part = int(query["_HLS_msn"][0]), int(query["_HLS_part"][0])
            await self._until((msn - FIRST_MSN) * PARTS + part + 1)
        has_turned = self._turned_at_s is not None
        if self.habits.is_no_playlist or (self.habits.breaks and has_turned):
            return b"<html>Sorry</html>"
        return "\n".join(self._lines()).encode()

    def _lines(self) -> list[str]:
        complete, rest = divmod(self._parts, PARTS)
        first = max(0, complete - 4)
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1"]
        if self.habits.low_latency:
            lines += [
                f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={self.habits.hold_back_s}",
                f"#EXT-X-PART-INF:PART-TARGET={PART_S}",
            ]
        lines += [f"#EXT-X-MEDIA-SEQUENCE:{FIRST_MSN + first}", '#EXT-X-MAP:URI="init.mp4"']
        for number in range(first, complete + 1):
            name = f"s{FIRST_MSN + number}"
            for part in range(PARTS if number < complete else rest):
                if self.habits.low_latency and number > complete - 3:
                    flag = ",INDEPENDENT=YES" if part == 0 else ""
                    uri = f'"{name}.{part}.m4s"'
                    lines.append(f"#EXT-X-PART:DURATION={PART_S},URI={uri}{flag}")
            if number < complete:
                lines += [f"#EXTINF:{SEGMENT_S},", f"{name}.m4s"]
        if self.habits.has_ended:
            lines.append("#EXT-X-ENDLIST")
        elif self.habits.low_latency:
            hint = f"s{FIRST_MSN + complete}.{rest}.m4s"
            lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hint}"')
        return [*lines, ""]

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection in a task of its own."""
        task = asyncio.create_task(self._talk(reader, writer))
        self._talks[task] = writer
        task.add_done_callback(self._talks.pop)

    async def hang_up(self) -> None:
        """End all connections."""
        talks = dict(self._talks)
        for task, writer in talks.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*talks, return_exceptions=True)
        await settle()  # the transports close their sockets in the turns after

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                status, body = await self.answer(request.split(b" ", 2)[1].decode())
                writer.write(self._head(status, body) + self._body(body))
                if self.habits.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _head(self, status: int, body: bytes) -> bytes:
        framing = "Transfer-Encoding: chunked"
        if not self.habits.chunked:
            framing = f"Content-Length: {len(body)}"
        close = "Connection: close\r\n" if self.habits.closes else ""
        return f"HTTP/1.1 {status} .\r\n{framing}\r\n{close}\r\n".encode()

    def _body(self, body: bytes) -> bytes:
        if not self.habits.chunked:
            return body
        pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return chunks + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Serving:
    """Where it is, and what it has been asked."""

    base: str
    fake: LiveFake

    @property
    def url(self) -> str:
        return f"{self.base}/live/index.m3u8"


@asynccontextmanager
async def live_fake(habits: Habits | None = None) -> AsyncIterator[Serving]:
    """A running one, on a free port."""
    fake = LiveFake(habits or Habits())
    server = await asyncio.start_server(fake.meet, "127.0.0.1", 0, backlog=512)
    try:
        yield Serving(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", fake)
    finally:
        await close_door(server)
        await fake.hang_up()
        await server.wait_closed()
