"""The key file: read strictly, and changed without losing what people wrote around it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.auth.hashing import fast_hash
from origin.auth.keyfile import parse_keys, render_keys, with_key_added, with_key_changed
from origin.auth.keys import StreamKey
from origin.errors import SettingsError

HASH = fast_hash("main-aaaa-bbbb-cccc")
NEW_YEAR = datetime(2026, 12, 31, tzinfo=UTC)
BY_HAND = """\
# Ours.

[[key]]  # the studio
  stream = "main"    # do not rename
  key = "main-7f3k-92qd-x4mv"

  # Anna's; she is away in June.
[[key]]
key = "anna-2222"
stream = "main"
note = "Anna"

[[ key ]]
stream = "second"
key_hash = "HASH"
expires = 2026-12-31T01:00:00+01:00
# The end.
""".replace("HASH", HASH.text)


def test_all_that_a_key_can_say_is_read() -> None:
    assert parse_keys(BY_HAND) == (
        StreamKey("main", "main-7f3k-92qd-x4mv"),
        StreamKey("main", "anna-2222", note="Anna"),
        StreamKey("second", hashed=HASH, expires=NEW_YEAR),
    )


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            StreamKey,
            stream=st.sampled_from(["a", "b_2", "c-3"]),
            secret=st.from_regex(r"[a-z0-9=&%\\\"]{4,20}x", fullmatch=True).map(lambda s: "k" + s),
            note=st.text(max_size=20).filter(str.isprintable),
            disabled=st.booleans(),
            expires=st.none() | st.just(NEW_YEAR),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda key: key.secret,
    )
)
def test_a_key_file_is_read_as_it_was_written(keys: list[StreamKey]) -> None:
    text = render_keys(keys[:1])
    for key in keys[1:]:
        text = with_key_added(text, key)
    assert parse_keys(text) == tuple(keys) == parse_keys(render_keys(keys))


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_the_first_key_goes_into_an_empty_file(text: str) -> None:
    key = StreamKey("main", "main-7f3k")
    assert parse_keys(with_key_added(text, key)) == (key,)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_change_leaves_everything_else_as_it_was_written(number: int) -> None:
    keys = list(parse_keys(BY_HAND))
    keys[number] = replace(keys[number], disabled=True, note='new "words"')
    changed = with_key_changed(BY_HAND, number, keys[number])
    assert parse_keys(changed) == tuple(keys)
    for comment in ("# Ours.", "# the studio", "# do not rename", "# Anna's;", "# The end."):
        assert comment in changed
    untouched = [line for line in BY_HAND.splitlines() if "stream =" in line]
    assert [line for line in changed.splitlines() if "stream =" in line] == untouched


def test_a_key_can_give_way_to_its_hash_and_be_enabled_again() -> None:
    key = StreamKey("main", hashed=fast_hash("main-7f3k-92qd-x4mv"), note="studio")
    changed = with_key_changed(BY_HAND, 0, replace(key, disabled=True))
    assert "main-7f3k-92qd-x4mv" not in changed
    again = with_key_changed(changed, 0, key)
    assert parse_keys(again)[0] == key
    assert "disabled" not in again


@pytest.mark.parametrize(
    "text",
    [
        'key = [{ stream = "main", key = "abcd" }]\n',
        '[[key]]\n"stream" = "main"\nkey = "abcd"\n',
        '[[key]]\nstream = "main"\n"key" = "abcd"\n',
        '[[key]]\nstream = "main"\nnote = """\nkey = 1\n[[key]]\n"""\nkey = "abcd"\n',
    ],
)
def test_a_file_written_in_a_way_of_its_own_is_left_alone(text: str) -> None:
    (key,) = parse_keys(text)
    with pytest.raises(SettingsError, match=r"by hand|not changed"):
        with_key_changed(text, 0, replace(key, disabled=True))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("key = ", "valid TOML", id="no TOML"),
        pytest.param("keys = []", "[[key]] tables", id="another table"),
        pytest.param('[[key]]\nstream = "a"', "exactly `stream` and `key`", id="no key"),
        pytest.param(
            f'[[key]]\nstream = "a"\nkey = "x"\nkey_hash = "{HASH.text}"', "exactly", id="both"
        ),
        pytest.param('[[key]]\nstream = "a/b"\nkey = "x"', "letters", id="no name"),
        pytest.param('[[key]]\nstream = "api"\nkey = "x"', "used by Tidecast", id="reserved"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x"\n[more]', "[[key]] tables", id="more"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x/z"', "slashes", id="a slash in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x y"', "blanks", id="a blank in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x?y"', "`?`", id="a query in the key"),
        pytest.param('[[key]]\nstream = "a"\nkey = ""', "blanks", id="an empty key"),
        pytest.param('[[key]]\nstream = "a"\nkey = 3', "strings", id="no string"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x"\nexpirse = 1', "expirse", id="misspelt"),
        pytest.param('[[key]]\nstream = "a"\nkey = "x"\ndisabled = 1', "true or", id="no bool"),
        pytest.param(
            '[[key]]\nstream = "a"\nkey = "x"\nexpires = 2026-12-31', "its zone", id="a day"
        ),
        pytest.param(
            '[[key]]\nstream = "a"\nkey = "x"\nexpires = 2026-12-31T00:00:00',
            "its zone",
            id="a time of nowhere",
        ),
        pytest.param('[[key]]\nstream = "a"\nkey_hash = "x"', "tidecast keys hash", id="no hash"),
        pytest.param('[[key]]\nstream = "abc"\nkey = "abc"', "viewers know", id="the name as key"),
        pytest.param(
            '[[key]]\nstream = "a"\nkey = "xy"\n[[key]]\nstream = "b"\nkey = "xy"',
            "entry 2: the same key opens another stream",
            id="two streams for one key",
        ),
    ],
)
def test_a_bad_key_file_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_keys(text)
    assert complaint in str(refusal.value)


def test_a_complaint_does_not_repeat_the_key() -> None:
    with pytest.raises(SettingsError) as refusal:
        parse_keys('[[key]]\nstream = "a"\nkey = "5ecret/5ecret"')
    assert "5ecret" not in str(refusal.value)
