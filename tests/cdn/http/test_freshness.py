"""How long an answer may be used: every way in which an origin says so, or says it wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdn.http.freshness import (
    LONGEST_S,
    NOTHING,
    STOOD_IN_FRESH_S,
    Defaults,
    Lifetime,
    lifetime_of,
    parse_cache_control,
    parse_targeted,
)
from cdn.http.message import Head

DEFAULTS = Defaults(stale_if_error_s=60.0, negative_s=1.0)
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"
TEN_LATER = "Fri, 02 Jan 2026 03:04:15 GMT"


def head(status: int = 200, **fields: str) -> Head:
    return Head(
        status,
        tuple((name.replace("_", "-").encode(), text.encode()) for name, text in fields.items()),
    )


def judge(status: int = 200, **fields: str) -> Lifetime:
    return lifetime_of(head(status, **fields), DEFAULTS)


def judge_fields(fields: dict[str, str]) -> Lifetime:
    return lifetime_of(head(200, **fields), DEFAULTS)


@pytest.mark.parametrize(
    ("cache_control", "fresh_s"),
    [
        pytest.param("max-age=6", 6.0, id="max-age"),
        pytest.param("public, max-age=31536000, immutable", 31536000.0, id="a segment"),
        pytest.param("MAX-AGE=6", 6.0, id="upper case"),
        pytest.param('max-age="6"', 6.0, id="quoted, as nobody should"),
        pytest.param("max-age=6, s-maxage=2", 2.0, id="s-maxage is meant for us"),
        pytest.param("s-maxage=0, max-age=6", 0.0, id="s-maxage of nothing"),
        pytest.param("max-age=6, max-age=9", 6.0, id="the first of two counts"),
        pytest.param("max-age=x", 0.0, id="no number: stale"),
        pytest.param("max-age=-1", 0.0, id="a negative number: stale"),
        pytest.param("max-age=0.5", 0.0, id="fractions belong in the targeted field"),
        pytest.param("max-age", 0.0, id="no value: stale"),
        pytest.param("max-age=99999999999999999999", LONGEST_S, id="more than forever"),
        pytest.param("public", 0.0, id="no lifetime: asked for each time"),
        pytest.param("no-cache, max-age=6", 0.0, id="no-cache: asked for each time"),
        pytest.param('x="a, max-age=9", max-age=6', 6.0, id="a comma within quotes"),
    ],
)
def test_cache_control_says_how_long_an_answer_is_fresh(cache_control: str, fresh_s: float) -> None:
    lifetime = judge(cache_control=cache_control)
    assert lifetime.storable
    assert lifetime.fresh_s == fresh_s


@pytest.mark.parametrize("forbidding", ["no-store", "private", "no-store, max-age=6"])
def test_what_must_not_be_stored_is_not(forbidding: str) -> None:
    assert judge(cache_control=forbidding) == NOTHING


def test_an_answer_that_varies_by_anything_at_all_is_not_stored() -> None:
    assert judge(cache_control="max-age=6", vary="*") == NOTHING
    assert judge(cache_control="max-age=6", vary="Accept-Encoding, *") == NOTHING
    assert judge(cache_control="max-age=6", vary="Accept-Encoding").storable


def test_the_targeted_field_wins_and_knows_fractions() -> None:
    fields = {"cache_control": "max-age=9", "tidecast_cache_control": "max-age=0.5"}
    assert judge_fields(fields).fresh_s == 0.5
    assert judge(cache_control="no-store", tidecast_cache_control="max-age=0.5").fresh_s == 0.5
    assert judge(cache_control="max-age=9", tidecast_cache_control="no-store") == NOTHING


@pytest.mark.parametrize("broken", ["", " ", "max-age=0.1234", "max-age=half", "=1", "max-age=-1"])
def test_a_broken_targeted_field_does_not_count(broken: str) -> None:
    assert parse_targeted(broken) is None
    assert judge(cache_control="max-age=9", tidecast_cache_control=broken).fresh_s == 9.0


def test_the_age_that_an_answer_comes_with_is_taken_off() -> None:
    assert judge(cache_control="max-age=6", age="4") == Lifetime(True, 2.0, 60.0, 4.0)
    assert judge(cache_control="max-age=6", age="7").fresh_s == 0.0
    assert judge(cache_control="max-age=6", age="old").fresh_s == 6.0


@pytest.mark.parametrize(
    ("fields", "fresh_s"),
    [
        pytest.param({"expires": TEN_LATER, "date": DATE}, 10.0, id="ten seconds"),
        pytest.param({"expires": DATE, "date": TEN_LATER}, 0.0, id="in the past"),
        pytest.param({"expires": "0", "date": DATE}, 0.0, id="no date, as many say never"),
        pytest.param(
            {"expires": "Fri, 02 Jan 2026 99999999999999999999:04:15 GMT", "date": DATE},
            0.0,
            id="an hour that no clock shows",
        ),
        pytest.param({"expires": TEN_LATER}, 0.0, id="nothing to count from"),
        pytest.param(
            {"expires": TEN_LATER, "date": DATE, "cache-control": "max-age=3"}, 3.0, id="outvoted"
        ),
        pytest.param(
            {"expires": "Fri, 02 Jan 2026 03:04:15", "date": DATE}, 0.0, id="a date without a zone"
        ),
    ],
)
def test_expires_counts_where_cache_control_is_silent(
    fields: dict[str, str], fresh_s: float
) -> None:
    assert judge_fields(fields).fresh_s == fresh_s


@pytest.mark.parametrize("status", [400, 404, 410, 451])
def test_a_negative_answer_is_kept_for_a_second_at_most(status: int) -> None:
    assert judge(status, cache_control="public, max-age=600").fresh_s == 1.0
    assert judge(status).fresh_s == 1.0
    assert judge(status, tidecast_cache_control="max-age=0.2").fresh_s == 0.2
    assert judge(status, cache_control="no-store") == NOTHING
    assert judge(status).stale_if_error_s == 0.0


@pytest.mark.parametrize("status", [206, 500, 502, 503, 504])
def test_a_failure_is_not_stored_whatever_it_says(status: int) -> None:
    assert judge(status, cache_control="max-age=6") == NOTHING


@pytest.mark.parametrize(
    ("cache_control", "stale_if_error_s"),
    [
        pytest.param("max-age=1", 60.0, id="the default"),
        pytest.param("max-age=1, stale-if-error=5", 5.0, id="the origin's own wish"),
        pytest.param("max-age=1, stale-if-error=600", 600.0, id="a longer one"),
        pytest.param("max-age=1, stale-if-error=0", 0.0, id="none, please"),
        pytest.param("max-age=1, must-revalidate", 0.0, id="forbidden to all caches"),
        pytest.param("max-age=1, proxy-revalidate", 0.0, id="forbidden to shared caches"),
        pytest.param("s-maxage=1", 0.0, id="implied by s-maxage"),
        pytest.param("s-maxage=1, stale-if-error=5", 5.0, id="implied, and taken back"),
        pytest.param("no-cache", 0.0, id="never without asking"),
    ],
)
def test_how_long_an_answer_may_stand_in_for_a_failing_origin(
    cache_control: str, stale_if_error_s: float
) -> None:
    assert judge(cache_control=cache_control).stale_if_error_s == stale_if_error_s


@given(st.text(st.characters(max_codepoint=0xFF), max_size=60))
def test_no_header_makes_the_reader_fail_or_a_lifetime_negative(noise: str) -> None:
    parse_cache_control(noise)
    noisy = Head(
        200,
        tuple(
            (name, noise.encode("latin-1"))
            for name in (b"cache-control", b"tidecast-cache-control", b"age", b"expires", b"date")
        ),
    )
    lifetime = lifetime_of(noisy, DEFAULTS)
    assert 0 <= lifetime.fresh_s <= LONGEST_S
    assert lifetime.stale_if_error_s >= 0


def test_another_edge_tells_its_age_in_milliseconds() -> None:
    told = {"tidecast_cache_control": "max-age=0.5", "age": "0", "tidecast_age": "0.375"}
    assert judge_fields(told) == Lifetime(True, 0.125, 60.0, 0.375)


@pytest.mark.parametrize("broken", ["-1", "soon", "0.1234"])
def test_an_age_in_milliseconds_that_is_none_gives_way_to_the_other(broken: str) -> None:
    assert judge(cache_control="max-age=6", age="2", tidecast_age=broken).fresh_s == 4.0


def test_what_comes_stale_has_used_up_some_of_its_time_already() -> None:
    assert judge(cache_control="max-age=6", age="16") == Lifetime(True, 0.0, 50.0, 16.0)
    assert judge(cache_control="max-age=6", age="99") == Lifetime(True, 0.0, 0.0, 99.0)


@pytest.mark.parametrize(
    "cache_status",
    [
        "tidecast; hit; ttl=-3; detail=stale-if-error",
        "tidecast; hit; ttl=-1",
        "far; hit; ttl=3, near; hit; key=x; ttl=-412",
    ],
)
def test_a_stale_copy_of_another_cache_is_kept_for_a_moment(cache_status: str) -> None:
    lifetime = judge(cache_control="max-age=600", age="3", cache_status=cache_status)
    assert lifetime.storable
    assert lifetime.fresh_s == STOOD_IN_FRESH_S


@pytest.mark.parametrize(
    "cache_status",
    ["tidecast; hit; ttl=3", "far; hit; ttl=-3, near; hit; ttl=3", "tidecast; fwd=stale; ttl=-1"],
)
def test_a_good_copy_of_another_cache_is_kept_as_long_as_it_says(cache_status: str) -> None:
    assert judge(cache_control="max-age=600", cache_status=cache_status).fresh_s == 600.0
