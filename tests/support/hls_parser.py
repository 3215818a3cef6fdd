"""hls-parser (npm) in its strict mode, as an eye on single playlists that is not ours."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

NODE = Path(__file__).parent.parent / "node"
TIMEOUT_S = 60


class Checked(NamedTuple):
    """What hls-parser made of one playlist."""

    name: str
    kind: str | None
    """``master`` or ``media``; None where it could not be read."""
    findings: list[str]


def check_playlists(playlists: Iterable[tuple[str, str]], tools: Path = NODE) -> list[Checked]:
    """Let it read named playlists; one process for all of them."""
    if not (tools / "node_modules" / "hls-parser").is_dir():
        raise FileNotFoundError(f"{tools}/node_modules is not set up: run `make setup-tests`")
    rows = [json.dumps({"name": name, "text": text}) for name, text in playlists]
    done = subprocess.run(
        ["node", str(tools / "check.mjs")],
        input="\n".join(rows),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    if done.returncode:
        raise RuntimeError(f"check.mjs failed: {done.stderr}")
    return [_checked(json.loads(line)) for line in done.stdout.splitlines()]


def _checked(row: dict[str, object]) -> Checked:
    findings, kind = row["findings"], row["kind"]
    assert isinstance(findings, list)
    assert kind is None or isinstance(kind, str)
    return Checked(str(row["name"]), kind, [str(finding) for finding in findings])
