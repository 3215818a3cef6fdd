"""The fast path's request reader: what it takes, what it leaves alone, and no third thing."""

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cdn.front.request import MOST_HEAD_BYTES, Reading, Request, RequestReader
from cdn.http.keys import Key
from tests.cdn.front.heads import BARE, CHROMIUM, HLS_JS, ODD_HEADS, SAFARI, mutations

PLAIN = [
    pytest.param(BARE, Key("/main/v0/index.m3u8", False), id="bare"),
    pytest.param(CHROMIUM, Key("/main/v0/index.m3u8?_HLS_msn=7&_HLS_part=1", True), id="Chromium"),
    pytest.param(HLS_JS, Key("/main/v0/ab-7.1.m4s", False), id="hls.js, a part"),
    pytest.param(SAFARI, Key("/main/v0/index.m3u8?_HLS_skip=YES", True), id="Safari"),
]


@pytest.mark.parametrize(("head", "key"), PLAIN)
def test_what_browsers_send_is_read(head: bytes, key: Key) -> None:
    reader = RequestReader()
    for _ in range(2):  # and once more from memory
        assert reader.read(head) == Request(key)


@pytest.mark.parametrize(("head", "key"), PLAIN)
def test_a_beginning_is_recognised_as_one_wherever_it_is_cut(head: bytes, key: Key) -> None:
    reader = RequestReader()
    assert {reader.read(head[:at]) for at in range(1, len(head))} == {Reading.UNFINISHED}


@pytest.mark.parametrize("head", ODD_HEADS)
def test_what_is_odd_is_left_alone(head: bytes) -> None:
    assert RequestReader().read(head) is Reading.ODD


def test_a_request_says_whether_it_is_the_last_and_what_the_viewer_has() -> None:
    closing = BARE.replace(b"\r\n\r\n", b'\r\nConnection: Close\r\nIf-None-Match: "x"\r\n\r\n')
    read = RequestReader().read(closing)
    assert read == Request(Key("/main/v0/index.m3u8", False), closes=True, if_none_match=b'"x"')


def test_a_head_without_end_is_left_alone_before_it_costs_memory() -> None:
    long = BARE.removesuffix(b"\r\n") + b"Cookie: " + b"x" * MOST_HEAD_BYTES
    assert RequestReader().read(long) is Reading.ODD


class Heard:
    """What a full parser makes of the same bytes."""

    def __init__(self) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.requests = 0
        self.keeps_alive = False
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.keeps_alive = self.parser.should_keep_alive()

    def on_message_complete(self) -> None:
        self.requests += 1


@given(mutations())
@example(BARE)
def test_whatever_it_reads_a_full_parser_reads_alike(data: bytes) -> None:
    read = RequestReader().read(data)
    if not isinstance(read, Request):
        return
    heard = Heard()
    parser = heard.parser
    parser.feed_data(data)
    assert heard.requests == 1, "one request, and nothing behind it"
    assert (parser.get_method(), parser.get_http_version()) == (b"GET", "1.1")
    assert heard.keeps_alive is not read.closes
    assert not parser.should_upgrade()
    assert dict(heard.fields).get(b"if-none-match") == read.if_none_match


@given(st.lists(mutations(), max_size=6))
def test_what_was_read_before_makes_no_difference(heads: list[bytes]) -> None:
    reader = RequestReader()
    for head in [*heads, *heads]:
        assert reader.read(head) == RequestReader().read(head)
