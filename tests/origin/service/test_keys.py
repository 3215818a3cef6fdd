"""``tidecast keys``: keys made, taken back and hashed, and shown only where that is the point."""

import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from origin.auth.keyfile import parse_keys
from origin.auth.keyring import KeyRing
from origin.auth.keys import StreamKey
from origin.cli import main

Tidecast = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


@pytest.fixture
def keys(tmp_path: Path) -> Tidecast:
    """``tidecast keys`` with its own data directory; returns what it says."""

    def run(*arguments: str, code: int = 0, typed: str | None = None) -> str:
        command = ["--data-dir", str(tmp_path), *arguments]
        result = CliRunner().invoke(main, ["keys", *command], input=typed)
        assert result.exit_code == code, result.output
        return result.output

    return run


def printed_key(text: str) -> str:
    found = re.search(r"Key +(\S+)", text)
    assert found is not None, text
    return found[1]


def kept(file: Path) -> tuple[StreamKey, ...]:
    return parse_keys(file.read_text())


def test_a_new_key_is_printed_as_it_goes_into_obs(keys: Tidecast, file: Path) -> None:
    said = keys("add", "main", "--note", "Anna's laptop")
    assert "Settings > Stream > Service: Custom..." in said
    assert "/live" in said
    assert kept(file) == (StreamKey("main", printed_key(said), note="Anna's laptop"),)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_may_have_an_end(keys: Tidecast, file: Path) -> None:
    keys("add", "main", "--expires", "9031-05-01")
    (first,) = kept(file)
    assert str(first.expires) == "9031-05-01 00:00:00+00:00"
    past = '[[key]]\nstream = "main"\nkey = "main-old"\nexpires = 2001-05-01T12:30:00Z\n'
    file.write_text(file.read_text() + past)
    listed = keys("list").splitlines()
    assert "good until 9031-05-01 00:00" in listed[0]
    assert "expired 2001-05-01 12:30" in listed[1]


def test_a_hashed_key_is_longer_shown_once_and_kept_nowhere(keys: Tidecast, file: Path) -> None:
    secret = printed_key(keys("add", "main", "--hashed"))
    assert secret.count("-") == 6
    assert secret not in file.read_text()
    assert secret not in keys("list", "--show")
    assert KeyRing(kept(file)).matches([secret])


def test_the_list_shows_no_key_unless_it_is_asked_to(keys: Tidecast) -> None:
    secret = printed_key(keys("add", "main"))
    assert secret not in keys("list")
    assert secret in keys("list", "--show")


def test_a_rotated_key_is_another_one_of_the_same_kind(keys: Tidecast, file: Path) -> None:
    first = printed_key(keys("add", "main", "--note", "studio"))
    second = printed_key(keys("rotate", "main"))
    assert first != second
    assert kept(file) == (StreamKey("main", second, note="studio"),)
    keys("add", "second", "--hashed")
    third = printed_key(keys("rotate", "second"))
    assert third.count("-") == 6
    assert third not in file.read_text()


def test_a_key_is_disabled_and_enabled_by_its_number(keys: Tidecast, file: Path) -> None:
    keys("add", "main")
    keys("add", "main")
    assert "choose one by --number" in keys("disable", "main", code=2)
    keys("disable", "main", "--number", "2")
    assert [key.disabled for key in kept(file)] == [False, True]
    assert "disabled" in keys("list").splitlines()[1]
    keys("enable", "main", "--number", "2")
    assert [key.disabled for key in kept(file)] == [False, False]


def test_a_key_that_is_hashed_stays_good(keys: Tidecast, file: Path) -> None:
    secret = printed_key(keys("add", "main", "--note", "studio"))
    keys("hash", "main")
    (key,) = kept(file)
    assert (key.secret, key.note) == (None, "studio")
    assert key.hashed is not None
    assert key.hashed.digest is None, "59 bits are too few for a fast hash"
    assert key.hashed.fits(secret)
    assert "a hash already" in keys("hash", "main", code=2)


def test_a_key_of_ones_own_can_be_hashed_for_the_file(keys: Tidecast, file: Path) -> None:
    said = keys("hash", typed="correct-horse\n")
    file.write_text(f'[[key]]\nstream = "main"\n{said}')
    (key,) = kept(file)
    assert key.hashed is not None
    assert key.hashed.fits("correct-horse")
    assert "slashes" in keys("hash", typed="a/b\n", code=2)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("add", "a/b"), "letters, digits"),
        (("add", "api"), "used by Tidecast"),
        (("add", "main", "--expires", "2001-05-01T12:30"), "2001-05-01 12:30 UTC is past"),
        (("disable", "nobody"), "no key opens 'nobody'"),
        (("rotate", "main", "--number", "7"), "key 7 does not open 'main'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    keys: Tidecast, file: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    keys("add", "main")
    before = file.read_text()
    said = keys(*arguments, code=2)
    assert complaint in said
    assert len(said.splitlines()) == 1
    assert file.read_text() == before


@pytest.mark.parametrize("command", [("list",), ("rotate", "main"), ("disable", "main")])
def test_looking_in_a_wrong_directory_makes_no_key_there(
    keys: Tidecast, file: Path, command: tuple[str, ...]
) -> None:
    assert f"there is no key file {file}" in keys(*command, code=2)
    assert not file.exists()


def test_the_directory_may_be_named_behind_the_command_too(tmp_path: Path) -> None:
    there = ["--data-dir", str(tmp_path)]
    runner = CliRunner()
    assert runner.invoke(main, ["keys", "add", "main", *there]).exit_code == 0
    assert runner.invoke(main, ["keys", "list", *there]).output.split()[:2] == ["1", "main"]
    config = tmp_path / "tidecast.toml"
    config.write_text(f"[server]\ndata_dir = {str(tmp_path)!r}\n")
    listed = runner.invoke(main, ["keys", "list", "--config", str(config)])
    assert listed.output.split()[:2] == ["1", "main"]


def test_a_broken_file_is_left_as_it_is(keys: Tidecast, file: Path) -> None:
    file.write_text("[[key]]\nstream = ")
    assert "not valid TOML" in keys("add", "main", code=2)
    assert file.read_text() == "[[key]]\nstream = "
