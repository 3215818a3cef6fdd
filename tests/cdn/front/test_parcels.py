"""Answers whose pages are shared: sockets get the same bytes, however slowly they take them."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from cdn.front.parcels import SHARED_BYTES, WRITES_BEFORE, Parcel, Shelf, send_file
from tests.cdn.front.heads import BARE
from tests.cdn.front.houses import House, ask, seconds
from tests.support.caches import Answer

PART = os.urandom(31 * 1024)
LARGE = os.urandom(1024 * 1024)
SYSTEM_TAKES = 64 * 1024
"""What there is room for on either side of a connection, roughly: far less than ``LARGE``."""


@pytest.fixture
def shelf() -> Generator[Shelf]:
    shelf = Shelf(most_files=2, most_bytes=40_000)
    yield shelf
    shelf.empty()


def parcel_of(size: int) -> Parcel:
    return Parcel((b"head", os.urandom(size - 4)))


def write_often(shelf: Shelf, parcel: Parcel) -> None:
    for _ in range(WRITES_BEFORE):
        shelf.wrote(parcel)


# ---- the shelf


def test_an_answer_that_is_written_often_gets_a_file_with_the_same_bytes(shelf: Shelf) -> None:
    parcel = parcel_of(SHARED_BYTES)
    for _ in range(WRITES_BEFORE - 1):
        shelf.wrote(parcel)
    assert parcel.file is None
    shelf.wrote(parcel)
    assert parcel.file is not None
    assert os.pread(parcel.file, 2 * parcel.size, 0) == b"".join(parcel.buffers)


def test_small_answers_are_not_worth_a_file() -> None:
    assert not parcel_of(SHARED_BYTES - 1).may_share
    assert parcel_of(SHARED_BYTES).may_share


def test_the_shelf_holds_so_many_files_and_no_more(shelf: Shelf) -> None:
    parcels = [parcel_of(10_000) for _ in range(3)]
    for parcel in parcels:
        write_often(shelf, parcel)
    assert [parcel.file is not None for parcel in parcels] == [True, True, False]
    assert not any(parcel.may_share for parcel in parcels), "nobody asks again"


def test_the_shelf_holds_so_many_bytes_and_no_more(shelf: Shelf) -> None:
    large, larger = parcel_of(30_000), parcel_of(10_001)
    write_often(shelf, large)
    write_often(shelf, larger)
    assert (large.file is None, larger.file is None) == (False, True)
    shelf.empty()
    again = parcel_of(40_000)
    write_often(shelf, again)
    assert again.file is not None, "there is room again"


def test_nothing_is_left_open_when_the_shelf_is_emptied(shelf: Shelf) -> None:
    parcel = parcel_of(10_000)
    write_often(shelf, parcel)
    file = parcel.file
    assert file is not None
    shelf.empty()
    assert len(shelf) == 0
    assert parcel.file is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


@settings(max_examples=50)
@given(st.lists(st.binary(max_size=9), min_size=1), st.data())
def test_what_is_left_is_what_has_not_gone(buffers: list[bytes], data: st.DataObject) -> None:
    parcel = Parcel(tuple(buffers))
    gone = data.draw(st.integers(0, parcel.size))
    assert b"".join(parcel.after(gone)) == b"".join(buffers)[gone:]


def test_a_socket_that_takes_nothing_is_left_to_the_transport(shelf: Shelf) -> None:
    parcel = parcel_of(SHARED_BYTES)
    write_often(shelf, parcel)
    near, far = socket.socketpair()
    far.close()
    with near:
        assert send_file(near.fileno(), parcel) == 0
    assert send_file(-1, parcel) == 0


# ---- the fast path


@asynccontextmanager
async def open_house(body: bytes) -> AsyncGenerator[tuple[House, int]]:
    """A front on a real port."""
    house = House(is_fast=True)
    house.origin.answer = Answer(body, headers=((b"cache-control", b"max-age=60"),))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_TAKES)
    server = await asyncio.get_running_loop().create_server(house.protocol, sock=listener)
    async with server:
        yield house, listener.getsockname()[1]
        await house.close()


async def read_answer(reader: asyncio.StreamReader, size: int) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: %d\r\n" % size in head
    return await reader.readexactly(size)


def copied(house: House) -> int:
    """How often the latest answer was copied, of all the times that it was written."""
    again = house.hall.renderings.again(BARE)
    assert again is not None
    return again.parcel.writes


async def all_wait(house: House, count: int) -> None:
    for _ in range(10_000):
        if house.cache.waiting == count:
            return
        await asyncio.sleep(0)
    raise AssertionError("not everybody has come to wait")


def on_either_loop(play: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(play())
    uvloop.run(play())


def test_the_ninth_viewer_gets_the_same_bytes_by_reference() -> None:
    async def play() -> None:
        async with open_house(PART) as (house, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(3 * WRITES_BEFORE):
                writer.write(BARE)
                assert await read_answer(reader, len(PART)) == PART
            assert copied(house) == WRITES_BEFORE
            assert len(house.hall.renderings.shelf) == 1
            seconds(house, 1)
            assert len(house.hall.renderings.shelf) == 0
            writer.write(BARE)
            assert await read_answer(reader, len(PART)) == PART
            writer.close()

    on_either_loop(play)


def test_who_reads_slowly_gets_the_rest_when_the_file_is_gone() -> None:
    async def play() -> None:
        async with open_house(LARGE) as (house, port):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(WRITES_BEFORE + 1):
                writer.write(BARE)
                assert await read_answer(reader, len(LARGE)) == LARGE
            slow = socket.socket()
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SYSTEM_TAKES)
            slow.setblocking(False)
            await asyncio.get_running_loop().sock_connect(slow, ("127.0.0.1", port))
            slow_reader, slow_writer = await asyncio.open_connection(sock=slow, limit=1024)
            slow_writer.write(BARE)
            await slow_reader.readuntil(b"\r\n\r\n")
            seconds(house, 1)
            assert len(house.hall.renderings.shelf) == 0
            assert await slow_reader.readexactly(len(LARGE)) == LARGE
            writer.close()
            slow_writer.close()

    on_either_loop(play)


def test_all_who_wait_for_a_part_get_it_whole() -> None:
    async def play() -> None:
        async with open_house(PART) as (house, port):
            house.origin.may_answer.clear()
            viewers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(40)]
            for _, writer in viewers:
                writer.write(BARE)
            await all_wait(house, len(viewers))
            house.origin.may_answer.set()
            for reader, _ in viewers:
                assert await read_answer(reader, len(PART)) == PART
            assert len(house.hall.renderings.shelf) == 1
            for _, writer in viewers:
                writer.close()

    on_either_loop(play)


async def test_a_viewer_who_has_not_taken_the_last_answer_gets_the_next_behind_it(
    house: House,
) -> None:
    house.origin.answer = Answer(PART, headers=((b"cache-control", b"max-age=60"),))
    line = await ask(house)
    for _ in range(WRITES_BEFORE):
        line.deliver(BARE)
    assert len(house.hall.renderings.shelf) == 1
    line.takes = False
    for _ in range(3):
        line.deliver(BARE)
    line.take()
    assert line.written.count(PART) == WRITES_BEFORE + 4


async def test_under_tls_no_pages_are_shared() -> None:
    house = House(is_fast=True, is_tls=True)
    house.origin.answer = Answer(PART, headers=((b"cache-control", b"max-age=60"),))
    line = await ask(house)
    for _ in range(2 * WRITES_BEFORE):
        line.deliver(BARE)
    assert line.written.count(PART) == 2 * WRITES_BEFORE + 1
    assert len(house.hall.renderings.shelf) == 0
    await house.close()
