"""Asking the origin: aiohttp's client, brought down to what a cache needs from it.

The request is a function of the key alone (see ``keys``); nothing of a viewer's request goes along,
except the names of the caches that it came through, where there were any (see ``loops``).
The answer is taken as it is (redirects are not followed, content is not decoded) and freed of what
belongs to one connection only (RFC 9110, 7.6.1) or to one viewer.

Whether a body is whole is decided here, and only here. Its length must have been announced or
it must be chunked, because one that ends with the connection looks the same whole and broken
(RFC 9112, 8); it must be as long as announced, which aiohttp sees to; and it must come within the
time limits. Anything else, and every error of the library or the system, leaves this module as
``OriginFailed``.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

import aiohttp
from yarl import URL

from cdn.errors import OriginFailed
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
        self, response: aiohttp.ClientResponse, settings: Origin, url: str, watcher: Watcher
    ) -> None:
        self._content = response.content
        self._settings = settings
        self._watcher = watcher
        headers = tuple((name.lower(), value) for name, value in response.raw_headers)
        self.head = Head(response.status, passed_on(headers, url))
        self.length = _framed_length(response, settings.largest_object)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes in; raise ``OriginFailed`` if it is not whole."""
        size = 0
        while piece := await self._next():
            size += len(piece)
            _check_size(size, self._settings.largest_object)
            yield piece

    async def _next(self) -> bytes:
        with _translated(self._watcher):
            async with asyncio.timeout(self._settings.read_timeout_s):
                return await self._content.readany()


class Upstream:
    """One origin, as one pool of connections."""

    def __init__(self, settings: Origin, url: str, watcher: Watcher, name: str = PSEUDONYM) -> None:
        self._settings = settings
        self._url = url
        self._name = name
        self._deadlines: set[asyncio.Timeout] = set()
        self._watcher = watcher
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._settings.connections, ttl_dns_cache=10),
            timeout=aiohttp.ClientTimeout(
                total=self._settings.total_timeout_s, sock_connect=self._settings.connect_timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "tidecast-edge", "Via": "1.1 tidecast"},
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator[Reply]:
        """Ask for a key; with an ETag, only for what is newer."""
        headers = {"Accept-Encoding": "gzip" if key.gzip else "identity"}
        if etag is not None:
            headers["If-None-Match"] = etag.decode("latin-1")
        headers["CDN-Loop"] = extended(CAME_THROUGH.get(), self._name)
        with _translated(self._watcher):
            response = await self._ask(key.target, headers, self._settings.first_byte_timeout_s)
            try:
                reply = Reply(response, self._settings, self._url, self._watcher)
            except OriginFailed:
                response.close()
                raise
        self._watcher.answered()
        # 503 is an origin that says when to come back, in its own words. Any other server error
        # is one that cannot help itself, and its body is not for viewers.
        if response.status >= 500 and response.status != 503:
            response.close()
            raise OriginFailed(f"the origin answered {response.status}")
        async with response:
            yield reply

    async def probe(self, patience_s: float) -> bool:
        """Ask whether the origin is well; the watcher hears the answer, too."""
        with suppress(OriginFailed), _translated(self._watcher):
            async with await self._ask("/healthz", {}, patience_s) as response:
                if response.status >= 500:
                    raise OriginFailed(f"/healthz answered {response.status}")
                self._watcher.answered()
                return True
        return False

    def give_up_waiting(self) -> None:
        """End the wait of every request that has not been answered yet, as if time were over."""
        for deadline in self._deadlines:
            deadline.reschedule(asyncio.get_running_loop().time())

    async def _ask(
        self, target: str, headers: dict[str, str], patience_s: float
    ) -> aiohttp.ClientResponse:
        assert self._session is not None, "open() comes first"
        url = URL(self._url + target, encoded=True)
        async with asyncio.timeout(patience_s) as deadline:
            self._deadlines.add(deadline)
            try:
                return await self._session.get(url, headers=headers, allow_redirects=False)
            finally:
                self._deadlines.discard(deadline)


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
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: an unreadable answer
        watcher.failed(str(error))
        raise OriginFailed(f"the origin failed: {error}") from error


def _framed_length(response: aiohttp.ClientResponse, largest: int) -> int | None:
    """Return the announced length, None for a chunked body; refuse what has neither."""
    if response.status in (204, 304):
        return 0
    if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
        return None
    announced = response.headers.get("Content-Length", "")
    if not (announced.isascii() and announced.isdigit()):
        raise OriginFailed("the origin framed its answer with neither a length nor chunks")
    _check_size(int(announced), largest)
    return int(announced)


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
