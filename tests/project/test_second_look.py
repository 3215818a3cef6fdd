"""Who failed beside others is named so that it can be tried again alone, and nobody else is."""

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
HOUSE = """
import pytest

@pytest.mark.parametrize("who", ["fine", "ill@home", "ill [twice a day]"])
def test_health(who):
    assert "ill" not in who

def test_another():
    pass

@pytest.fixture
def broken():
    raise RuntimeError

def test_of_what_cannot_begin(broken):
    pass
"""
ILL = {
    "test_house.py::test_health[ill@home]",
    "test_house.py::test_health[ill [twice a day]]",
    "test_house.py::test_of_what_cannot_begin",
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_house.py").write_text(HOUSE)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:schemathesis\nmarkers =\n  apart\n  lasts\n"
    )
    return tmp_path


def run(house: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=house, check=False, capture_output=True, text=True, timeout=60
    ).stdout


def test_only_those_who_failed_are_tried_again(house: Path) -> None:
    run(house, "-n", "2", "--dist", "loadgroup", "--failed-to", "failed")
    names = (house / "failed").read_text().splitlines()
    assert set(names) == ILL
    assert len(names) == len(ILL)
    assert "2 failed, 1 error" in run(house, "@failed")


def test_where_nobody_failed_nothing_is_written(house: Path) -> None:
    run(house, "--failed-to", "failed", "test_house.py::test_another")
    assert not (house / "failed").exists()
