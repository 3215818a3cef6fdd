"""One answer as bytes: what is whole, what is not, and what may follow it."""

from collections.abc import Iterator

import pytest

from cdn.errors import OriginFailed
from cdn.fetch.answer import LARGEST_HEAD_BYTES, Answer, Stage
from tests.support.cuts import Cutter, every_way

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BY_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


def fed(cut: Cutter, data: bytes) -> tuple[Answer, bytes]:
    """An answer that has been given all of it, and the body that came of it."""
    answer, body = Answer(), b""
    for piece in cut(data):
        answer.receive(piece)
        body += answer.take()
    return answer, body


def in_pieces(data: bytes) -> Iterator[bytes]:
    """As a socket gives it: a thousand bytes at a time."""
    return (data[at : at + 1000] for at in range(0, len(data), 1000))


@every_way
@pytest.mark.parametrize(
    ("data", "status", "body", "length"),
    [
        pytest.param(BY_LENGTH + b"body", 200, b"body", 4, id="by length"),
        pytest.param(CHUNKED + b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n", 200, b"body", None, id="chunks"),
        pytest.param(
            CHUNKED + b"4;seen=yes\r\nbody\r\n0\r\nX-Late: 1\r\n\r\n", 200, b"body", None,
            id="chunks with everything that may be at them",
        ),
        pytest.param(
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 304, b"", 0,
            id="not modified, with the length of what was not",
        ),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", 0, id="nothing"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
            + BY_LENGTH + b"body", 200, b"body", 4,
            id="behind interim answers",
        ),
        pytest.param(
            b"HTTP/1.1 404 Nowhere\r\ncontent-length: 4 \t\r\n\r\nbody", 404, b"body", 4,
            id="with spaces behind the length",
        ),
    ],
)  # fmt: skip
def test_an_answer_is_whole_and_its_connection_is_of_further_use(
    cut: Cutter, data: bytes, status: int, body: bytes, length: int | None
) -> None:
    answer, came = fed(cut, data)
    assert (answer.stage, answer.status, came) == (Stage.WHOLE, status, body)
    assert (answer.length, answer.is_reusable) == (length, True)
    assert all(name not in (b"link", b"x-late") for name, _ in answer.headers)


@every_way
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(BY_LENGTH + b"body, and more", id="words behind the end"),
        pytest.param(BY_LENGTH + b"body" + BY_LENGTH + b"bath", id="an answer to no question"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody", id="goodbye"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", id="as in the old days"),
        pytest.param(CHUNKED + b"4\r\nbody\r\n0\r\n\r\n0\r\n\r\n", id="ended twice"),
    ],
)
def test_an_answer_is_whole_and_its_connection_is_not_used_again(cut: Cutter, data: bytes) -> None:
    answer, came = fed(cut, data)
    assert (answer.stage, came) == (Stage.WHOLE, b"body")
    assert not answer.is_reusable


@every_way
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(CHUNKED + b"zz\r\nbody\r\n", id="a size that is no number"),
        pytest.param(CHUNKED + b"-4\r\nbody\r\n", id="a size below nothing"),
        pytest.param(CHUNKED + b"ffffffffffffffffff\r\nbody", id="a size beyond all sizes"),
        pytest.param(CHUNKED + b"4\r\nbody!\r\n", id="a chunk longer than it says"),
        pytest.param(BY_LENGTH.replace(b"4", b"-4") + b"body", id="a length below nothing"),
        pytest.param(BY_LENGTH.replace(b"4", b"9" * 30) + b"body", id="a length beyond all"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 9\r\n\r\nbody", id="2 lengths"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            id="a length and chunks",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            id="a coding that nobody asked for",
        ),
        pytest.param(CHUNKED.replace(b"1.1", b"1.0") + b"4\r\nbody\r\n", id="chunks before 1.1"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nbody", id="until the connection ends"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nPRI *",
            id="another protocol",
        ),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", id="bare line feeds"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 4\r\n\r\n", id="folded"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 4\r\n\r\n", id="a zero byte"),
        pytest.param(b"HTTP/1.1 99 Low\r\nContent-Length: 4\r\n\r\nbody", id="no such status"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="TLS"),
    ],
)
def test_what_is_no_answer_is_a_failure(cut: Cutter, data: bytes) -> None:
    with pytest.raises(OriginFailed, match="the origin f"):
        fed(cut, data)


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: ", id="one field"),
        pytest.param(CHUNKED + b"0\r\nX-Long: ", id="a trailer"),
        pytest.param(CHUNKED + b"4;long=", id="an extension of a chunk"),
    ],
)
def test_what_is_no_body_does_not_grow_for_ever(begin: bytes) -> None:
    with pytest.raises(OriginFailed, match="no body"):
        fed(in_pieces, begin + b"x" * 2 * LARGEST_HEAD_BYTES)


def test_interim_answers_do_not_come_for_ever() -> None:
    with pytest.raises(OriginFailed, match="no body"):
        fed(in_pieces, b"HTTP/1.1 102 Processing\r\n\r\n" * 2621)


def test_a_body_in_the_smallest_chunks_is_a_body() -> None:
    answer, body = Answer(), b""
    answer.receive(CHUNKED)
    for _ in range(LARGEST_HEAD_BYTES // 5):
        answer.receive(b"1\r\nx\r\n")
        body += answer.take()
    answer.receive(b"0\r\n\r\n")
    assert answer.stage is Stage.WHOLE
    assert len(body) == LARGEST_HEAD_BYTES // 5
