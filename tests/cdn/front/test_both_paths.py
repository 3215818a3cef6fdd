"""The fast path against the full one: the same bytes get the same answers."""

import asyncio
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cdn.front.protocol import FastProtocol
from tests.cdn.front.heads import BARE, CHROMIUM, HLS_JS, ODD_HEADS, REAL, mutations, with_field
from tests.cdn.front.houses import House
from tests.support.caches import Answer
from tests.support.cuts import Cutter, every_way
from tests.support.turns import settle

DATE = re.compile(rb"date: [^\r]*\r\n")


async def said(house: House, pieces: list[bytes]) -> tuple[bytes, bool]:
    """What a house answers to a stream of bytes, and whether it hangs up then."""
    line = house.connect()
    for piece in pieces:
        line.deliver(piece)
        await settle()
    for _ in range(3):
        await settle()
    closed = line.is_closed
    line.hang_up()
    await settle()
    return DATE.sub(b"", line.written), closed


async def compare(
    pieces: list[bytes], *, answer: Answer | None = None, draining: bool = False
) -> None:
    houses = [House(is_fast=True), House(is_fast=False)]
    for house in houses:
        house.origin.answer = answer or Answer(b"#EXTM3U\n")
        house.health.draining = draining
    for age in (0.0, 0.5, 0.5):  # a miss, a hit, and an expired one
        fast, full = [await said(house, pieces) for house in houses]
        assert _in_any_order(fast[0]) == _in_any_order(full[0])
        assert fast[1] is full[1]
        for house in houses:
            house.clock.advance(age)
    assert houses[0].origin.requests == houses[1].origin.requests
    for house in houses:
        await house.close()


def _in_any_order(stream: bytes) -> list[list[bytes]]:
    return [sorted(block.split(b"\r\n")) for block in stream.split(b"\r\n\r\n")]


@every_way
@pytest.mark.parametrize("head", [*REAL, with_field(b'If-None-Match: "v1"')])
async def test_what_browsers_send_is_answered_alike_however_it_is_cut(
    head: bytes, cut: Cutter
) -> None:
    await compare(list(cut(head)))


@pytest.mark.parametrize("head", ODD_HEADS)
async def test_what_is_odd_is_answered_alike(head: bytes) -> None:
    await compare([head])
    await compare([BARE, head])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(b"", 204), id="204"),
        pytest.param(Answer(b"no", 404, ()), id="404"),
        pytest.param(Answer(b"later", 503, ((b"retry-after", b"7"),)), id="503 of the origin's"),
        pytest.param(Answer(is_down=True), id="no origin"),
        pytest.param(Answer(b"moved", 302, ((b"location", b"/b"),)), id="302"),
        pytest.param(Answer(b"odd", 599, ()), id="599"),
        pytest.param(Answer(b"", 200), id="an empty body"),
        pytest.param(Answer(b"x" * 200_000), id="a segment"),
        pytest.param(Answer(b"x" * 40_000, is_chunked=True), id="chunks"),
        pytest.param(Answer(b"x" * 40_000, breaks_off=True), id="it breaks off"),
    ],
)
@pytest.mark.parametrize("draining", [False, True])
async def test_every_answer_of_the_origin_is_passed_on_alike(
    answer: Answer, draining: bool
) -> None:
    await compare([BARE, CHROMIUM], answer=answer, draining=draining)
    await compare([with_field(b"Connection: close"), BARE], answer=answer, draining=draining)


@given(st.lists(mutations(), min_size=1, max_size=3), st.data())
@example([BARE + CHROMIUM, HLS_JS], None)
def test_the_same_bytes_get_the_same_answers(
    heads: list[bytes], data: st.DataObject | None
) -> None:
    pieces = heads
    if data is not None:
        stream = b"".join(heads)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))
        pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    asyncio.run(compare([piece for piece in pieces if piece]))


async def test_typical_requests_stay_on_the_fast_path_and_odd_ones_leave_it() -> None:
    house = House(is_fast=True)
    for head in REAL:
        line = house.connect()
        for _ in range(2):
            line.deliver(head)
            await settle()
        assert isinstance(line.protocol, FastProtocol)
    line.deliver(with_field(b"Range: bytes=0-0"))
    await settle()
    assert not isinstance(line.protocol, FastProtocol)
    assert b"206 Partial Content" in line.written
    line.deliver(BARE)
    await settle()
    assert line.written.count(b"HTTP/1.1 200 OK") == 3, "and is served as well by the full one"
    await house.close()
