"""What comes from the origin: when it is whole, when it is not, and what is left out of it."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context

import pytest

from cdn.errors import OriginFailed
from cdn.fetch.upstream import Upstream, passed_on
from cdn.http.keys import Key
from cdn.http.loops import CAME_THROUGH
from cdn.http.message import Head
from cdn.settings import Origin
from tests.support.origins import FakeOrigin, Resource

PATIENCE_S = 10.0
KEY = Key("/main/v0/ab-1.m4s", gzip=False)


class Diary:
    """A watcher that writes everything down."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def answered(self) -> None:
        self.entries.append("answered")

    def failed(self, reason: str) -> None:
        self.entries.append(reason)


@asynccontextmanager
async def upstream(url: str, **settings: float) -> AsyncGenerator[tuple[Upstream, Diary]]:
    diary = Diary()
    pool = Upstream(Origin.model_validate({"url": url, **settings}), url, diary)
    await pool.open()
    try:
        yield pool, diary
    finally:
        await pool.close()


async def fetch(pool: Upstream, key: Key = KEY) -> tuple[Head, bytes]:
    async with pool.fetch(key, None) as reply:
        return reply.head, b"".join([piece async for piece in reply.pieces()])


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    await origin.start()
    yield origin
    await origin.die()


@asynccontextmanager
async def raw_origin(answer: bytes) -> AsyncGenerator[str]:
    """A server that says these bytes to whoever asks, and hangs up."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("is_chunked", [False, True], ids=["by length", "in chunks"])
async def test_a_body_comes_as_it_was_sent(origin: FakeOrigin, is_chunked: bool) -> None:
    origin.serve(KEY.target, Resource(b"x" * 300_000, is_chunked=is_chunked))
    async with upstream(origin.url) as (pool, diary):
        head, body = await fetch(pool)
    assert (head.status, body) == (200, b"x" * 300_000)
    assert diary.entries == ["answered"]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "failed", id="cut short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            "failed",
            id="no last chunk",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nis this all?", "framed", id="until the end"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nis this all?", "framed", id="as in the old days"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", "failed", id="cut short in the head"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "failed", id="no HTTP at all"),
        pytest.param(b"", "failed", id="nothing"),
    ],
)
async def test_what_is_not_whole_is_a_failure(answer: bytes, complaint: str) -> None:
    async with raw_origin(answer) as url, upstream(url) as (pool, diary):
        with pytest.raises(OriginFailed, match=complaint):
            await fetch(pool)
    assert diary.entries[-1] != "answered"


@pytest.mark.parametrize("status", [500, 502, 504, 508])
async def test_a_server_error_is_a_failure_though_the_origin_did_answer(status: int) -> None:
    answer = b"HTTP/1.1 %d Oops\r\nContent-Length: 0\r\n\r\n" % status
    async with raw_origin(answer) as url, upstream(url) as (pool, diary):
        with pytest.raises(OriginFailed, match=str(status)):
            await fetch(pool)
    assert diary.entries == ["answered"]


async def test_a_port_with_nobody_behind_it_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with upstream(f"http://127.0.0.1:{port}") as (pool, diary):
        with pytest.raises(OriginFailed, match="failed"):
            await fetch(pool)
    assert len(diary.entries) == 1


@pytest.mark.parametrize(
    ("limit", "held"),
    [
        ("first_byte_timeout_s", lambda event: Resource(b"too late", gate=event)),
        ("read_timeout_s", lambda event: Resource(b"too late", middle_gate=event)),
        ("total_timeout_s", lambda event: Resource(b"too late", middle_gate=event)),
    ],
)
async def test_an_origin_that_takes_too_long_is_a_failure(
    origin: FakeOrigin, limit: str, held: Callable[[asyncio.Event], Resource]
) -> None:
    never = asyncio.Event()
    origin.serve(KEY.target, held(never))
    async with upstream(origin.url, **{limit: 0.05}) as (pool, diary):
        with pytest.raises(OriginFailed, match="too long"):
            await fetch(pool)
    assert diary.entries[-1] == "it took too long"
    never.set()


@pytest.mark.parametrize("is_chunked", [False, True], ids=["announced", "not announced"])
async def test_more_than_the_largest_object_is_not_taken(
    origin: FakeOrigin, is_chunked: bool
) -> None:
    origin.serve(KEY.target, Resource(b"x" * 2000, is_chunked=is_chunked))
    async with upstream(origin.url, largest_object=1999) as (pool, _):
        with pytest.raises(OriginFailed, match="larger than 1999"):
            await fetch(pool)


async def test_who_waits_for_an_answer_can_be_called_back(origin: FakeOrigin) -> None:
    never = asyncio.Event()
    origin.serve(KEY.target, Resource(b"too late", gate=never))
    async with upstream(origin.url) as (pool, diary):
        waiting = asyncio.create_task(fetch(pool))
        await origin.asked.wait()
        pool.give_up_waiting()
        with pytest.raises(OriginFailed, match="too long"):
            await waiting
    assert diary.entries == ["it took too long"]
    never.set()


async def test_the_request_is_signed_behind_the_caches_that_it_came_through(
    origin: FakeOrigin,
) -> None:
    origin.serve(KEY.target, Resource(b"x"))
    async with upstream(origin.url) as (pool, _):
        await fetch(pool)
        context = copy_context()
        context.run(CAME_THROUGH.set, b"other-edge, third; v=1")
        await asyncio.create_task(fetch(pool), context=context)
    assert "CDN-Loop: tidecast\r\n" in origin.heads[0]
    assert "CDN-Loop: other-edge, third; v=1, tidecast\r\n" in origin.heads[1]


async def test_an_etag_asks_for_what_is_newer(origin: FakeOrigin) -> None:
    origin.serve(KEY.target, Resource(b"old", headers={"ETag": '"v1"'}))
    async with upstream(origin.url) as (pool, _), pool.fetch(KEY, b'"v1"') as reply:
        assert reply.head.status == 304
        assert [piece async for piece in reply.pieces()] == []


async def test_a_redirect_is_passed_on_and_not_followed(origin: FakeOrigin) -> None:
    headers = {"Location": f"{origin.url}/main/", "Cache-Control": "max-age=1"}
    origin.serve("/main", Resource(b"", 307, headers=headers))
    async with upstream(origin.url) as (pool, _):
        head, _ = await fetch(pool, Key("/main", gzip=False))
    assert (head.status, head.get(b"location")) == (307, b"/main/")
    assert origin.requests == {"/main": 1}


async def test_the_address_is_sent_as_the_key_has_it(origin: FakeOrigin) -> None:
    target = "/caf%C3%A9/a%3Ab;c,d/index.m3u8?_HLS_msn=7&_HLS_part=0"
    origin.serve(target, Resource(b"exactly"))
    async with upstream(origin.url) as (pool, _):
        assert (await fetch(pool, Key(target, gzip=False)))[1] == b"exactly"


async def test_a_body_in_gzip_is_left_in_gzip(origin: FakeOrigin) -> None:
    origin.serve("/x.json", Resource(b"not really", headers={"Content-Encoding": "gzip"}))
    async with upstream(origin.url) as (pool, _):
        assert (await fetch(pool, Key("/x.json", gzip=True)))[1] == b"not really"
    assert "accept-encoding: gzip" in origin.heads[0].lower()


async def test_a_probe_reports_to_the_watcher_and_raises_nothing(origin: FakeOrigin) -> None:
    async with upstream(origin.url) as (pool, diary):
        assert await pool.probe(PATIENCE_S)
        await origin.die()
        assert not await pool.probe(PATIENCE_S)
    assert origin.requests == {"/healthz": 1}
    assert diary.entries[0] == "answered"
    assert len(diary.entries) == 2
    await origin.start()


def test_what_belongs_to_one_connection_or_one_viewer_is_left_out() -> None:
    headers = (
        (b"connection", b"close, X-Private"),
        (b"keep-alive", b"timeout=5"),
        (b"transfer-encoding", b"chunked"),
        (b"x-private", b"hop"),
        (b"set-cookie", b"session=1"),
        (b"content-length", b"5"),
        (b"server", b"uvicorn"),
        (b"access-control-allow-credentials", b"true"),
        (b"etag", b'"v1"'),
        (b"content-type", b"text/html"),
        (b"content-security-policy", b"default-src 'self'"),
    )
    assert [name for name, _ in passed_on(headers, "http://o")] == [
        b"etag",
        b"content-type",
        b"content-security-policy",
    ]


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        (b"http://origin:8081/main/", b"/main/"),
        (b"http://origin:8081", b"/"),
        (b"/main/", b"/main/"),
        (b"https://elsewhere.example/", b"https://elsewhere.example/"),
        (b"http://origin:80811/", b"http://origin:80811/"),
    ],
)
def test_the_origins_own_address_is_not_told_to_viewers(location: bytes, seen: bytes) -> None:
    assert passed_on(((b"location", location),), "http://origin:8081") == ((b"location", seen),)
