"""What strangers send to an edge: it is refused, alike on both paths, and nothing of it goes on."""

import re

import pytest

from tests.cdn.front.houses import DEADLINES, House, Line
from tests.support.caches import Answer
from tests.support.hostile import MALFORMED, MISSPELT, NONSENSE, UNSERVED
from tests.support.turns import settle

SPELT_LIKE_CONTROL = (
    *("/api", "/api/v1/streams", "/metrics", "/docs", "/redoc", "/openapi.json", "/studio"),
    *("/API/v1", "/Metrics", "/DOCS", "/%61pi/v1", "/%6Detrics", "/metrics/", "/metrics?a=b"),
    *("/metrics;a=b", "/metrics%20", "/metrics,", "/metrics:80", "http://o/metrics"),
    *("/./metrics", "//metrics", "/a/../metrics", "/%2e/metrics", "/metrics%2f", "/metrics%00"),
    *("/\\metrics", "/main/../api/v1", "/main/%2e%2e/api", "/main%2f..%2fapi"),
)


@pytest.fixture(params=[True, False], ids=["fast path", "full path"])
def house(request: pytest.FixtureRequest) -> House:
    house = House(is_fast=request.param)
    house.origin.answer = Answer(b"#EXTM3U\n")
    return house


async def said(house: House, *pieces: bytes) -> Line:
    line = house.connect()
    for piece in pieces:
        line.deliver(piece)
        await settle()
    for _ in range(3):
        await settle()
    return line


def statuses(line: Line) -> list[int]:
    return [int(each) for each in re.findall(rb"(?:^|\n)HTTP/1\.1 (\d+)", line.written)]


def get(target: str, fields: str = "") -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: evil.example\r\n{fields}\r\n".encode("latin-1")


@pytest.mark.parametrize("stream", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_request_is_refused_once_and_the_connection_ends(
    house: House, stream: bytes
) -> None:
    line = await said(house, stream)
    assert statuses(line) == [400]
    assert line.is_closed
    assert b"nosniff" in line.written
    assert b"cache-status: tidecast; detail=local\r\n" in line.written
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize("path", SPELT_LIKE_CONTROL)
async def test_the_control_side_is_not_forwarded_under_any_spelling(
    house: House, path: str
) -> None:
    line = await said(house, get(path))
    assert statuses(line) in ([400], [404])
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize(("path", "status"), MISSPELT.items(), ids=[each[:30] for each in MISSPELT])
async def test_a_path_that_no_player_asks_for_is_refused(
    house: House, path: str, status: int
) -> None:
    line = await said(house, get(path))
    assert statuses(line) == [status]
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize("query", NONSENSE)
async def test_directives_that_mean_nothing_are_refused(house: House, query: str) -> None:
    line = await said(house, get(f"/main/v0/index.m3u8?{query}"))
    assert statuses(line) == [400]
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize("method", UNSERVED)
async def test_methods_that_change_something_are_refused(house: House, method: str) -> None:
    request = get("/main/index.m3u8", "Content-Length: 3\r\n").replace(b"GET", method.encode(), 1)
    line = await said(house, request + b"abc")
    assert statuses(line) == [405]
    assert b"allow: GET, HEAD" in line.written
    assert not house.origin.requests
    await house.close()


async def test_the_host_that_was_asked_for_is_repeated_nowhere_and_nothing_is_sniffed(
    house: House,
) -> None:
    for target in ("/main", "/main/", "/api", "/healthz", "/main/v0/index.m3u8", "/a//b"):
        line = await said(house, get(target))
        assert b"evil.example" not in line.written
        assert line.written.count(b"x-content-type-options: nosniff") == 1
    await house.close()


async def test_a_circle_is_noticed_however_many_lines_name_those_in_it(house: House) -> None:
    line = await said(house, get("/main", "CDN-Loop: tidecast\r\nCDN-Loop: other; v=1\r\n"))
    assert statuses(line) == [508]
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize("field", ["a" * 1025, "a\xe9"], ids=["long", "beyond ASCII"])
async def test_what_an_origin_might_refuse_is_not_passed_on_for_all_who_wait(
    house: House, field: str
) -> None:
    line = await said(house, get("/main", f"CDN-Loop: {field}\r\n"))
    assert statuses(line) == [508]
    assert not house.origin.requests
    await house.close()


@pytest.mark.parametrize("drop", [b"", b"GET /ma", b"GET /main HTTP/1.1\r\nHost: x\r\nX: "])
async def test_a_request_that_comes_by_drops_is_cut_off_in_time(house: House, drop: bytes) -> None:
    line = await said(house, drop)
    for _ in range(2 * DEADLINES.head_s + 3):
        house.clock.advance(1.0)
        if drop:
            line.deliver(b"y")
        await settle()
    assert line.is_closed
    assert statuses(line) in ([], [400])
    await house.close()


async def test_a_request_without_an_end_is_refused_at_its_bound(house: House) -> None:
    line = await said(
        house, b"GET /main HTTP/1.1\r\nHost: o\r\n", *[b"X: and more\r\n" * 1_000] * 6
    )
    assert statuses(line) == [400]
    assert line.is_closed
    await house.close()


async def test_what_stands_before_a_request_is_not_counted_with_it(house: House) -> None:
    long = get("/healthz", "X: " + "a" * 8_000 + "\r\n")
    line = await said(house, long * 10 + long[:20], long[20:])
    assert line.written.count(b"HTTP/1.1 200 OK") == 11
    await house.close()


async def test_a_request_before_nonsense_is_given_up_without_a_word_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.origin.may_answer.clear()
    line = await said(house, get("/main") + get("/main") + b"\0\r\n\r\n")
    assert statuses(line) == [400]
    house.origin.may_answer.set()
    await settle()
    await house.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
