"""A bounded share of the fuzzer's inputs, and everything that it ever found.

The whole of it is a command: ``python -m tests.fuzz --inputs 1000000``. No test here looks at a
clock: how long an input may take is the command's to say.
"""

from pathlib import Path

import pytest

from tests.fuzz.inputs import Input, Kind, make
from tests.fuzz.run import quiet, run
from tests.fuzz.target import Outcome, feed

SEED = 1
SHARE = 4
"""Parts, so that several workers may each take one, and a failure says which numbers to try."""
INPUTS = 4000
FOUND = sorted(
    path
    for path in (Path(__file__).parent.parent / "corpus" / "fuzz").iterdir()
    if path.suffix != ".md"
)


@pytest.mark.parametrize("part", range(SHARE))
def test_mutated_input_raises_nothing_but_what_it_may(part: int) -> None:
    first = part * INPUTS // SHARE
    report = run(SEED, range(first, first + INPUTS // SHARE), times=False)
    assert report.findings == {}
    assert all(report.outcomes[outcome] > 100 for outcome in Outcome), "mutations that miss"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_once_does_no_harm_again(path: Path) -> None:
    given = Input(Kind(path.suffix.removeprefix(".")), path.read_bytes())
    with quiet():
        for number in range(8):  # cut in several ways
            feed(given, number)


def test_a_seed_and_a_number_always_make_the_same_input() -> None:
    assert [make(7, number) for number in range(20)] == [make(7, number) for number in range(20)]
    assert make(7, 1) != make(8, 1)


def test_a_finding_is_told_with_its_number() -> None:
    def broken(given: Input, number: int) -> Outcome:
        if number == 3:
            raise IndexError("a bug")
        return Outcome.TAKEN

    report = run(SEED, range(5), times=False, target=broken)
    assert list(report.findings) == [3]
    assert "IndexError: a bug" in report.findings[3]


def test_what_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(given: Input, number: int) -> Outcome:
        while True:
            pass

    monkeypatch.setattr("tests.fuzz.run.STUCK_S", 0.05)
    report = run(SEED, range(1), times=False, target=endless)
    assert "TimeoutError: stuck" in report.findings[0]
