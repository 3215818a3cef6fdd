"""Writing behind: the order is kept, nobody waits, and a bad disk leaves no file with a hole."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from origin.store.disk import Disk, RealDisk
from origin.store.journal import Pieces
from origin.store.writer import Writer
from tests.support.disks import FullDisk, SlowDisk, at_once


@pytest.fixture
def writer() -> Iterator[Writer]:
    yield from running(RealDisk())


def running(disk: Disk, limit_bytes: int = 1 << 20) -> Iterator[Writer]:
    writer = Writer(disk, at_once, limit_bytes)
    yield writer
    assert writer.close(10)


def create(writer: Writer, owner: str, path: Path, pieces: Pieces) -> None:
    writer.create(owner, path, lambda: pieces, sum(map(len, pieces)))


def append(writer: Writer, owner: str, path: Path, pieces: Pieces) -> None:
    writer.append(owner, path, lambda: pieces, sum(map(len, pieces)))


def reach(writer: Writer) -> None:
    """Wait until all that was put is done."""
    reached = threading.Event()
    writer.when_reached(reached.set)
    assert reached.wait(60)


def test_files_are_made_gone_on_with_and_removed_in_order(writer: Writer, tmp_path: Path) -> None:
    folder = tmp_path / "main" / "session"
    create(writer, "main", folder / "1", (b"ab", b"c"))
    append(writer, "main", folder / "1", (b"d",))
    create(writer, "main", folder / "2", (b"other",))
    writer.replace("main", folder / "note", lambda: (b"one",))
    writer.replace("main", folder / "note", lambda: (b"two",))
    writer.remove("main", folder / "2")
    reach(writer)
    assert (folder / "1").read_bytes() == b"abcd"
    assert sorted(path.name for path in folder.iterdir()) == ["1", "note"]
    assert (folder / "note").read_bytes() == b"two"
    writer.remove_folder("main", folder)
    reach(writer)
    assert not folder.exists()


def test_what_is_kept_is_nobody_elses_to_read(writer: Writer, tmp_path: Path) -> None:
    create(writer, "main", tmp_path / "main" / "1", (b"media",))
    reach(writer)
    assert (tmp_path / "main").stat().st_mode & 0o077 == 0
    assert (tmp_path / "main" / "1").stat().st_mode & 0o077 == 0


def test_more_buffers_than_the_kernel_takes_at_once_are_written(
    writer: Writer, tmp_path: Path
) -> None:
    pieces = tuple(number.to_bytes(2, "big") for number in range(5000))
    create(writer, "main", tmp_path / "1", pieces)
    reach(writer)
    assert (tmp_path / "1").read_bytes() == b"".join(pieces)


def test_a_disk_that_stands_still_holds_nobody_up_and_costs_bounded_memory(tmp_path: Path) -> None:
    disk = SlowDisk()
    for writer in running(disk, limit_bytes=100):
        with capture_logs() as logs:
            create(writer, "main", tmp_path / "1", (bytes(40),))
            assert disk.is_busy.wait(60)
            for _ in range(1000):
                append(writer, "main", tmp_path / "1", (bytes(40),))
            assert writer.waiting_bytes <= 100
            disk.may_go_on.set()
            reach(writer)
            assert (tmp_path / "1").stat().st_size == 80, "and no part after the one left out"
            assert writer.waiting_bytes == 0
            create(writer, "main", tmp_path / "2", (b"again",))
            reach(writer)
        assert (tmp_path / "2").read_bytes() == b"again"
        assert writer.given_up["slow"] == 1
        assert [line["event"] for line in logs] == [
            "the stream goes on, but is not kept",
            "the stream is kept again",
        ]
        assert logs[0]["reason"] == "the disk is too slow"


def test_a_full_disk_ends_a_file_where_it_was_full_and_the_next_one_is_tried(
    tmp_path: Path,
) -> None:
    disk = FullDisk(room=6)
    for writer in running(disk):
        with capture_logs() as logs:
            create(writer, "main", tmp_path / "1", (b"1234",))
            append(writer, "main", tmp_path / "1", (b"5678",))
            reach(writer)
            disk.room = 100
            append(writer, "main", tmp_path / "1", (b"90",))
            create(writer, "main", tmp_path / "2", (b"more",))
            append(writer, "main", tmp_path / "2", (b" room",))
            reach(writer)
        assert (tmp_path / "1").read_bytes() == b"123456"
        assert (tmp_path / "2").read_bytes() == b"more room"
        assert logs[0]["reason"] == "No space left on device"
        assert logs[0]["stream"] == "main"
        assert [line["log_level"] for line in logs] == ["error", "info"]


def test_what_cannot_be_written_costs_its_file_and_not_the_thread(
    writer: Writer, tmp_path: Path
) -> None:
    def wrong() -> Pieces:
        raise OverflowError("a number that does not fit")

    with capture_logs() as logs:
        create(writer, "main", tmp_path / "1", (b"a",))
        writer.append("main", tmp_path / "1", wrong, 1)
        append(writer, "main", tmp_path / "1", (b"c",))
        create(writer, "main", tmp_path / "2", (b"d",))
        reach(writer)
    assert (tmp_path / "1").read_bytes() == b"a"
    assert (tmp_path / "2").read_bytes() == b"d"
    assert "does not fit" in logs[0]["reason"]


def test_one_stream_s_trouble_is_not_another_s(tmp_path: Path) -> None:
    disk = FullDisk(room=2)
    for writer in running(disk):
        create(writer, "one", tmp_path / "1", (b"123",))
        reach(writer)
        disk.room = 100
        create(writer, "two", tmp_path / "2", (b"abc",))
        append(writer, "one", tmp_path / "1", (b"4",))
        append(writer, "two", tmp_path / "2", (b"d",))
        reach(writer)
        assert (tmp_path / "1").read_bytes() == b"12"
        assert (tmp_path / "2").read_bytes() == b"abcd"


def test_a_disk_that_never_comes_back_does_not_hold_up_the_end(tmp_path: Path) -> None:
    disk = SlowDisk()
    writer = Writer(disk, at_once)
    create(writer, "main", tmp_path / "1", (b"1",))
    assert not writer.close(0.01)
    disk.may_go_on.set()
    assert writer.close(10)
