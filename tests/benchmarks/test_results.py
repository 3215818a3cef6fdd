"""The table in README is made of what scripts say, and of nothing else."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks.support.results import BEGIN, END, Result, emit, keep, parse, table, write_readme

MET = Result("herd", "90 ms", "nginx 700 ms", "at most 150 ms", True, "benchmarks/herd.py")
MISSED = Result("hit", "12 us", "nginx 11 us", "at most 1.0 x", False, "benchmarks/edge_hit.py")


def test_what_is_printed_as_json_is_read_back(capsys: pytest.CaptureFixture[str]) -> None:
    emit([MET, MISSED], as_json=True)
    assert parse("noise\n" + capsys.readouterr().out) == [MET, MISSED]
    assert json.dumps(asdict(MET))


def test_a_missed_target_stands_in_the_table() -> None:
    rows = table([MET, MISSED]).splitlines()
    assert "at most 150 ms: met" in rows[2]
    assert "at most 1.0 x: **missed**" in rows[3]


def test_the_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"above\n{BEGIN}old\n{END}below\n")
    assert write_readme("new\n", page)
    assert page.read_text() == f"above\n{BEGIN}new\n{END}below\n"


def test_a_page_without_a_place_for_it_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing\n")
    assert not write_readme("new\n", page)
    assert page.read_text() == "nothing\n"


def test_a_script_that_runs_again_replaces_what_it_found_before(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert keep([MET, MISSED], file) == [MISSED, MET]
    again = Result("herd", "80 ms", "", "at most 150 ms", True, MET.script)
    assert keep([again], file) == [MISSED, again]
    assert parse(file.read_text()) == [MISSED, again]
