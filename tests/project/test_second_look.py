"""How tests are run side by side: what a file shares is made once, and who fails is named.

Who failed beside others can be tried again alone, and nobody else is.
"""

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
SCENES = """
import os
from pathlib import Path
import pytest

pytestmark = pytest.mark.lasts(LASTS)

@pytest.mark.parametrize("scene", range(4))
def test_scene(scene):
    with Path("begun").open("a") as file:
        print(LASTS, os.environ["PYTEST_XDIST_WORKER"], file=file)
"""
ILL = {
    "test_house.py::test_health[ill@home]",
    "test_house.py::test_health[ill [twice a day]]",
    "test_house.py::test_of_what_cannot_begin",
}
BY_FILE = ("--dist", "loadfile", "--no-loadscope-reorder")
"""As ``tools/run-checks`` has it."""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_house.py").write_text(HOUSE)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -p no:schemathesis\nmarkers =\n  lasts\n"
    )
    return tmp_path


def run(house: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=house, check=False, capture_output=True, text=True, timeout=100
    ).stdout


def test_only_those_who_failed_are_tried_again(house: Path) -> None:
    run(house, "-n", "2", *BY_FILE, "--failed-to", "failed")
    names = (house / "failed").read_text().splitlines()
    assert set(names) == ILL
    assert len(names) == len(ILL)
    assert "2 failed, 1 error" in run(house, "@failed")


def test_where_nobody_failed_nothing_is_written(house: Path) -> None:
    run(house, "--failed-to", "failed", "test_house.py::test_another")
    assert not (house / "failed").exists()


@pytest.fixture
def scenes(house: Path) -> Path:
    (house / "test_house.py").unlink()
    for lasts in (1, 3, 2):
        (house / f"test_{lasts}.py").write_text(SCENES.replace("LASTS", str(lasts)))
    return house


def begun(house: Path) -> list[tuple[str, str]]:
    """Scenes in the order in which they began: how long their file lasts, and by which worker."""
    lines = (house / "begun").read_text().splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines]


def test_a_file_is_run_by_one_worker(scenes: Path) -> None:
    run(scenes, "-n", "2", *BY_FILE)
    assert len(begun(scenes)) == 3 * 4
    assert len(set(begun(scenes))) == 3


def test_the_file_that_lasts_longest_begins_first(scenes: Path) -> None:
    run(scenes, "-n", "1", *BY_FILE)
    assert [lasts for lasts, _ in begun(scenes)] == [*"333322221111"]
