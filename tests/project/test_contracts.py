"""The layer contracts can fail: each is broken by one planted line, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("origin", "cdn", "player")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        pytest.param("origin/rtmp/chunk.py", "import asyncio", "Cores", id="core with I/O"),
        pytest.param("cdn/http/keys.py", "import time", "Cores", id="core with a clock"),
        pytest.param("origin/auth/slowing.py", "import random", "Cores", id="core with chance"),
        pytest.param(
            "origin/rtmp/amf0.py", "import origin.hls.rules", "Origin floors", id="sibling"
        ),
        pytest.param("origin/media/aac.py", "import origin.streams", "Origin floors", id="upwards"),
        pytest.param(
            "cdn/cache/body.py",
            "import cdn.process.server",
            "Edge floors",
            id="upwards in the edge",
        ),
        pytest.param(
            "cdn/http/keys.py", "import origin.errors", "only over HTTP", id="edge to origin"
        ),
        pytest.param("origin/streams/stream.py", "import player.pages", "the player", id="player"),
        pytest.param("origin/service/serve.py", "import player.pages", "the player", id="service"),
    ],
)
def test_a_planted_import_breaks_its_contract(
    tree: Path, module: str, line: str, contract: str
) -> None:
    with (tree / module).open("a") as file:
        file.write(f"\n{line}\n")
    status, said = lint_imports(tree)
    broken = [row for row in said.splitlines() if row.endswith("BROKEN")]
    assert status == 1, said
    assert any(contract in row for row in broken), said


def test_the_tree_as_it_is_keeps_them_all(tree: Path) -> None:
    status, said = lint_imports(tree)
    assert status == 0, said


def lint_imports(tree: Path) -> tuple[int, str]:
    """Run the linter on a tree; its status and what it said."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    return done.returncode, done.stdout + done.stderr
