"""Files that are watched: read when they have settled, and without effect where they are broken."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from origin.errors import SettingsError
from origin.service.reloading import Reloadable, Reloader


class Notice:
    """A file, and what was read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("first")
        self.read: list[str] = []
        self.watched = Reloadable("the notice", [path], self._read)

    def write(self, text: str) -> None:
        self.path.write_text(text)
        self._age = getattr(self, "_age", 0) + 1
        os.utime(self.path, ns=(self._age, self._age))  # times of a test's own

    def _read(self) -> None:
        text = self.path.read_text()
        if "broken" in text:
            raise SettingsError("line 1 is broken")
        self.read.append(text)


@pytest.fixture
def notice(tmp_path: Path) -> Notice:
    return Notice(tmp_path / "notice")


def test_a_file_that_stays_is_not_read_again(notice: Notice) -> None:
    for _ in range(3):
        notice.watched.check()
    assert notice.read == []


def test_a_change_is_read_once_it_has_settled(notice: Notice) -> None:
    notice.write("half of the sec")
    notice.watched.check()
    notice.write("the second")
    notice.watched.check()
    assert notice.read == []
    notice.watched.check()
    notice.watched.check()
    assert notice.read == ["the second"]


def test_a_broken_file_is_said_once_and_a_mended_one_is_read(notice: Notice) -> None:
    with capture_logs() as lines:
        notice.write("broken")
        for _ in range(4):
            notice.watched.check()
        notice.write("mended")
        for _ in range(3):
            notice.watched.check()
    assert notice.read == ["mended"]
    assert [(line["log_level"], line.get("reason")) for line in lines] == [
        ("error", "line 1 is broken"),
        ("info", None),
    ]


def test_a_file_that_goes_and_comes_back_is_read(notice: Notice) -> None:
    notice.path.unlink()
    with capture_logs():
        notice.watched.check()
    notice.write("back")
    for _ in range(2):
        notice.watched.check()
    assert notice.read == ["back"]


def test_who_asks_for_it_gets_everything_read_at_once(notice: Notice) -> None:
    reloader = Reloader([notice.watched])
    reloader.reload()
    assert notice.read == ["first"]
    notice.watched.check()
    assert notice.read == ["first"]
