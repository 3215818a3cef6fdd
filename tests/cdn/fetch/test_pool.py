"""Connections to the origin: which is used again, which never, and what an idle one may do."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from cdn.errors import OriginFailed
from cdn.fetch.connection import MOST_HELD_BYTES
from cdn.fetch.dial import address_of, by_turns
from cdn.fetch.upstream import Upstream, request_for
from cdn.http.keys import Key
from cdn.settings import Origin
from tests.support.certificates import self_signed
from tests.support.turns import close_door

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
KEY = Key("/a.m4s", gzip=False)

Play = Callable[["Telephone"], Awaitable[None]]


class Telephone:
    """One connection as the origin sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def asked(self) -> str:
        """The next request's target."""
        return (await self.reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]

    def say(self, answer: bytes) -> None:
        self.writer.write(answer)

    async def hung_up(self) -> None:
        """Wait until the other side has gone."""
        try:
            while await self.reader.read(65_536):
                pass
        except ConnectionError:
            return


class Exchange:
    """An origin with a play for each connection, in the order in which they are made."""

    def __init__(self, *plays: Play) -> None:
        self._plays = list(plays)
        self.calls = 0
        self.curtain = asyncio.Event()
        """Set when the last of the plays is over."""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.calls += 1
        try:
            await self._plays.pop(0)(Telephone(reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            if not self._plays:
                self.curtain.set()


@asynccontextmanager
async def calling(
    exchange: Exchange, tls: ssl.SSLContext | None = None, **settings: float
) -> AsyncGenerator[Upstream]:
    server = await asyncio.start_server(exchange, "127.0.0.1", 0, ssl=tls)
    scheme = "http" if tls is None else "https"
    url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    upstream = Upstream(Origin.model_validate({"url": url, **settings}), url, Nobody())
    await upstream.open()
    try:
        yield upstream
    finally:
        await upstream.close()
        await close_door(server)


class Nobody:
    """A watcher who does not care."""

    def answered(self) -> None: ...
    def failed(self, reason: str) -> None: ...


async def body(upstream: Upstream) -> bytes:
    async with upstream.fetch(KEY, None) as reply:
        return b"".join([piece async for piece in reply.pieces()])


async def polite(telephone: Telephone) -> None:
    while await telephone.asked():
        telephone.say(HELLO)


async def test_one_connection_is_enough_for_those_who_ask_in_turn() -> None:
    exchange = Exchange(polite)
    async with calling(exchange) as upstream:
        assert [await body(upstream) for _ in range(20)] == [b"hello"] * 20
    assert exchange.calls == 1


async def test_no_more_connections_are_made_than_allowed() -> None:
    may_answer = asyncio.Event()

    async def patient(telephone: Telephone) -> None:
        while await telephone.asked():
            await may_answer.wait()
            telephone.say(HELLO)

    exchange = Exchange(patient, patient)
    async with calling(exchange, connections=2) as upstream:
        asking = [asyncio.create_task(body(upstream)) for _ in range(10)]
        asking[0].cancel()
        may_answer.set()
        assert await asyncio.gather(*asking[1:]) == [b"hello"] * 9
    assert exchange.calls == 2


async def test_a_connection_that_was_closed_meanwhile_is_not_a_failure() -> None:
    async def forgetful(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(HELLO)
        await telephone.asked()  # and hangs up without a word

    exchange = Exchange(forgetful, polite)
    async with calling(exchange) as upstream:
        assert [await body(upstream), await body(upstream)] == [b"hello", b"hello"]
    assert exchange.calls == 2


async def test_a_question_is_not_asked_again_once_a_byte_has_come_back() -> None:
    async def rude(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(HELLO)
        await telephone.asked()
        telephone.say(b"H")

    exchange = Exchange(rude, polite)
    async with calling(exchange) as upstream:
        assert await body(upstream) == b"hello"
        with pytest.raises(OriginFailed, match="hung up"):
            await body(upstream)
    assert exchange.calls == 1


async def test_a_question_is_asked_again_only_once() -> None:
    async def silent(telephone: Telephone) -> None:
        await telephone.asked()

    async def forgetful(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(HELLO)
        await telephone.asked()

    exchange = Exchange(forgetful, silent, polite)
    async with calling(exchange) as upstream:
        assert await body(upstream) == b"hello"
        with pytest.raises(OriginFailed, match="hung up"):
            await body(upstream)
    assert exchange.calls == 2


@pytest.mark.parametrize("surplus", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"\r\n"])
async def test_what_comes_without_a_question_is_nobodys_answer(surplus: bytes) -> None:
    said, gone = asyncio.Event(), asyncio.Event()

    async def talkative(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(HELLO)
        await said.wait()
        telephone.say(surplus)
        await telephone.hung_up()
        gone.set()

    exchange = Exchange(talkative, polite)
    async with calling(exchange) as upstream:
        assert await body(upstream) == b"hello"
        said.set()
        await gone.wait()
        assert await body(upstream) == b"hello"
    assert exchange.calls == 2


async def test_a_body_that_was_left_in_the_middle_is_nobody_elses() -> None:
    async def long_winded(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 300)
        await telephone.hung_up()

    exchange = Exchange(long_winded, polite)
    async with calling(exchange) as upstream:
        async with upstream.fetch(KEY, None) as reply:
            assert await anext(reply.pieces()) == b"x" * 300
        assert await body(upstream) == b"hello"
    assert exchange.calls == 2


async def test_who_stops_waiting_hangs_up() -> None:
    was_asked, gone = asyncio.Event(), asyncio.Event()

    async def slow(telephone: Telephone) -> None:
        await telephone.asked()
        was_asked.set()
        await telephone.hung_up()
        gone.set()

    async with calling(Exchange(slow, polite)) as upstream:
        waiting = asyncio.create_task(body(upstream))
        await was_asked.wait()
        waiting.cancel()
        await gone.wait()
        assert await body(upstream) == b"hello"


async def test_one_byte_at_a_time_ends_with_the_time_for_the_whole() -> None:
    async def dripping(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
        while not telephone.writer.is_closing():
            telephone.say(b"x")
            await telephone.writer.drain()
            await asyncio.sleep(0)

    async with calling(Exchange(dripping), total_timeout_s=0.1) as upstream:
        with pytest.raises(OriginFailed, match="too long"):
            await body(upstream)


async def test_an_origin_waits_for_whoever_does_not_read() -> None:
    """More than is held here and in the kernel is not taken before somebody wants it."""
    size = 40 * MOST_HELD_BYTES
    is_stuck, all_sent = asyncio.Event(), asyncio.Event()

    async def eager(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        telephone.say(b"x" * size)
        is_stuck.set()
        await telephone.writer.drain()
        all_sent.set()
        await telephone.hung_up()

    async with calling(Exchange(eager)) as upstream, upstream.fetch(KEY, None) as reply:
        await is_stuck.wait()
        pieces = reply.pieces()
        longest = 0
        async for piece in pieces:
            longest = max(longest, len(piece))
            size -= len(piece)
        await all_sent.wait()
    assert size == 0
    assert longest < 3 * MOST_HELD_BYTES


async def test_what_is_idle_for_long_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cdn.fetch.pool.IDLE_S", 0.0)
    gone = asyncio.Event()

    async def patient(telephone: Telephone) -> None:
        await telephone.asked()
        telephone.say(HELLO)
        await telephone.hung_up()
        gone.set()

    async with calling(Exchange(patient)) as upstream:
        assert await body(upstream) == b"hello"
        await gone.wait()


async def test_an_origin_behind_tls_is_believed_only_with_a_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = self_signed(tmp_path, "origin")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    async with calling(Exchange(polite), tls) as upstream:
        with pytest.raises(OriginFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await body(upstream)
    monkeypatch.setenv("SSL_CERT_FILE", str(pair.certificate))
    exchange = Exchange(polite)
    async with calling(exchange, tls) as upstream:
        assert [await body(upstream), await body(upstream)] == [b"hello", b"hello"]
    assert exchange.calls == 1


async def test_a_name_with_several_addresses_is_reached_at_the_one_that_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with AsyncExitStack() as stack:
        exchange = Exchange(polite)
        server = await asyncio.start_server(exchange, "127.0.0.1", 0)
        stack.push_async_callback(close_door, server)
        port = server.sockets[0].getsockname()[1]

        async def found(*_: object, **__: object) -> list[tuple[object, ...]]:
            addresses = ("127.1.1.1", "127.1.1.2", "127.0.0.1")
            return [(2, 1, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
        url = f"http://origin.example:{port}"
        upstream = Upstream(Origin.model_validate({"url": url}), url, Nobody())
        await upstream.open()
        stack.push_async_callback(upstream.close)
        assert await body(upstream) == b"hello"


def test_the_families_of_addresses_take_turns() -> None:
    known = ["2001:db8::1", "2001:db8::2", "2001:db8::1", "192.0.2.1"]
    assert by_turns(known) == ["2001:db8::1", "192.0.2.1", "2001:db8::2"]
    assert by_turns(["192.0.2.1", "2001:db8::1"]) == ["192.0.2.1", "2001:db8::1"]
    assert by_turns([]) == []


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://live.example.com", "live.example.com"),
        ("http://live.example.com:80", "live.example.com"),
        ("https://live.example.com:443", "live.example.com"),
        ("https://live.example.com:80", "live.example.com:80"),
        ("http://[2001:db8::1]:8081", "[2001:db8::1]:8081"),
        ("http://bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_the_host_field_names_the_origin_as_its_address_does(url: str, authority: str) -> None:
    assert address_of(url).authority == authority


@pytest.mark.parametrize("hostile", [b'"a"\r\nX-Evil: 1', b'"a"\nX: 1', b'"\0"'])
def test_no_tag_can_add_a_line_to_a_request(hostile: bytes) -> None:
    with pytest.raises(ValueError, match="asked for"):
        request_for("origin", "/", {b"If-None-Match": hostile})


@pytest.mark.parametrize("hostile", ["/a b", "/a\r\nX: 1"])
def test_no_target_can_add_a_word_to_a_request(hostile: str) -> None:
    with pytest.raises(ValueError, match="asked for"):
        request_for("origin", hostile, {})
