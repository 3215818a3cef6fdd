"""docs/METRICS.md lists all that the origin exports, with its labels, and nothing else."""

import re
from pathlib import Path

from origin.auth.attempts import AttemptLog
from origin.ingest.listener import RtmpListener
from origin.observe.metrics import Family, Histogram, Kind
from origin.service.attempt_figures import attempt_families
from origin.service.figures import read_figures
from origin.service.store_figures import store_families
from origin.service.upkeep import Upkeep
from origin.store.disk import RealDisk
from origin.store.writer import Writer
from origin.streams.stream import State
from tests.support.clocks import FakeClock
from tests.support.disks import at_once
from tests.support.doors import OpenDoor

PAGE = Path(__file__).parents[3] / "docs" / "METRICS.md"


def exported() -> list[Family | Histogram]:
    """All families of an origin that nobody has come to yet."""
    listener, writer = RtmpListener(OpenDoor()), Writer(RealDisk(), at_once)
    try:
        return [
            *read_figures((), listener.counters),
            *attempt_families(AttemptLog(), None),
            *Upkeep(listener, FakeClock(), 0).read(),
            *store_families(writer),
        ]
    finally:
        assert writer.close(10)


def row_of(family: Family | Histogram) -> tuple[str, tuple[str, ...]]:
    """Its name as Prometheus has it, and its labels."""
    if isinstance(family, Histogram):
        return family.name, ()
    return family.name + ("_total" if family.kind is Kind.COUNTER else ""), family.labels


def test_the_page_lists_every_family_with_its_labels() -> None:
    rows = re.findall(r"^\| `(tidecast_(?!edge_)\w+)` \|(.*?)\|", PAGE.read_text(), re.MULTILINE)
    listed = {name: tuple(re.findall(r"\w+", labels)) for name, labels in rows}
    assert listed == dict(row_of(family) for family in exported())


def test_the_page_names_every_state_of_a_stream() -> None:
    (row,) = re.findall(r"^\| `tidecast_stream_state` .*", PAGE.read_text(), re.MULTILINE)
    assert [state.value for state in State if state.value not in row] == []
