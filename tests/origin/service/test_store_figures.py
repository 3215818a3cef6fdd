"""What is exported of what is written behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from origin.observe.metrics import Family, Kind
from origin.service.store_figures import store_families
from origin.store.writer import Writer
from tests.support.disks import FullDisk, at_once

PAGE = Path(__file__).parents[3] / "docs" / "METRICS.md"


@pytest.fixture
def writer() -> Iterator[Writer]:
    writer = Writer(FullDisk(room=10), at_once, now=lambda: 77.0)
    yield writer
    writer.close(10)


def families_of(writer: Writer) -> dict[str, Family]:
    families = store_families(writer)
    return {
        family.name + ("_total" if family.kind is Kind.COUNTER else ""): family
        for family in families
    }


def test_the_page_names_everything_that_can_be_in_the_way(writer: Writer) -> None:
    given_up = families_of(writer)["tidecast_store_given_up_total"]
    kinds = ", ".join(kind for (kind,) in given_up.values)
    assert f"could not be written whole: {kinds} |" in PAGE.read_text()


def test_a_full_disk_shows_in_every_number(writer: Writer, tmp_path: Path) -> None:
    writer.create("main", tmp_path / "1", lambda: (b"12345678",), 8)
    writer.create("second", tmp_path / "2", lambda: (b"12345678",), 8)
    assert writer.close(10)
    values = {name: family.values for name, family in families_of(writer).items()}
    assert values["tidecast_store_segments"] == {("main",): 1.0}
    assert values["tidecast_store_bytes"] == {("main",): 8.0}
    assert values["tidecast_store_waiting_bytes"] == {(): 0.0}
    assert values["tidecast_store_troubled_streams"] == {(): 1.0}
    assert values["tidecast_store_given_up_total"][("ENOSPC",)] == 1.0
    assert values["tidecast_store_last_failure_timestamp_seconds"] == {(): 77.0}
