"""The example file of the edge's settings says what the settings are."""

import re
from pathlib import Path

from cdn.commands.reference import example_file
from cdn.layers import load

ROOT = Path(__file__).resolve().parents[3]


def test_the_example_file_is_up_to_date() -> None:
    committed = (ROOT / "docs/edge.example.toml").read_text()
    assert committed == example_file(), "run `python -m cdn --example > docs/edge.example.toml`"


def test_the_example_file_with_everything_uncommented_is_the_defaults(tmp_path: Path) -> None:
    text, count = re.subn(r"^# (\w+ = )", r"\1", example_file(), flags=re.MULTILINE)
    assert count > 20
    file = tmp_path / "edge.toml"
    file.write_text(text)
    defaults = load(None, {"origin": {"url": "https://live.example.com"}})
    assert load(file, {}).model_dump() == defaults.model_dump()
