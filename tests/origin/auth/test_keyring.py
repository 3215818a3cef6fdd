"""The ring: which stream a key opens, when it does not, and what is said about it."""

from datetime import UTC, datetime, timedelta

import pytest

from origin.auth.hashing import fast_hash, slow_hash
from origin.auth.keyring import Denial, Grant, KeyRing, judge
from origin.auth.keys import StreamKey

SECRET = "main-7f3k-92qd-x4mv"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_stream_may_have_several_keys() -> None:
    keys = [StreamKey("main", "one"), StreamKey("main", "two"), StreamKey("second", "three")]
    ring = KeyRing(keys)
    assert [ring.matches([word])[0] for word in ("one", "two", "three")] == keys
    assert ring.streams == ["main", "second"]
    assert ring.knows("main")
    assert not ring.knows("nobody")


def test_a_hashed_key_opens_what_it_opened_as_it_was() -> None:
    ring = KeyRing([StreamKey("main", hashed=fast_hash(SECRET))])
    assert ring.matches([SECRET])
    assert not ring.matches([SECRET + "x"])
    assert not ring.matches([fast_hash(SECRET).text])


def test_a_slow_hash_is_asked_once_and_remembered_over_a_reload() -> None:
    hashed = slow_hash(SECRET, bytes(16), log_n=4)
    key = StreamKey("main", hashed=hashed)
    ring = KeyRing([key])
    assert ring.matches([SECRET]) == []
    assert ring.unproven([SECRET]) == [key]
    ring.prove(key, SECRET)
    ring.replace([StreamKey("main", hashed=hashed, note="renamed")])
    assert ring.unproven([SECRET]) == []
    assert [found.note for found in ring.matches([SECRET])] == ["renamed"]


def test_slow_hashes_are_tried_first_where_their_stream_is_named() -> None:
    keys = [
        StreamKey(name, hashed=slow_hash("x", bytes(16), log_n=4)) for name in ("a1", "b2", "c3")
    ]
    disabled = StreamKey("d4", hashed=slow_hash("x", bytes(16), log_n=4), disabled=True)
    ring = KeyRing([*keys, disabled])
    assert [key.stream for key in ring.unproven(["c3-7f3k-92qd-x4mv"])] == ["c3", "a1", "b2"]


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (StreamKey("main", SECRET), None),
        (StreamKey("main", SECRET, expires=NOW + timedelta(seconds=1)), None),
        (StreamKey("main", SECRET, expires=NOW), "expired on 2026-03-01 00:00 UTC"),
        (StreamKey("main", SECRET, disabled=True), "has been disabled"),
    ],
)
def test_a_key_that_may_not_be_used_says_why(key: StreamKey, reason: str | None) -> None:
    verdict = judge([key], NOW)
    if reason is None:
        assert verdict == Grant("main", key)
    else:
        assert isinstance(verdict, Denial)
        assert reason in verdict.reason
        assert verdict.hint == "a key of `main`"


def test_a_usable_key_beats_one_that_is_not() -> None:
    good = StreamKey("main", SECRET)
    assert judge([StreamKey("main", "old", disabled=True), good], NOW) == Grant("main", good)
    assert judge([], NOW) is None


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        pytest.param([StreamKey("main", SECRET)], True, id="as it was"),
        pytest.param([StreamKey("main", SECRET, note="new words")], True, id="another note"),
        pytest.param([StreamKey("main", hashed=fast_hash(SECRET))], True, id="hashed"),
        pytest.param([StreamKey("main", SECRET, disabled=True)], False, id="disabled"),
        pytest.param([StreamKey("main", SECRET, expires=NOW)], True, id="expired"),
        pytest.param([StreamKey("other", SECRET)], False, id="moved to another stream"),
        pytest.param([StreamKey("main", "another")], False, id="rotated"),
        pytest.param([], False, id="gone"),
    ],
)
def test_leave_stands_as_long_as_its_key_does(change: list[StreamKey], holds: bool) -> None:
    ring = KeyRing([StreamKey("main", SECRET)])
    grant = judge(ring.matches([SECRET]), NOW)
    assert isinstance(grant, Grant)
    ring.replace(change)
    assert ring.holds(grant) is holds


def test_leave_without_a_key_stands() -> None:
    assert KeyRing([]).holds(Grant("main"))
