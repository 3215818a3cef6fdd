"""What is kept is reckoned from what was written, and from what was there before."""

from functools import partial
from pathlib import Path

from origin.store.disk import RealDisk
from origin.store.folder import segments_below
from origin.store.stock import Total
from origin.store.writer import Writer
from tests.support.disks import FullDisk, at_once


def write(writer: Writer, owner: str, path: Path, *pieces: bytes) -> None:
    """A segment of as many parts."""
    first, *more = pieces
    writer.create(owner, path, lambda: (first,), len(first))
    for each in more:
        writer.append(owner, path, partial(tuple[bytes], (each,)), len(each))


def segments_of(root: Path, stream: str) -> list[Path]:
    return [root / stream / "session" / f"{number}.segment" for number in range(3)]


def test_segments_and_bytes_follow_what_is_written_and_removed(tmp_path: Path) -> None:
    one, two, three = segments_of(tmp_path, "main")
    writer = Writer(RealDisk(), at_once)
    write(writer, "main", one, b"abc", b"de")
    write(writer, "main", two, b"f")
    write(writer, "other", segments_of(tmp_path, "other")[0], b"ghi")
    writer.replace("main", tmp_path / "main" / "note", lambda: (b"where it is",))
    assert writer.close(10)
    assert writer.stock.totals == {"main": Total(2, 6), "other": Total(1, 3)}
    assert {owner: sum(files.values()) for owner, files in segments_below(tmp_path).items()} == {
        "main": 6,
        "other": 3,
    }
    later = Writer(RealDisk(), at_once)
    later.take_stock(lambda: segments_below(tmp_path))
    later.remove("main", one)
    write(later, "main", three, b"jk")
    later.remove_folder("other", tmp_path / "other" / "session")
    assert later.close(10)
    assert later.stock.totals == {"main": Total(2, 3)}


def test_what_a_full_disk_did_not_take_is_not_counted_and_is_said_until_it_is_gone(
    tmp_path: Path,
) -> None:
    one, two, _ = segments_of(tmp_path, "main")
    writer = Writer(FullDisk(room=4), at_once, now=lambda: 1234.5)
    write(writer, "main", one, b"abc", b"de")
    write(writer, "main", two, b"f")
    assert writer.close(10)
    assert writer.stock.totals == {"main": Total(1, 3)}
    assert (writer.given_up["ENOSPC"], sum(writer.given_up.values())) == (2, 2)
    assert writer.notice == "1 stream is not kept for a restart: No space left on device"
    assert writer.last_failure is not None
    assert writer.last_failure.at_s == 1234.5


def test_a_session_that_is_forgotten_is_no_trouble_any_more(tmp_path: Path) -> None:
    writer = Writer(FullDisk(room=0), at_once)
    for stream in ("main", "other"):
        write(writer, stream, segments_of(tmp_path, stream)[0], b"abc")
    writer.remove_folder("main", tmp_path / "main" / "session")
    assert writer.close(10)
    assert (writer.troubled, writer.stock.totals) == (1, {})
    writer = Writer(RealDisk(), at_once)
    assert writer.notice is None
    assert writer.close(10)
