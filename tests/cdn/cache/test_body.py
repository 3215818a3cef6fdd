"""A body that grows while it is read: readers get every byte, or are told that it broke off."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.cache.body import PIECE_BYTES, Body, cut
from cdn.errors import OriginFailed
from tests.support.turns import settle


async def read(body: Body) -> bytes:
    return b"".join([piece async for piece in body.read()])


async def test_every_reader_gets_every_byte_whenever_it_comes() -> None:
    body = Body()
    early = asyncio.create_task(read(body))
    await settle()
    body.feed(b"first ")
    await settle()
    in_between = asyncio.create_task(read(body))
    await settle()
    body.feed(b"second")
    body.finish()
    assert [await early, await in_between, await read(body)] == [b"first second"] * 3


async def test_a_reader_gets_what_is_there_before_the_rest_has_come() -> None:
    body = Body(length=12)
    body.feed(b"first ")
    reader = body.read()
    assert await anext(reader) == b"first "
    rest = asyncio.ensure_future(anext(reader))
    await settle()
    assert not rest.done()
    body.feed(b"second")
    assert await rest == b"second"


async def test_a_body_that_broke_off_does_not_end() -> None:
    body = Body(length=12)
    body.feed(b"first ")
    reader = body.read()
    assert await anext(reader) == b"first "
    body.fail(OriginFailed("the connection was reset"))
    with pytest.raises(OriginFailed, match="reset"):
        await anext(reader)
    assert not body.complete


async def test_a_reader_who_leaves_takes_nobody_along() -> None:
    body = Body()
    leaving, staying = asyncio.create_task(read(body)), asyncio.create_task(read(body))
    await settle()
    leaving.cancel()
    body.feed(b"all")
    body.finish()
    assert await staying == b"all"
    assert leaving.cancelled()


@given(st.lists(st.binary(max_size=50_000), max_size=12))
def test_a_finished_body_is_the_same_bytes_in_fewer_pieces(pieces: list[bytes]) -> None:
    body = Body()
    for piece in pieces:
        body.feed(piece)
    body.finish()
    assert b"".join(body.pieces) == b"".join(pieces)
    assert body.size == body.length == sum(map(len, pieces))
    assert all(len(piece) <= PIECE_BYTES for piece in body.pieces)
    for left, right in zip(body.pieces, body.pieces[1:], strict=False):
        assert len(left) + len(right) > PIECE_BYTES / 2


def test_a_body_of_one_piece_is_not_copied() -> None:
    body, piece = Body(), b"x" * 1000
    body.feed(piece)
    body.finish()
    assert body.pieces[0] is piece


@given(st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=6), st.data())
def test_a_cut_is_that_slice_of_the_whole(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    first = data.draw(st.integers(0, len(whole) - 1))
    last = data.draw(st.integers(first, len(whole) - 1))
    assert b"".join(cut(pieces, first, last)) == whole[first : last + 1]
