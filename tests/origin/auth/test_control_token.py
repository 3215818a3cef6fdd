"""The control token: who shows it may; it cannot be guessed and does not show itself."""

import secrets

import pytest

from origin.auth.control_token import ControlToken, new_token, parse_token
from origin.errors import SettingsError

TEXT = new_token(bytes)  # the same for every worker that collects these tests
TOKEN = TEXT.strip()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_who_shows_the_token_is_admitted(scheme: str) -> None:
    assert parse_token(TEXT).admits(f"{scheme} {TOKEN}")
    assert parse_token(TEXT).admits(f"{scheme}  {TOKEN} ")


@pytest.mark.parametrize(
    "shown", [None, "", TOKEN, f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_nobody_else_is(shown: str | None) -> None:
    assert not parse_token(TEXT).admits(shown)


@pytest.mark.parametrize(
    "text", ["", "\n", "short", "two words of some length", "x" * 15, "é" * 20]
)
def test_a_token_that_could_be_guessed_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="control token"):
        parse_token(text)


def test_it_does_not_show_itself() -> None:
    assert TOKEN not in repr(ControlToken(TOKEN))
    assert new_token(secrets.token_bytes) != TEXT
