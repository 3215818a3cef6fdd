"""The player's modules: what the pure ones promise, and that each says what it is for."""

import json
import subprocess
from pathlib import Path

import pytest

from player.pages import PageState

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "player" / "assets").glob("*.js"))


def node(*arguments: str) -> str:
    done = subprocess.run(
        ["node", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_the_pure_modules_promise() -> None:
    tests = sorted(str(path) for path in Path(__file__).parent.glob("modules/*.test.mjs"))
    summary = node("--test", "--test-reporter=tap", *tests)
    assert "\n# fail 0\n" in summary
    assert "\n# pass 0\n" not in summary


def test_server_and_script_know_the_same_states() -> None:
    script = (
        'import { STATES } from "./player/assets/state.js"; console.log(JSON.stringify(STATES))'
    )
    states: list[str] = json.loads(node("--input-type=module", "--eval", script))
    assert states == [state.value for state in PageState]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_module_is_drawn_up_with_its_reasons(module: Path) -> None:
    text = module.read_text()
    assert text.startswith("/* "), "a module begins by saying what it is for"
    assert len(text.splitlines()) <= 400
    assert max(len(line) for line in text.splitlines()) <= 100
