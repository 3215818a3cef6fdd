"""The data directory as a process takes it: what is in it already is counted as kept."""

from pathlib import Path

from origin.service.keeping import Keeping
from origin.store.folder import StreamFolder, make_root
from origin.store.stock import Total
from tests.support.clocks import FakeClock


async def test_what_another_process_has_kept_is_counted_from_the_start(tmp_path: Path) -> None:
    folder = StreamFolder(make_root(tmp_path), "main")
    for number, content in ((7, b"12345"), (8, b"123")):
        path = folder.segment("epoch", number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    folder.note.write_bytes(b"no segment")
    keeping = Keeping(tmp_path, None, FakeClock())
    keeping.writer.remove("main", folder.segment("epoch", 7))
    keeping.close()
    assert keeping.writer.stock.totals == {"main": Total(1, 3)}
