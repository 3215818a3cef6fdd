"""What one viewer gets of a cached answer: conditions, ranges, and the edge's own headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.front.answer import OUTSIDE, Answer, Asked, Span, answer, matches, parse_range
from cdn.http.message import Head

ETAG = b'"abc"'
SEGMENT = Head(
    200,
    (
        (b"content-type", b"video/mp4"),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"etag", ETAG),
        (b"age", b"3"),
        (b"x-content-type-options", b"sniff-away"),
        (b"date", b"Fri, 02 Jan 2026 03:04:05 GMT"),
    ),
)


def reply(asked: Asked, head: Head = SEGMENT, length: int | None = 100) -> Answer:
    return answer(head, length, complete=length is not None, asked=asked)


def fields(given_answer: Answer) -> dict[bytes, bytes]:
    found = dict(given_answer.headers)
    assert len(found) == len(given_answer.headers), "no field comes twice"
    return found


def test_a_plain_request_gets_everything_with_the_edges_own_headers() -> None:
    plain = reply(Asked())
    assert (plain.status, plain.has_body, plain.span) == (200, True, None)
    sent = fields(plain)
    assert sent[b"content-length"] == b"100"
    assert sent[b"content-type"] == b"video/mp4"
    assert sent[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in sent
    assert sent[b"timing-allow-origin"] == b"*"
    assert sent[b"x-content-type-options"] == b"nosniff"
    assert b"age" not in sent, "the cache knows the age"


def test_a_head_request_gets_the_same_headers_and_no_body() -> None:
    assert reply(Asked(is_head=True)).headers == reply(Asked()).headers
    assert not reply(Asked(is_head=True)).has_body


def test_a_body_of_unknown_length_is_announced_without_one() -> None:
    assert b"content-length" not in fields(reply(Asked(), length=None))


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        (b'"abc"', True),
        (b'W/"abc"', True),
        (b'"x", "abc"', True),
        (b"*", True),
        (b'"x"', False),
        (b"abc", False),
    ],
)
def test_who_has_it_already_is_told_so(condition: bytes, is_met: bool) -> None:
    assert matches(condition, ETAG) is is_met
    conditional = reply(Asked(if_none_match=condition))
    assert conditional.status == (304 if is_met else 200)
    assert conditional.has_body is not is_met
    if is_met:
        sent = fields(conditional)
        assert sent[b"etag"] == ETAG
        assert sent[b"access-control-allow-origin"] == b"*"
        assert not {b"content-length", b"content-type"} & sent.keys()


def test_nothing_without_an_etag_is_ever_unchanged_except_for_the_asterisk() -> None:
    assert not matches(b'"abc"', None)
    assert matches(b"*", None)


def test_a_condition_on_an_error_is_not_looked_at() -> None:
    missing = Head(404, ((b"etag", ETAG),))
    assert reply(Asked(if_none_match=ETAG), missing).status == 404


@pytest.mark.parametrize(
    ("field", "span"),
    [
        pytest.param(b"bytes=0-0", Span(0, 0), id="the first byte"),
        pytest.param(b"bytes=10-19", Span(10, 19), id="ten of them"),
        pytest.param(b"bytes=90-", Span(90, 99), id="to the end"),
        pytest.param(b"bytes=90-500", Span(90, 99), id="beyond the end"),
        pytest.param(b"bytes=-10", Span(90, 99), id="the last ten"),
        pytest.param(b"bytes=-500", Span(0, 99), id="more than there are"),
        pytest.param(b"Bytes = 1 - 2", Span(1, 2), id="spaces and case"),
        pytest.param(b"bytes=100-", OUTSIDE, id="just outside"),
        pytest.param(b"bytes=-0", OUTSIDE, id="the last none"),
        pytest.param(b"bytes=0-1,5-6", None, id="several"),
        pytest.param(b"bytes=5-1", None, id="backwards"),
        pytest.param(b"bytes=-", None, id="nothing"),
        pytest.param(b"items=0-1", None, id="other units"),
        pytest.param(b"bytes=" + b"9" * 30 + b"-", None, id="an absurd number"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_a_range_is_read_or_ignored(field: bytes, span: Span | None) -> None:
    assert parse_range(field, 100) == span


def test_a_range_of_nothing_lies_outside() -> None:
    assert parse_range(b"bytes=0-", 0) == OUTSIDE
    assert parse_range(b"bytes=-5", 0) == OUTSIDE


def test_a_range_is_answered_with_its_place_in_the_whole() -> None:
    part = reply(Asked(range=b"bytes=10-19"))
    assert (part.status, part.has_body, part.span) == (206, True, Span(10, 19))
    assert fields(part)[b"content-range"] == b"bytes 10-19/100"
    assert fields(part)[b"content-length"] == b"10"


def test_a_range_outside_is_refused_with_the_size() -> None:
    outside = reply(Asked(range=b"bytes=100-"))
    assert (outside.status, outside.has_body) == (416, False)
    assert fields(outside)[b"content-range"] == b"bytes */100"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(Asked(range=b"bytes=0-1", if_range=ETAG), 206, id="still the same"),
        pytest.param(Asked(range=b"bytes=0-1", if_range=b'"x"'), 200, id="another one now"),
        pytest.param(Asked(range=b"bytes=0-1", if_range=b'W/"abc"'), 200, id="only weakly"),
        pytest.param(Asked(range=b"bytes=0-1", is_head=True), 200, id="HEAD has no ranges"),
        pytest.param(Asked(range=b"bytes=0-1", if_none_match=ETAG), 304, id="nothing new"),
    ],
)
def test_a_range_has_its_conditions(asked: Asked, status: int) -> None:
    assert reply(asked).status == status


def test_a_weak_etag_is_no_condition_for_a_range() -> None:
    weak = Head(200, ((b"etag", b'W/"abc"'),))
    asked = Asked(range=b"bytes=0-1", if_range=b'W/"abc"')
    assert reply(asked, weak).status == 200


def test_a_range_of_what_is_still_on_its_way_is_answered_with_everything() -> None:
    growing = answer(SEGMENT, 100, complete=False, asked=Asked(range=b"bytes=0-1"))
    assert (growing.status, growing.span) == (200, None)


@given(st.binary(max_size=30), st.integers(0, 200))
def test_whatever_a_range_says_its_span_lies_within_the_body(field: bytes, length: int) -> None:
    for value in (field, b"bytes=" + field):
        span = parse_range(value, length)
        if span is not None and span != OUTSIDE:
            assert 0 <= span.first <= span.last < length
