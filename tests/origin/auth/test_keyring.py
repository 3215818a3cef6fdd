"""Keys: which stream one opens, when it does not, and what is said about it."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from origin.auth.hashing import fast_hash, slow_hash
from origin.auth.keyring import (
    HASHED_KEY_GROUPS,
    Denial,
    Grant,
    KeyRing,
    StreamKey,
    complaint_about,
    hint_for,
    judge,
    new_key,
)
from origin.auth.names import checked_name, is_stream_name
from origin.errors import Refused

SECRET = "main-7f3k-92qd-x4mv"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_key_does_not_show_itself_when_it_is_printed() -> None:
    key = StreamKey("main", SECRET, fast_hash(SECRET))
    assert SECRET not in repr(key)
    assert fast_hash(SECRET).text not in repr(key)


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


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["mian-7f3k-92qd-x4mv"], "did you mean `main`?"),
        (["main-7f3k-92qd-zzzz"], "it begins like a key of `main`: it may have been replaced"),
        (["main"], "`main` is the name of a stream, not its key"),
        (["mian"], "did you mean `main`?"),
        (["my-show-7f3k-92qd-x4mv"], "it begins like a key of `my-show`: it may have been"),
        (["my-shwo-2222-3333-4444-5555-6666-7777"], "did you mean `my-show`?"),
        (["kitchen-7f3k-92qd-x4mv"], ""),
        (["x4mv"], ""),
        ([], ""),
    ],
)
def test_a_hint_names_a_stream_and_nothing_else(words: list[str], hint: str) -> None:
    found = hint_for(words, ["main", "my-show"])
    assert found.startswith(hint) if hint else found == ""
    assert "7f3k" not in found


@pytest.mark.parametrize("name", ["a", "9", "_", "-", "Main-2_x", "x" * 64, "apis"])
def test_names_of_letters_digits_hyphens_and_underscores_are_names(name: str) -> None:
    assert is_stream_name(name)
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("api", "METRICS", "assets", "docs", "studio", "healthz", "x" * 65, "x" * 60_000),
        *("", " ", "a b", "a\tb", "main\n", "main\r\n", "main\0", "\0", "\u200bmain"),
        *(".", "..", "a.b", "main.m3u8", "a/b", "/main", "main/", "../main", "a\\b"),
        *("%2e%2e", "a%2fb", "main?x", "main#x", "main;x", "main:80", "~main", "$main", "ma*n"),
        *("mäin", "ma\u0131n", "\u212aing", "\u0663", "\uff4dain", "\ud800", "🎥"),
        *("<b>", '"', "'", "-- ;"),
    ],
    ids=lambda name: ascii(name)[:20],
)
def test_names_that_cannot_stand_in_an_address_are_refused(name: str) -> None:
    assert not is_stream_name(name)
    with pytest.raises(Refused):
        checked_name(name)


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
