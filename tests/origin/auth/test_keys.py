"""A key as it is made, as somebody may choose it, and as it is printed."""

import random

import pytest

from origin.auth.hashing import fast_hash
from origin.auth.keys import HASHED_KEY_GROUPS, StreamKey, complaint_about, new_key

SECRET = "main-7f3k-92qd-x4mv"


def test_a_key_does_not_show_itself_when_it_is_printed() -> None:
    key = StreamKey("main", SECRET, fast_hash(SECRET))
    assert SECRET not in repr(key)
    assert fast_hash(SECRET).text not in repr(key)


def test_new_keys_differ_and_can_be_told_apart_by_eye() -> None:
    choose = random.Random(1).choice
    keys = [new_key("main", choose).secret or "" for _ in range(500)]
    assert len(set(keys)) == 500
    assert all(set(key.removeprefix("main-")).isdisjoint("0Oo1lI") for key in keys)
    long = new_key("main", choose, groups=HASHED_KEY_GROUPS).secret or ""
    assert long.count("-") == 6


@pytest.mark.parametrize("secret", ["", "a b", "a/b", "a?b", '"a"', "<a>", "a\n"])
def test_a_key_that_would_not_arrive_is_complained_about(secret: str) -> None:
    assert complaint_about(secret)


@pytest.mark.parametrize("secret", ["a", "aGVsbG8=", "a&b=c;d", "pässwörd", SECRET])
def test_any_other_key_will_do(secret: str) -> None:
    assert complaint_about(secret) is None
