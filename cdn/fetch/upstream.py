"""Asking the origin: a key in, an answer out, or ``OriginFailed``.

The request is a function of the key alone (see ``keys``); nothing of a viewer's request goes along,
except the names of the caches that it came through, where there were any (see ``loops``).
The answer is taken as it is (redirects are not followed, content is not decoded) and freed of what
belongs to one connection only (RFC 9110, 7.6.1) or to one viewer.

Below are ``answer``, which decides whether a body is whole, and only that; ``connection``, with one
question at a time; ``dial``, which makes connections; and ``pool``, which keeps them. Here are the
limits of time and size, and every error of theirs or of the system leaves as ``OriginFailed``.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

from cdn.errors import OriginFailed
from cdn.fetch.answer import Answer
from cdn.fetch.connection import Connection
from cdn.fetch.dial import Dialer, address_of
from cdn.fetch.pool import Pool
from cdn.http.keys import Key
from cdn.http.loops import CAME_THROUGH, PSEUDONYM, extended
from cdn.http.message import Head, Headers
from cdn.settings import Origin

_HOP_BY_HOP = frozenset(
    [
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    ]
)
_NOT_KEPT = frozenset(
    [
        b"content-length",  # the body knows its length
        b"server",
        b"set-cookie",  # one viewer's own: nothing that a shared cache may hand on
    ]
)
_CORS = b"access-control-"
"""Cross-origin fields are the edge's own, for all that it serves."""


class Watcher(Protocol):
    """Who wants to know how the origin is doing."""

    def answered(self) -> None: ...
    def failed(self, reason: str) -> None: ...


class Reply:
    """An answer whose head has arrived; its body is read once."""

    def __init__(
        self,
        connection: Connection,
        answer: Answer,
        upstream: "Upstream",
        end_at: float | None,
    ) -> None:
        self._connection = connection
        self._upstream = upstream
        self._end_at = end_at
        self.head = Head(answer.status, passed_on(tuple(answer.headers), upstream.url))
        self.length = answer.length

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes in; raise ``OriginFailed`` if it is not whole."""
        size = 0
        while piece := await self._next():
            size += len(piece)
            _check_size(size, self._upstream.settings.largest_object)
            yield piece

    async def _next(self) -> bytes:
        at_hand = self._connection.piece_at_hand()
        if at_hand is not None:  # most of the time; a limit of time costs more than what it limits
            return at_hand
        with _translated(self._upstream.watcher):
            wait_until = asyncio.get_running_loop().time() + self._upstream.settings.read_timeout_s
            async with asyncio.timeout_at(min(wait_until, self._end_at or wait_until)):
                return await self._connection.piece()


class Upstream:
    """One origin, as one pool of connections."""

    def __init__(self, settings: Origin, url: str, watcher: Watcher, name: str = PSEUDONYM) -> None:
        self.settings = settings
        self.url = url
        self.watcher = watcher
        self._name = name
        self._address = address_of(url)
        self._deadlines: set[asyncio.Timeout] = set()
        self._pool: Pool | None = None

    async def open(self) -> None:
        """Get ready; nothing is connected before there is something to ask."""
        dialer = Dialer(self._address)
        self._pool = Pool(dialer, self.settings.connections, self.settings.connect_timeout_s)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    @asynccontextmanager
    async def fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator[Reply]:
        """Ask for a key; with an ETag, only for what is newer."""
        fields = {b"Accept-Encoding": b"gzip" if key.gzip else b"identity"}
        if etag is not None:
            fields[b"If-None-Match"] = etag
        fields[b"CDN-Loop"] = extended(CAME_THROUGH.get(), self._name).encode("latin-1")
        end_at = self._end()
        async with self._asked(key.target, fields, self.settings.first_byte_timeout_s) as (
            connection,
            answer,
        ):
            with _translated(self.watcher):
                _check_size(answer.length or 0, self.settings.largest_object)
            self.watcher.answered()
            # 503 is an origin that says when to come back, in its own words. Any other server
            # error is one that cannot help itself, and its body is not for viewers.
            if answer.status >= 500 and answer.status != 503:
                raise OriginFailed(f"the origin answered {answer.status}")
            yield Reply(connection, answer, self, end_at)

    async def probe(self, patience_s: float) -> bool:
        """Ask whether the origin is well; the watcher hears the answer, too."""
        with suppress(OriginFailed):
            async with self._asked("/healthz", {}, patience_s) as (_, answer):
                with _translated(self.watcher):
                    if answer.status >= 500:
                        raise OriginFailed(f"/healthz answered {answer.status}")
                self.watcher.answered()
                return True
        return False

    def give_up_waiting(self) -> None:
        """End the wait of every request that has not been answered yet, as if time were over."""
        for deadline in self._deadlines:
            deadline.reschedule(asyncio.get_running_loop().time())

    def _end(self) -> float | None:
        """Return when a fetch that begins now has to be over, on the loop's clock."""
        total_s = self.settings.total_timeout_s
        return asyncio.get_running_loop().time() + total_s if total_s else None

    @asynccontextmanager
    async def _asked(
        self, target: str, fields: Mapping[bytes, bytes], patience_s: float
    ) -> AsyncGenerator[tuple[Connection, Answer]]:
        assert self._pool is not None, "open() comes first"
        patience_s = min(patience_s, self.settings.total_timeout_s or patience_s)
        with _translated(self.watcher):
            request = request_for(self._address.authority, target, fields)
            async with asyncio.timeout(patience_s) as deadline:
                self._deadlines.add(deadline)
                try:
                    connection, answer = await self._pool.ask(request)
                finally:
                    self._deadlines.discard(deadline)
        try:
            yield connection, answer
        finally:
            self._pool.give_back(connection)


def request_for(authority: str, target: str, fields: Mapping[bytes, bytes]) -> bytes:
    """Return a GET; refuse what would end a line of it, wherever it came from."""
    lines = [
        b"GET %b HTTP/1.1" % target.encode("ascii"),
        b"Host: " + authority.encode("ascii"),
        b"User-Agent: tidecast-edge",
        b"Via: 1.1 tidecast",
        b"Accept: */*",
        *(b"%b: %b" % field for field in fields.items()),
    ]
    if any(byte in line for line in lines for byte in (b"\r", b"\n", b"\0")) or " " in target:
        raise ValueError(f"{target!r} cannot be asked for")
    return b"\r\n".join([*lines, b"\r\n"])


@contextmanager
def _translated(watcher: Watcher) -> Generator[None]:
    try:
        yield
    except OriginFailed as failure:
        watcher.failed(str(failure))
        raise
    except TimeoutError as error:
        watcher.failed("it took too long")
        raise OriginFailed("the origin took too long") from error
    except (OSError, ValueError) as error:  # ValueError: what cannot be asked for
        watcher.failed(str(error))
        raise OriginFailed(f"the origin failed: {error}") from error


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise OriginFailed(f"the origin's answer is larger than {largest} bytes")


def passed_on(headers: Headers, origin_url: str) -> Headers:
    """Return the fields that may be kept and shared."""
    dropped = _HOP_BY_HOP | _NOT_KEPT | _named_by_connection(headers)
    return tuple(
        (name, _without_origin(value, origin_url) if name == b"location" else value)
        for name, value in headers
        if name not in dropped and not name.startswith(_CORS)
    )


def _named_by_connection(headers: Headers) -> frozenset[bytes]:
    values = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(token.strip().lower() for token in values.split(b","))


def _without_origin(location: bytes, origin_url: str) -> bytes:
    # The origin knows itself by an address that viewers need not be able to reach.
    origin = origin_url.encode()
    if location == origin or location.startswith(origin + b"/"):
        return location[len(origin) :] or b"/"
    return location
