"""constraints.txt pins what is installed, all of it and nothing else.

Who audits the pins (``make audit``) audits everything that runs only if every distribution that
something needs has one. So the requirements are followed from pyproject.toml, through what is
installed here, to the last of them.
"""

import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DECLARED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


def pins() -> dict[str, str]:
    """The version of each distribution, by its normalized name."""
    lines = [
        line.split("#")[0].strip() for line in (ROOT / "constraints.txt").read_text().splitlines()
    ]
    return {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if line)
    }


def needed(declared: Iterable[str]) -> dict[str, Requirement]:
    """Every requirement that holds here, of what is declared and of what that requires."""
    found: dict[str, Requirement] = {}
    waiting = [Requirement(text) for text in declared]
    while waiting:
        requirement = waiting.pop()
        seen = found.get(str(requirement))
        if seen is None:
            found[str(requirement)] = requirement
            waiting += required_by(requirement)
    return found


def required_by(requirement: Requirement) -> Iterator[Requirement]:
    """What a distribution requires, with the extras that were asked for, on this Python."""
    for text in distribution(requirement.name).requires or ():
        below = Requirement(text)
        extras = ["", *requirement.extras]
        if below.marker is None or any(below.marker.evaluate({"extra": each}) for each in extras):
            below.marker = None
            yield below


NEEDED = needed(DECLARED)
NAMES = {canonicalize_name(each.name) for each in NEEDED.values()}


def test_every_distribution_that_is_needed_is_pinned() -> None:
    assert NAMES - set(pins()) == set()


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="other versions need less")
def test_nothing_is_pinned_that_is_not_needed() -> None:
    assert set(pins()) - NAMES == set()


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = pins()
    installed = {name: distribution(name).version for name in NAMES}
    assert installed == {name: pinned.get(name) for name in NAMES}


def test_what_is_installed_is_what_everything_asks_for() -> None:
    for requirement in NEEDED.values():
        version = distribution(requirement.name).version
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_each_direct_requirement_says_from_which_version_on() -> None:
    for text in DECLARED:
        operators = {each.operator for each in Requirement(text).specifier}
        assert operators & {">=", "==", "~="}, text
