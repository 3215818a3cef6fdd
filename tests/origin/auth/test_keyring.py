"""Keys: every usual way of filling in the encoder leads to the stream, and nothing else does."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.keyring import (
    KeyRing,
    OpenToAll,
    StreamKey,
    new_key,
    parse_keys,
    publish_key,
    render_keys,
)
from origin.auth.names import checked_name, is_stream_name
from origin.errors import Refused, SettingsError

SECRET = "main-7f3k-92qd-x4mv"
RING = KeyRing([StreamKey("main", SECRET), StreamKey("second", "other-aaaa-bbbb-cccc")])


@pytest.mark.parametrize(
    ("app", "name"),
    [
        pytest.param("live", SECRET, id="server and key"),
        pytest.param("live/", SECRET, id="a slash behind the server"),
        pytest.param("", f"live/{SECRET}", id="the app in the key field"),
        pytest.param(f"live/{SECRET}", "", id="everything in the server field"),
        pytest.param("anything", SECRET, id="another app"),
        pytest.param("live", f" {SECRET} ", id="blanks around the key"),
    ],
)
def test_every_way_of_filling_in_the_encoder_finds_the_stream(app: str, name: str) -> None:
    assert RING.stream_for(app, name) == "main"


@pytest.mark.parametrize("name", ["", "main", SECRET[:-1], SECRET + "x", SECRET.upper(), "live"])
def test_anything_but_the_key_is_refused_in_words_that_repeat_nothing(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        RING.stream_for("live", name)
    with pytest.raises(Refused) as another:
        RING.stream_for("live", "something-else")
    assert str(refusal.value) == str(another.value)


def test_a_key_does_not_show_itself_when_it_is_printed() -> None:
    assert SECRET not in repr(StreamKey("main", SECRET))


def test_the_page_of_a_configured_stream_exists_before_it_is_live() -> None:
    assert RING.knows("main")
    assert not RING.knows("nobody")


def test_an_open_door_takes_any_valid_name() -> None:
    assert OpenToAll().stream_for("live", "camera_2") == "camera_2"
    with pytest.raises(Refused, match="letters"):
        OpenToAll().stream_for("live", "caméra")


@pytest.mark.parametrize("name", ["api", "METRICS", "assets", "", "a/b", "..", "x" * 65, "a b"])
def test_names_that_cannot_stand_in_an_address_are_refused(name: str) -> None:
    assert not is_stream_name(name)
    with pytest.raises(Refused):
        checked_name(name)


def test_new_keys_differ_and_can_be_told_apart_by_eye() -> None:
    choose = random.Random(1).choice
    keys = {new_key("main", choose).secret for _ in range(500)}
    assert len(keys) == 500
    assert all(set(key.removeprefix("main-")).isdisjoint("0Oo1lI") for key in keys)


@given(st.lists(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), min_size=1, max_size=5))
def test_a_key_file_is_read_as_it_was_written(secrets: list[str]) -> None:
    keys = tuple(StreamKey(f"s{index}", secret) for index, secret in enumerate(secrets))
    assert parse_keys(render_keys(keys)) == keys


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("key = ", "valid TOML", id="no TOML"),
        pytest.param("keys = []", "[[key]] tables", id="another table"),
        pytest.param('[[key]]\nstream = "a"', "exactly `stream` and `key`", id="no key"),
        pytest.param('[[key]]\nstream = "a/b"\nkey = "x"', "letters", id="no name"),
        pytest.param('[[key]]\nstream = "api"\nkey = "x"', "used by Tidecast", id="reserved"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x"\n[more]', "[[key]] tables", id="more"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x/z"', "slashes", id="a slash in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x y"', "blanks", id="a blank in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x?y"', "`?`", id="a query in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = ""', "blanks", id="an empty key"),
        pytest.param('[[key]]\nstream = "a"\nkey = 3', "strings", id="no string"),
    ],
)
def test_a_bad_key_file_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_keys(text)
    assert complaint in str(refusal.value)


def test_the_key_is_the_last_part() -> None:
    assert publish_key("live", "a/b/c") == "c"
    assert publish_key("", "") == ""
