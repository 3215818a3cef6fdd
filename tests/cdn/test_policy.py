"""The operator's rules over the origin's headers: they replace numbers, not prohibitions."""

import pytest

from cdn.http.freshness import STOOD_IN_FRESH_S
from cdn.http.keys import Key
from cdn.http.message import Head
from cdn.policy import Policy
from cdn.settings import Cache, Rule, Rules

PLAYLIST = Key("/main/v0/index.m3u8", gzip=False)
SEGMENT = Key("/main/v0/a-1.m4s", gzip=False)


def head(status: int = 200, cache_control: bytes = b"max-age=4", **fields: bytes) -> Head:
    extra = tuple((name.encode(), value) for name, value in fields.items())
    return Head(status, ((b"cache-control", cache_control), *extra))


def test_without_rules_the_origins_headers_are_obeyed() -> None:
    lifetime = Policy(Rules(), Cache()).judge(PLAYLIST, head())
    assert (lifetime.fresh_s, lifetime.stale_if_error_s) == (4.0, 60.0)


def test_a_rule_replaces_the_lifetime_of_its_own_kind_only() -> None:
    policy = Policy(Rules(playlist=Rule(fresh_s=0.5)), Cache())
    assert policy.judge(PLAYLIST, head()).fresh_s == 0.5
    assert policy.judge(SEGMENT, head()).fresh_s == 4.0


def test_a_rule_counts_the_age_that_an_answer_comes_with() -> None:
    policy = Policy(Rules(playlist=Rule(fresh_s=3)), Cache())
    assert policy.judge(PLAYLIST, head(age=b"2")).fresh_s == 1.0


def test_no_rule_makes_the_stale_copy_of_another_edge_good() -> None:
    policy = Policy(Rules(playlist=Rule(fresh_s=60)), Cache())
    stale = (b"cache-status", b"tidecast; hit; ttl=-3; detail=stale-if-error")
    answer = Head(200, (*head().headers, stale))
    assert policy.judge(PLAYLIST, answer).fresh_s == STOOD_IN_FRESH_S


def test_a_rule_may_forbid_stale_answers() -> None:
    policy = Policy(Rules(playlist=Rule(stale_if_error_s=0)), Cache())
    assert policy.judge(PLAYLIST, head()).stale_if_error_s == 0.0
    assert policy.judge(SEGMENT, head()).stale_if_error_s == 60.0


@pytest.mark.parametrize("forbidding", [b"no-store", b"private"])
def test_no_rule_stores_what_the_origin_forbids(forbidding: bytes) -> None:
    policy = Policy(Rules(playlist=Rule(fresh_s=9)), Cache())
    assert not policy.judge(PLAYLIST, head(cache_control=forbidding)).storable


def test_no_rule_makes_an_error_last() -> None:
    policy = Policy(Rules(media=Rule(fresh_s=3600)), Cache(negative_s=0.25))
    assert policy.judge(SEGMENT, head(404)).fresh_s == 0.25
    assert not policy.judge(SEGMENT, head(500)).storable


@pytest.mark.parametrize("kind", list(Rules.model_fields))
def test_every_kind_has_its_rule(kind: str) -> None:
    addresses = {
        "playlist": "/main/v0/index.m3u8",
        "multivariant": "/main/index.m3u8",
        "media": "/main/v0/a-1.m4s",
        "status": "/main/status.json",
        "asset": "/assets/page-01.css",
        "page": "/main",
    }
    policy = Policy(Rules.model_validate({kind: {"fresh_s": 7}}), Cache())
    judged = {
        other: policy.judge(Key(target, gzip=False), head()).fresh_s
        for other, target in addresses.items()
    }
    assert judged == {other: 7.0 if other == kind else 4.0 for other in addresses}
