"""A recorded session survives being saved and loaded."""

from collections.abc import Mapping
from pathlib import Path

from tests.validator.content import Broadcast
from tests.validator.fake_origin import FakeOrigin, record
from tests.validator.session import load, save


def test_a_saved_session_is_loaded_as_it_was(
    broadcasts: Mapping[str, Broadcast], tmp_path: Path
) -> None:
    session = record(FakeOrigin(broadcasts["fmp4"]))

    save(session, tmp_path / "session")

    assert load(tmp_path / "session") == session


def test_equal_bodies_are_saved_once(broadcasts: Mapping[str, Broadcast], tmp_path: Path) -> None:
    session = record(FakeOrigin(broadcasts["ts"]))

    save(session, tmp_path)

    different = {exchange.body for exchange in session.exchanges}
    assert len(list(tmp_path.glob("*.body"))) == len(different) < len(session.exchanges)
