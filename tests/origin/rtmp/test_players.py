"""What real players send is understood, every way to cut it: who plays, and who goes."""

from pathlib import Path

import pytest

from origin.rtmp.events import PlayEnded, PlayRequested
from origin.rtmp.messages import Type
from origin.rtmp.session import State
from tests.support.cuts import Cutter, every_way
from tests.support.sessions import Rehearsal

CORPUS = Path(__file__).parents[2] / "corpus" / "players"
ROWS = [
    [cell.strip(" `") for cell in line.strip("|").split("|")]
    for line in (CORPUS / "README.md").read_text().splitlines()
    if line.startswith("| `")
]


@every_way
@pytest.mark.parametrize(("name", "goodbye"), [(row[0], row[2]) for row in ROWS])
def test_a_recorded_player_is_let_in_and_nothing_of_it_is_refused(
    name: str, goodbye: str, cut: Cutter
) -> None:
    rehearsal = Rehearsal()
    rehearsal.feed(*cut((CORPUS / f"{name}.bin").read_bytes()))
    is_over = goodbye == "yes"
    assert rehearsal.events == [PlayRequested(1, "main"), *[PlayEnded()] * is_over]
    assert rehearsal.session.state is (State.ENDED if is_over else State.PLAYING)
    statuses = [m.payload for m in rehearsal.replies() if m.type_id == Type.AMF0_COMMAND]
    assert any(b"NetStream.Play.Start" in status for status in statuses)


def test_every_recorded_player_has_a_row() -> None:
    assert {path.stem for path in CORPUS.glob("*.bin")} == {row[0] for row in ROWS}
