"""What is found under the data directory, whatever lies there; and whose directory it is."""

from pathlib import Path

import pytest

from origin.errors import SettingsError
from origin.store.folder import KeptSegment, KeptStream, StreamFolder, load, make_root
from origin.store.journal import FILE_HEAD, Kind, Pieces, record
from origin.store.lock import DirectoryLock

BEGIN = record(Kind.BEGIN, b'{"begin": 1}')
PART = record(Kind.PART, b'{"part": 1}', (b"media",))
END = record(Kind.END, b"{}")
NOTE = record(Kind.NOTE, b'{"state": "live"}')


def put(path: Path, *records: Pieces, cut: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = FILE_HEAD + b"".join([piece for each in records for piece in each])
    path.write_bytes(whole[: len(whole) - cut])


SESSION = "0a1b"


@pytest.fixture
def main(tmp_path: Path) -> StreamFolder:
    folder = StreamFolder(make_root(tmp_path), "main")
    put(folder.note, NOTE)
    return folder


def only(root: Path) -> KeptStream:
    (found,), complaints = load(root)
    assert not complaints
    return found


def segments(kept: KeptStream) -> tuple[KeptSegment, ...]:
    return kept.sessions[SESSION]


def test_segments_come_back_in_order_the_last_one_open(main: StreamFolder) -> None:
    put(main.segment(SESSION, 10), BEGIN, PART)
    put(main.segment(SESSION, 9), BEGIN, PART, PART, END)
    kept = only(main.root)
    assert kept.folder == main
    assert kept.note.fields == b'{"state": "live"}'
    assert [segment.number for segment in segments(kept)] == [9, 10]
    assert [segment.is_complete for segment in segments(kept)] == [True, False]
    assert bytes(segments(kept)[1].records[1].body) == b"media"


def test_a_file_that_ends_in_a_record_is_cut_back_so_that_it_can_be_gone_on_with(
    main: StreamFolder,
) -> None:
    put(main.segment(SESSION, 9), BEGIN, PART, PART, cut=3)
    (found,), (complaint,) = load(main.root)
    assert complaint.path == main.segment(SESSION, 9)
    assert "not whole" in complaint.reason
    assert len(segments(found)[0].records) == 2
    with main.segment(SESSION, 9).open("ab") as file:
        file.write(b"".join(END))
    assert segments(only(main.root))[0].is_complete


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="nothing"),
        pytest.param([BEGIN], id="no part"),
        pytest.param([PART, END], id="no beginning"),
        pytest.param([BEGIN, END, PART], id="a part after the end"),
        pytest.param([BEGIN, PART, BEGIN, PART], id="two beginnings"),
    ],
)
def test_what_is_no_segment_is_left_out(main: StreamFolder, records: list[Pieces]) -> None:
    put(main.segment(SESSION, 9), *records)
    assert segments(only(main.root)) == ()


def test_strangers_are_named_and_stay_where_they_are(main: StreamFolder) -> None:
    put(main.segment(SESSION, 9), BEGIN, PART, END)
    root = main.root
    strange = {
        root / "a stream?": "not the folder of a stream",
        root / "main" / "keys.toml": "not a session",
        root / "other" / "note": "version 7",
        main.segment(SESSION, 8): "not a file of ours",
    }
    for path in strange:
        path.parent.mkdir(exist_ok=True)
    (root / "a stream?").mkdir()
    (root / "main" / "keys.toml").write_text("secret")
    (root / "other" / "note").write_bytes(b"TIDEKEPT\0\7")
    main.segment(SESSION, 8).write_bytes(b"\x89PNG and so on")
    (found,), complaints = load(root)
    assert [segment.number for segment in segments(found)] == [9]
    reasons = {complaint.path: complaint.reason for complaint in complaints}
    for path, reason in strange.items():
        assert reason in reasons[path]
        assert path.exists()


def test_an_empty_directory_has_nothing_in_it(tmp_path: Path) -> None:
    assert load(make_root(tmp_path)) == ([], [])
    assert (tmp_path / "live").stat().st_mode & 0o077 == 0


def test_a_directory_belongs_to_one_origin_until_that_is_gone(tmp_path: Path) -> None:
    make_root(tmp_path)
    first = DirectoryLock(tmp_path / "live", within_s=0)
    with pytest.raises(SettingsError, match=r"in use by another origin.*--data-dir"):
        DirectoryLock(tmp_path / "live", within_s=0)
    first.release()
    DirectoryLock(tmp_path / "live", within_s=0).release()


def test_a_directory_that_cannot_be_used_is_told_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match="--data-dir"):
        make_root(Path("/proc/none"))
    with pytest.raises(SettingsError, match="--data-dir"):
        DirectoryLock(Path("/proc/none"), within_s=0)
