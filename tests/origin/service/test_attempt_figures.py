"""Wishes to publish in /metrics: by what came of them, and how many had to wait."""

from origin.auth.asking import Asked
from origin.auth.attempts import Attempt, AttemptLog, Outcome
from origin.auth.keys import StreamKey
from origin.errors import Refused
from origin.observe.metrics import Family
from origin.service.attempt_figures import attempt_families
from tests.support.clocks import EPOCH
from tests.support.gates import GateKeeper


def values(families: list[Family]) -> dict[str, object]:
    return {family.name: family.values for family in families}


async def test_attempts_are_counted_by_outcome_and_waits_by_themselves() -> None:
    gate, log = GateKeeper([StreamKey("main", "right-2222")]).gate, AttemptLog()
    for name in ("wrong-1111", "wrong-2222", "wrong-3333"):
        try:
            await gate.admit(Asked("live", name, address="192.0.2.7"))
        except Refused:
            log.note(Attempt(EPOCH, "192.0.2.7", "live/wr…", "", Outcome.REFUSED))
    assert values(list(attempt_families(log, gate))) == {
        "tidecast_publish_attempts": {("accepted",): 0.0, ("refused",): 3.0},
        "tidecast_publish_slowed": {(): 2.0},
    }


def test_where_publishing_is_open_nobody_waits() -> None:
    families = values(list(attempt_families(AttemptLog(), None)))
    assert families["tidecast_publish_slowed"] == {(): 0.0}
