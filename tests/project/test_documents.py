"""The project's documents say what is there."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAP = runpy.run_path(str(ROOT / "tools" / "module-map"))


def test_the_map_lists_every_module_with_its_own_words() -> None:
    page: str = MAP["page_with"](MAP["module_map"]())
    assert page == (ROOT / "docs/ARCHITECTURE.md").read_text(), "run `make docs`"


def test_every_module_has_an_essay() -> None:
    empty = [line for line in MAP["module_map"]().splitlines() if line.endswith("|  |")]
    assert not empty


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=str)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_script_that_a_claim_names_exists() -> None:
    readme = (ROOT / "README.md").read_text()
    scripts = re.findall(r"`((?:benchmarks|tests)/[\w/]+\.py)`", readme)
    assert scripts
    assert [script for script in scripts if not (ROOT / script).exists()] == []
