"""Plays on the fast path: who waits, who leaves, who does not read, who never says what they want.

Where both paths promise the same, both are on stage.
"""

import asyncio

import pytest

from cdn.front.door import Door, most_connections
from cdn.front.protocol import DEAF_BYTES
from cdn.observe.access_log import Access, AccessLog
from tests.cdn.front.heads import BARE, CHROMIUM, HELD, with_field
from tests.cdn.front.houses import House, Line, ask, seconds
from tests.support.caches import KEY, Answer
from tests.support.turns import settle


async def test_a_thousand_who_wait_are_answered_by_one_write_each(house: House) -> None:
    house.origin.may_answer.clear()
    lines = [await_line(house, CHROMIUM) for _ in range(1000)]
    await settle()
    assert house.cache.waiting == 1000
    tasks = len(asyncio.all_tasks())
    house.origin.may_answer.set()
    await settle()
    assert tasks < 5, "nobody who waits has a task"
    assert {line.writes for line in lines} == {1}
    assert len({line.written for line in lines}) == 2, "the first one's, and everybody else's"
    assert sum(house.origin.requests.values()) == 1


def await_line(house: House, head: bytes) -> Line:
    line = house.connect()
    line.deliver(head)
    return line


async def test_a_viewer_who_leaves_takes_nothing_down(either: House) -> None:
    either.origin.may_answer.clear()
    leaving, staying = await ask(either), await ask(either)
    leaving.hang_up()
    await settle()
    either.origin.may_answer.set()
    await settle()
    assert staying.written.endswith(b"the body")
    assert leaving.written == b""
    assert either.origin.requests == {KEY: 1}
    assert either.cache.waiting == 0


async def test_nothing_is_left_of_a_waiter_that_left(house: House) -> None:
    house.origin.may_answer.clear()
    line = await ask(house)
    line.hang_up()
    assert house.cache.waiting == 0
    assert house.hall.guests == 0


async def test_the_second_viewer_gets_the_first_bytes_at_once(either: House) -> None:
    for is_chunked in (False, True):
        either.clock.advance(100)
        either.origin.answer = Answer(b"first " + b"second", is_chunked=is_chunked)
        either.origin.may_end.clear()
        first = await ask(either)
        second = await ask(either)
        assert b"first" in first.written
        assert b"first" in second.written
        assert b"second" not in second.written
        either.origin.may_end.set()
        await settle()
        assert b"second" in second.written
        assert (second.written.endswith(b"0\r\n\r\n")) is is_chunked
        assert either.origin.requests[KEY] == (2 if is_chunked else 1)


@pytest.mark.parametrize("breaks_off", [False, True])
async def test_who_speaks_an_older_http_is_sent_the_whole_and_no_chunks(
    either: House, breaks_off: bool
) -> None:
    either.origin.answer = Answer(b"first second", is_chunked=True, breaks_off=breaks_off)
    either.origin.may_end.clear()
    old = await ask(either, BARE.replace(b"HTTP/1.1", b"HTTP/1.0"))
    new = await ask(either)
    assert b"first" in new.written
    assert old.written == b"", "its length is not known yet"
    either.origin.may_end.set()
    await settle()
    assert b"transfer-encoding" not in old.written
    if breaks_off:
        assert old.written.startswith(b"HTTP/1.1 503 ")
    else:
        assert old.written.endswith(b"\r\n\r\nfirst second")
        assert b"content-length: 12\r\n" in old.written


async def test_a_viewer_who_leaves_in_the_middle_of_a_body_leaves_it_to_the_others(
    either: House,
) -> None:
    either.origin.may_end.clear()
    leaving, staying = await ask(either), await ask(either)
    leaving.hang_up()
    either.origin.may_end.set()
    await settle()
    assert staying.written.endswith(b"the body")


async def test_who_is_not_answered_yet_is_answered_first(either: House) -> None:
    either.origin.may_answer.clear()
    line = await ask(either, HELD)
    line.deliver(BARE)
    await settle()
    assert line.written == b""
    either.origin.answer = Answer(b"held")
    either.origin.may_answer.set()
    await settle()
    await settle()
    bodies = line.written.split(b"\r\n\r\n")
    assert bodies[1].startswith(b"held")
    assert len(bodies) == 3, "and then the next one"


async def test_what_comes_too_early_is_not_read_without_bound(house: House) -> None:
    house.origin.may_answer.clear()
    line = await ask(house)
    line.deliver(b"GET /" + b"x" * DEAF_BYTES)
    assert not line.reads
    house.origin.may_answer.set()
    await settle()
    assert line.reads


async def test_a_viewer_who_does_not_read_is_not_sent_more(house: House) -> None:
    house.origin.answer = Answer(b"x" * 400_000)
    house.origin.may_end.clear()
    line = house.connect()
    line.takes = False
    line.deliver(BARE)
    await settle()
    sent = len(line.written)
    house.origin.may_end.set()
    await settle()
    assert len(line.written) == sent < 300_000
    assert not line.reads
    line.takes = True
    line.take()
    await settle()
    assert line.written.endswith(b"x" * 400_000)
    assert line.reads


async def test_a_viewer_who_takes_nothing_for_half_a_minute_is_cut_off(either: House) -> None:
    either.origin.answer = Answer(b"x" * 400_000)
    line = either.connect()
    line.takes = False
    line.deliver(BARE)
    await settle()
    seconds(either, 20)
    line.take(1)
    seconds(either, 30)
    assert not line.is_aborted, "a byte is progress"
    seconds(either, 3)
    assert line.is_aborted


async def test_a_request_that_is_not_finished_in_ten_seconds_is_not_waited_for(
    either: House,
) -> None:
    for beginning in (b"", BARE[:20], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"):
        line = either.connect()
        if beginning:
            line.deliver(beginning)
        await settle()
        seconds(either, 9)
        assert not line.is_closed
        seconds(either, 3)
        assert line.is_closed
        await settle()


async def test_a_request_that_trickles_in_is_not_waited_for_either(either: House) -> None:
    line = either.connect()
    for at in range(14):
        line.deliver(BARE[at : at + 1])
        await settle()
        seconds(either, 1)
    assert line.is_closed


async def test_an_idle_viewer_is_kept_for_half_a_minute(house: House) -> None:
    line = await ask(house)
    seconds(house, 30)
    assert not line.is_closed
    seconds(house, 2)
    assert line.is_closed


async def test_a_viewer_who_is_held_is_not_idle(house: House) -> None:
    house.origin.may_answer.clear()
    line = await ask(house, HELD)
    seconds(house, 100)
    assert not line.is_closed
    line.hang_up()


async def test_the_sweep_rests_when_nobody_is_there(either: House) -> None:
    line = await ask(either)
    assert either.clock.pending == 1
    line.hang_up()
    await settle()
    seconds(either, 1)
    assert either.clock.pending == 0


@pytest.mark.parametrize("is_fast", [True, False])
async def test_beyond_the_limit_a_connection_is_told_so_and_closed(is_fast: bool) -> None:
    house = House(is_fast, door=Door(most=2, most_per_address=0))
    inside = [house.connect() for _ in range(2)]
    refused = house.connect()
    assert refused.written.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1\r\n" in refused.written
    assert refused.is_closed
    inside[0].hang_up()
    await settle()
    assert not house.connect().is_closed
    assert house.door.turned_away == 1
    await house.close()


@pytest.mark.parametrize("is_fast", [True, False])
async def test_one_address_cannot_take_all_the_room_if_the_operator_says_so(is_fast: bool) -> None:
    house = House(is_fast, door=Door(most=0, most_per_address=2))
    first = await ask(house)
    first.deliver(with_field(b"Range: bytes=0-0"))  # handed over, and still one connection
    await settle()
    second = house.connect()
    assert house.connect().is_closed
    assert not house.connect("192.0.2.2").is_closed
    for line in (first, second):
        line.hang_up()
    await settle()
    assert not house.connect().is_closed
    await house.close()


def test_without_a_limit_there_is_room_for_as_many_as_there_are_descriptors() -> None:
    assert most_connections(7, origin_connections=512) == 7
    assert most_connections(0, 512) >= 1
    assert most_connections(0, 10**9) == 1


async def test_a_server_on_its_way_out_closes_who_is_idle_and_finishes_who_is_not(
    either: House,
) -> None:
    idle = await ask(either)
    either.clock.advance(5)
    either.origin.may_answer.clear()
    waiting = await ask(either)
    for connection in list(either.state.connections):
        connection.shutdown()
    await settle()
    assert idle.is_closed
    assert not waiting.is_closed
    either.origin.may_answer.set()
    await settle()
    assert waiting.written.endswith(b"the body")
    assert b"connection: close\r\n" in waiting.written
    assert waiting.is_closed


async def test_under_tls_a_segment_goes_out_in_pieces_when_the_last_has_left() -> None:
    house = House(is_fast=True, is_tls=True)
    house.origin.answer = Answer(b"x" * 400_000)
    (await ask(house)).hang_up()
    line = house.connect()
    line.takes = False
    line.deliver(BARE)
    await settle()
    assert len(line.written) < 140_000
    while not line.reads:
        line.take()
        await settle()
    assert line.written.endswith(b"x" * 400_000)
    await house.close()


async def test_every_answer_is_offered_to_the_access_log(
    either: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Access] = []
    log = AccessLog(1.0, "stderr")
    monkeypatch.setattr(log, "write", seen.append)
    house = House(either.is_fast, access_log=log)
    line = await ask(house, CHROMIUM)
    line.deliver(with_field(b"Range: bytes=0-0"))
    await settle()
    log.close()
    assert [(each.status, each.cache, each.address) for each in seen] == [
        (200, "miss", "192.0.2.1"),
        (206, "miss", "192.0.2.1"),
    ]
    assert seen[0].target.startswith("/main/v0/index.m3u8?")
    await house.close()
