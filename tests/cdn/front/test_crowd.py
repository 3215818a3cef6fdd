"""Plays on those who wait together: in which order they are served, who leaves, who differs."""

from collections.abc import Callable

import pytest
from prometheus_client import generate_latest

from cdn.cache.body import PIECE_BYTES
from cdn.front.crowd import BATCH
from cdn.front.protocol import FastProtocol
from cdn.observe.access_log import Access, AccessLog
from tests.cdn.front.heads import BARE, with_field
from tests.cdn.front.houses import House, Line
from tests.support.caches import Answer
from tests.support.turns import settle

FOR_A_MINUTE = ((b"cache-control", b"max-age=60"),)


class Witness(Line):
    """A viewer of whose first bytes somebody is told."""

    def __init__(self, tell: Callable[[Line], None]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, data: bytes | bytearray | memoryview) -> None:
        is_first = not self.writes
        super().write(data)
        if is_first:
            self._tell(self)


def come(house: House, count: int, line: Callable[[], Line] = Line) -> list[Line]:
    """So many ask, and wait: the origin may not answer yet."""
    house.origin.may_answer.clear()
    lines = [house.connect(line=line()) for _ in range(count)]
    for each in lines:
        each.deliver(BARE)
    return lines


async def release(house: House) -> None:
    await settle()
    house.origin.may_answer.set()
    await settle()


def counted(house: House) -> dict[str, int]:
    """How many were answered, by what the cache did."""
    lines = generate_latest(house.metrics.registry).decode().splitlines()
    found = [line for line in lines if line.startswith("tidecast_edge_requests_total")]
    return {line.split('cache="')[1].split('"')[0]: int(float(line.split()[-1])) for line in found}


async def test_who_came_first_is_served_first(house: House) -> None:
    served: list[Line] = []
    lines = come(house, 2 * BATCH + 9, lambda: Witness(served.append))
    await release(house)
    assert served == lines


async def test_everybody_is_counted_while_waiting_and_when_served(house: House) -> None:
    lines = come(house, 1000)
    assert house.cache.waiting == 1000
    for line in lines[::10]:
        line.hang_up()
    assert house.cache.waiting == 900
    await release(house)
    assert house.cache.waiting == 0
    assert counted(house) == {"miss_collapsed": 900}, "the very first has left, too"
    assert not any(line.written for line in lines[::10])


async def test_a_crowd_that_all_have_left_takes_others_in(house: House) -> None:
    for line in come(house, 5):
        line.hang_up()
    assert house.cache.waiting == 0
    lines = come(house, 5)
    assert house.cache.waiting == 5
    await release(house)
    assert all(line.written.endswith(b"the body") for line in lines)
    assert sum(house.origin.requests.values()) == 1


async def test_who_is_lost_while_others_are_served_is_not_written_to(house: House) -> None:
    lines: list[Line] = []

    def take_another_along(line: Line) -> None:
        if line is lines[3]:
            lines[6].hang_up()

    lines += come(house, 9, lambda: Witness(take_another_along))
    await release(house)
    assert [bool(line.written) for line in lines] == [True] * 6 + [False] + [True] * 2
    assert counted(house) == {"miss": 1, "miss_collapsed": 7}
    assert house.cache.waiting == 0


async def test_one_who_cannot_be_written_to_does_not_harm_the_others(house: House) -> None:
    def refuse(_: Line) -> None:
        raise OSError("this line is broken")

    lines = come(house, 3)
    lines += come(house, 1, lambda: Witness(refuse))
    lines += come(house, 3)
    await release(house)
    assert all(line.written.endswith(b"the body") for line in lines[:3] + lines[4:])
    assert house.cache.waiting == 0


async def test_all_are_told_that_there_is_nothing(house: House) -> None:
    house.origin.answer = Answer(is_down=True)
    lines = come(house, 20)
    lines[7].hang_up()
    await release(house)
    heads = {line.written.partition(b"\r\n")[0] for line in lines if line is not lines[7]}
    assert heads == {b"HTTP/1.1 503 Service Unavailable"}
    assert lines[7].written == b""
    assert house.cache.waiting == 0


async def test_on_the_way_out_each_is_told_that_it_is_the_last(house: House) -> None:
    lines = come(house, 5)
    house.health.draining = True
    await release(house)
    assert all(b"connection: close\r\n" in line.written for line in lines)
    assert all(line.is_closed for line in lines)


async def test_who_has_been_asked_to_leave_gets_the_answer_and_leaves(house: House) -> None:
    lines = come(house, 5)
    protocol = lines[2].protocol
    assert isinstance(protocol, FastProtocol)
    protocol.shutdown()
    await release(house)
    assert [line.is_closed for line in lines] == [False, False, True, False, False]
    assert all(line.written.endswith(b"the body") for line in lines)
    assert counted(house) == {"miss": 1, "miss_collapsed": 4}


async def test_each_of_them_has_a_line_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Access] = []
    log = AccessLog(1.0, "stderr")
    monkeypatch.setattr(log, "write", seen.append)
    house = House(is_fast=True, access_log=log)
    lines = come(house, 5)
    await release(house)
    log.close()
    assert all(line.written.endswith(b"the body") for line in lines)
    assert [each.cache for each in seen] == ["miss"] + 4 * ["miss_collapsed"]
    await house.close()


async def test_a_body_that_still_grows_reaches_each_of_them_whole(house: House) -> None:
    house.origin.answer = Answer(b"first second")
    house.origin.may_end.clear()
    lines = come(house, 5)
    lines[1].hang_up()
    await release(house)
    assert all(line.written.endswith(b"first ") for line in lines if line is not lines[1])
    house.origin.may_end.set()
    await settle()
    assert all(line.written.endswith(b"first second") for line in lines if line is not lines[1])


async def test_under_tls_each_gets_a_large_body_in_pieces() -> None:
    house = House(is_fast=True, is_tls=True)
    house.origin.answer = Answer(b"x" * (3 * PIECE_BYTES))
    lines = come(house, 5)
    await release(house)
    assert all(line.written.count(b"x" * 3 * PIECE_BYTES) == 1 for line in lines)
    assert all(line.writes >= 4 for line in lines)
    await house.close()


async def test_what_a_member_asks_meanwhile_is_answered_next(house: House) -> None:
    lines = come(house, 3)
    lines[2].deliver(with_field(b"X-Other: 1"))
    await release(house)
    assert [line.written.count(b"the body") for line in lines] == [1, 1, 2]


async def test_what_is_said_of_age_is_true_for_the_last_of_many(house: House) -> None:
    house.origin.answer = Answer(headers=FOR_A_MINUTE)
    lines: list[Line] = []

    def take_a_second(line: Line) -> None:
        if line is lines[5]:
            house.clock.advance(1)

    lines += come(house, BATCH + 9, lambda: Witness(take_a_second))
    await release(house)
    assert b"\r\nage: 0\r\n" in lines[1].written
    assert b"\r\nage: 1\r\n" in lines[-1].written
