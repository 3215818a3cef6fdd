"""What the fast path remembers: no more than it needs, no longer than it is true."""

import gc
import sys
import tracemalloc

from cdn.cache.entry import Entry
from cdn.front.protocol import FastProtocol
from cdn.http.keys import Kind
from tests.cdn.front.heads import BARE, HELD
from tests.cdn.front.houses import House, ask
from tests.support.caches import Answer
from tests.support.turns import settle


async def test_an_idle_connection_holds_next_to_nothing(house: House) -> None:
    line = await ask(house)
    protocol = line.protocol
    assert isinstance(protocol, FastProtocol)
    assert not hasattr(protocol, "__dict__")
    assert sys.getsizeof(protocol) <= 160
    assert all(
        referred is None or isinstance(referred, (bytes, int, float))
        for referred in gc.get_referents(protocol)
        if referred not in (house.hall, line, type(protocol)) and not callable(referred)
    )


async def test_memory_does_not_grow_with_what_viewers_ask(house: House) -> None:
    async def round_of(number: int) -> None:
        for each in range(300):
            target = b"index.m3u8?token=%d-%d" % (number, each)
            line = await ask(house, BARE.replace(b"index.m3u8", target))
            line.hang_up()
        await settle()
        house.clock.advance(1)

    for warm in range(16):  # fill the bounded memories
        await round_of(warm)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    for number in range(16, 20):
        await round_of(number)
    gc.collect()
    after = tracemalloc.take_snapshot()
    tracemalloc.stop()
    grown = sum(
        stat.size_diff
        for stat in after.compare_to(before, "filename")
        if "/cdn/" in stat.traceback[0].filename
    )
    assert house.cache.objects == 1
    assert grown < 400_000, f"{grown} bytes after 1,200 unlike requests"


async def test_what_was_purged_or_replaced_is_not_written_again(house: House) -> None:
    line = await ask(house)
    for _ in range(3):
        line.deliver(BARE)
        await settle()
    assert sum(house.origin.requests.values()) == 1
    house.cache.purge("/main/")
    house.origin.answer = Answer(b"anew")
    line.deliver(BARE)
    await settle()
    assert line.written.endswith(b"anew")


async def test_what_is_written_again_is_counted_and_tells_its_age(house: House) -> None:
    house.origin.answer = Answer(headers=((b"cache-control", b"max-age=5"),))
    line = await ask(house)
    for _ in range(4):
        for _ in range(3):
            line.deliver(BARE)
        house.clock.advance(0.75)
    ages = [part.split(b"\r\n")[0] for part in line.written.split(b"age: ")[1:]]
    assert ages == [b"0"] * 7 + [b"1"] * 3 + [b"2"] * 3
    tally = house.metrics.tally(Kind.PLAYLIST, 200, "hit")
    assert (tally.requests, tally.sent_bytes) == (12, 12 * len(b"the body"))


async def test_a_rendering_does_not_keep_what_the_cache_has_dropped(house: House) -> None:
    head = BARE.replace(b"index.m3u8", b"dropped.m4s")
    line = await ask(house, head)
    line.deliver(head)
    house.cache.purge("/")
    assert entries_of("/main/v0/dropped.m4s") > 0
    house.clock.advance(2)  # the flight's timer is gone then, too
    assert entries_of("/main/v0/dropped.m4s") == 0


def entries_of(target: str) -> int:
    gc.collect()
    return sum(isinstance(each, Entry) and each.key.target == target for each in gc.get_objects())


async def test_who_comes_after_a_purge_does_not_join_those_who_came_before_it(
    either: House,
) -> None:
    either.origin.may_answer.clear()
    before = await ask(either, HELD)
    among = await ask(either, HELD)
    assert sum(either.origin.requests.values()) == 1
    either.cache.purge("/main/")
    after = await ask(either, HELD)
    assert sum(either.origin.requests.values()) == 2
    either.origin.may_answer.set()
    await settle()
    assert all(line.written.startswith(b"HTTP/1.1 200 ") for line in (before, among, after))


async def test_who_comes_when_a_fetch_has_failed_starts_another(either: House) -> None:
    either.origin.answer = Answer(is_down=True)
    first = await ask(either, HELD)
    assert first.written.startswith(b"HTTP/1.1 503 ")
    either.origin.answer = Answer()
    second = await ask(either, HELD)
    assert second.written.startswith(b"HTTP/1.1 200 ")
