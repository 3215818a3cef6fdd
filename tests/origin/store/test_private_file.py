"""The private file: made once, whole, and for its owner alone."""

import stat
from pathlib import Path

import pytest

from origin.errors import SettingsError
from origin.store.private_file import read_or_make


def test_it_is_made_on_the_first_run_and_kept_on_the_next(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.toml"
    assert read_or_make(path, lambda: "first") == "first"
    assert read_or_make(path, lambda: "second") == "first"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    read_or_make(path, lambda: "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_left_beside_it(tmp_path: Path) -> None:
    read_or_make(tmp_path / "keys.toml", lambda: "secret")
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.toml"]


def test_of_two_processes_that_start_at_once_the_first_one_wins(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"

    def make_while_another_does() -> str:
        path.write_text("the other's")
        return "mine"

    assert read_or_make(path, make_while_another_does) == "the other's"


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--data-dir"):
        read_or_make(tmp_path / "file" / "keys.toml", lambda: "secret")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        read_or_make(tmp_path / "keys.toml", lambda: "secret")
