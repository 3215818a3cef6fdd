"""Every script can be called as its essay says, and every claim names one that is there."""

import re

import pytest

from benchmarks.__main__ import FOLDER, QUICK, read_essays
from benchmarks.support.results import BEGIN, END, README, RESULTS, parse, table

ESSAYS = read_essays()
PAGES = [README, *sorted((README.parent / "docs").rglob("*.md"))]


def flags_of(script: str) -> set[str]:
    """All flags that a script declares, by the name that its usage has for them."""
    source = (FOLDER / f"{script}.py").read_text()
    declared = re.findall(r'add_argument\("(-[\w-]+)"', source)
    return {*declared, *(["--json"] if "has_results=True" in source else [])}


@pytest.mark.parametrize("script", ESSAYS)
def test_the_usage_of_a_script_names_its_flags_and_no_others(script: str) -> None:
    usage = re.search(rf"^ +python -m benchmarks\.{script}\b(.*)", ESSAYS[script], re.MULTILINE)
    assert usage is not None
    assert set(re.findall(r"(?<=\[)-[\w-]+", usage[1])) == flags_of(script)


def test_the_quick_way_uses_flags_that_there_are() -> None:
    for script, arguments in QUICK.items():
        assert {each for each in arguments if each.startswith("-")} <= flags_of(script)


def test_every_figure_is_shown_by_a_script_that_there_is() -> None:
    named = re.compile(r"benchmarks(?:\.|/(?:support/)?)(\w+)")
    wanted = {name for page in PAGES for name in named.findall(page.read_text())}
    there = {path.stem for path in FOLDER.rglob("*.py")}
    assert wanted <= there


def test_the_table_in_readme_is_what_the_scripts_said_last() -> None:
    shown = README.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown == table(parse(RESULTS.read_text()))
