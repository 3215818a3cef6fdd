"""Records a session over HTTP: aiohttp around a ``Watch``.

::

    async with Recorder(f"{edge}/main/index.m3u8") as recorder:
        ...                                   # publish, break things
        with recorder.silence():              # nothing is sent now, and that is all right
            ...
        session = await recorder.ended(30)    # the playlist ends, and all checks are made

    assert validate(session) == []

All requests say what they want of the body's coding; nothing is decompressed, since the rules
want to see what was sent.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from tests.validator.session import Exchange, Request, Session, Silence
from tests.validator.watching import Pace, Watch

REQUEST_TIMEOUT_S = 10.0
CONNECTIONS = 16


class Recorder:
    """Records in the background from entering to ``ended`` or ``stopped``."""

    def __init__(self, url: str, pace: Pace | None = None) -> None:
        self._url = url
        self._watch = Watch(url, pace or Pace())
        self._news = asyncio.Event()
        self._progress = asyncio.Event()
        self._silences: list[Silence] = []
        self._client: ClientSession | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Recorder":
        self._client = ClientSession(
            connector=TCPConnector(limit=CONNECTIONS),
            timeout=ClientTimeout(total=REQUEST_TIMEOUT_S),
            auto_decompress=False,
        )
        self._watch.begin(time.monotonic())
        self._task = asyncio.create_task(self._record(), name="recorder")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._client is not None:
            await self._client.close()

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing is sent inside: the playlist may stand still until shortly after."""
        from_s = time.monotonic()
        try:
            yield
        finally:
            self._silences.append(Silence(from_s, time.monotonic()))

    async def ended(self, within_s: float) -> Session:
        """Wait until the playlist has ended and everything was asked for."""
        await asyncio.wait_for(asyncio.shield(self._recording()), within_s)
        return self._session(must_end=True)

    async def stopped(self) -> Session:
        """Stop polling, make the checks that are left, and return what there is."""
        self._watch.stop(time.monotonic())
        self._news.set()
        await self._recording()
        return self._session(must_end=False)

    async def saw_segments(self, count: int, within_s: float) -> None:
        """Wait until so many different segments have been fetched."""
        async with asyncio.timeout(within_s):
            while self._watch.segments_fetched < count:
                self._progress.clear()
                await self._progress.wait()

    def _recording(self) -> asyncio.Task[None]:
        if self._task is None:
            raise RuntimeError("the recorder was not entered")
        return self._task

    def _session(self, *, must_end: bool) -> Session:
        exchanges = tuple(self._watch.exchanges)
        return Session(self._url, exchanges, tuple(self._silences), must_end)

    async def _record(self) -> None:
        async with asyncio.TaskGroup() as requests:
            while not self._watch.is_done:
                for request in self._watch.due(time.monotonic()):
                    requests.create_task(self._ask(request))
                await self._pause()

    async def _pause(self) -> None:
        """Until something is due, or an answer is there."""
        due_s = self._watch.next_due_s()
        pause_s = None if due_s is None else max(0.0, due_s - time.monotonic())
        try:
            async with asyncio.timeout(pause_s):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _ask(self, request: Request) -> None:
        sent_s = time.monotonic()
        status, headers, body, error = await self._fetch(request)
        received_s, wall = time.monotonic(), datetime.now(UTC)
        self._watch.receive(
            Exchange(request, sent_s, received_s, wall, status, headers, body, error)
        )
        self._news.set()
        self._progress.set()

    async def _fetch(self, request: Request) -> tuple[int, dict[str, str], bytes, str | None]:
        if self._client is None:
            raise RuntimeError("the recorder was not entered")
        wanted = {"accept-encoding": "identity", **request.headers}
        try:
            async with self._client.request(
                request.method, URL(request.url, encoded=True), headers=wanted
            ) as answer:
                body = await answer.read()
                return answer.status, _joined(answer.headers.items()), body, None
        except (ClientError, TimeoutError, OSError) as error:
            return 0, {}, b"", repr(error)


def _joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in fields:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
