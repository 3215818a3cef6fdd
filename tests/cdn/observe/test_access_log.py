"""The access log: which requests are written, what of them, and that nobody waits for a disk."""

import json
import os
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cdn.errors import SettingsError
from cdn.observe.access_log import MOST_WAITING, Access, AccessLog, line_of, loggable

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
ACCESS = Access(
    address="192.0.2.7",
    method="GET",
    target="/main/v0/index.m3u8?token=s3cret&_HLS_msn=7&_HLS_part=2",
    status=200,
    sent_bytes=1234,
    cache="hit",
    seconds=0.01234567,
)


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_says_who_got_what_and_how() -> None:
    assert json.loads(line_of(ACCESS, AT)) == {
        "time": "2026-01-02T03:04:05.678+00:00",
        "address": "192.0.2.7",
        "method": "GET",
        "target": "/main/v0/index.m3u8?_HLS_msn=7&_HLS_part=2",
        "status": 200,
        "bytes": 1234,
        "cache": "hit",
        "seconds": 0.0123,
    }


@pytest.mark.parametrize(
    ("target", "written"),
    [
        ("/main/", "/main/"),
        ("/main/?token=s3cret", "/main/"),
        ("/a?_HLS_msn=1&key=s3cret&_HLS_skip=YES", "/a?_HLS_msn=1&_HLS_skip=YES"),
        ("/a?_HLS_msn=s3cret", "/a"),
        ("/a?_HLS_skip=s3cret&_HLS_token=s3cret", "/a"),
        ("/a?x=1?_HLS_msn=1", "/a"),
        ("/a?_HLS_msn=1;token=s3cret", "/a"),
        ("/a?" + "&".join(["_HLS_msn=1"] * 500), "/a?_HLS_msn=1&_HLS_msn=1&_HLS_msn=1"),
    ],
)
def test_nothing_of_a_query_is_written_but_delivery_directives(target: str, written: str) -> None:
    assert loggable(target) == written


def test_whatever_a_viewer_sends_makes_one_line_of_ascii_and_no_long_one() -> None:
    nasty = '\n\r\x00\x1b\u2028\udcff"\\' * 1000
    line = line_of(Access("::1", nasty, "/" + nasty, 400, 0, "none", 0.0), AT)
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert len(line) < 15_000
    assert json.loads(line)["status"] == 400


@pytest.mark.parametrize(
    ("share", "requests", "written"), [(1.0, 50, 50), (0.25, 1000, 250), (0.01, 1000, 10)]
)
def test_the_sample_is_exact(tmp_path: Path, share: float, requests: int, written: int) -> None:
    file = tmp_path / "access.log"
    with closing(AccessLog(share, str(file), lambda: AT)) as log:
        for _ in range(requests):
            if log.wants():
                log.write(ACCESS)
    assert abs(len(lines(file)) - written) <= 1  # the last one may still be owed: 0.01 * 100 < 1
    assert log.lost == 0


def test_a_file_that_was_rotated_away_is_let_go_of(tmp_path: Path) -> None:
    file, old = tmp_path / "access.log", tmp_path / "access.log.1"
    with closing(AccessLog(1.0, str(file), lambda: AT)) as log:
        log.write(ACCESS)
        while not lines(file):
            pass  # another thread writes
        file.rename(old)
        log.reopen()
        log.write(ACCESS)
    assert len(lines(old)) == 1
    assert len(lines(file)) == 1


def test_a_file_that_cannot_be_opened_again_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with closing(AccessLog(1.0, str(folder / "access.log"), lambda: AT)) as log:
        folder.rename(tmp_path / "moved")
        log.reopen()
        log.write(ACCESS)
    assert len(lines(tmp_path / "moved" / "access.log")) == 1


def test_two_workers_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "access.log"
    with (
        closing(AccessLog(1.0, str(file), lambda: AT)) as one,
        closing(AccessLog(1.0, str(file), lambda: AT)) as two,
    ):
        for _ in range(500):
            one.write(ACCESS)
            two.write(ACCESS)
    assert len(lines(file)) == 1000


def test_a_file_that_cannot_be_had_is_said_at_the_start(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "access.log"
    with pytest.raises(SettingsError, match=r"log.access_file: .*No such file"):
        AccessLog(1.0, str(missing))


def test_a_pipe_that_nobody_empties_holds_nobody_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    keeps_it_open = os.open(pipe, os.O_RDWR)
    log = AccessLog(1.0, str(pipe), lambda: AT)
    fits_into_the_pipe = 65_536 // len(line_of(ACCESS, AT)) + 1
    for _ in range(MOST_WAITING + fits_into_the_pipe + 100):
        log.write(ACCESS)
    assert log.lost >= 99
    drained = threading.Thread(target=_empty, args=(keeps_it_open, log))
    drained.start()
    log.close()
    os.write(keeps_it_open, b"END\n")
    drained.join()
    os.close(keeps_it_open)


def _empty(descriptor: int, log: AccessLog) -> None:
    tail = b""
    while not (tail := tail[-4:] + os.read(descriptor, 65_536)).endswith(b"END\n"):
        pass
