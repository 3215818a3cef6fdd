"""What a benchmark found out, in one form that all scripts share.

A script prints prose for people; with ``--json`` it prints one object per line instead.
``python -m benchmarks`` keeps these lines in ``results.jsonl``, each script's until it runs again,
and makes the table of them that README shows. Targets that a figure misses are shown as missed: a
table that hides them would be worth nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parents[1] / "results.jsonl"
README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- bench: begin (make bench) -->\n", "<!-- bench: end -->\n"


@dataclass(frozen=True, slots=True)
class Result:
    """One figure."""

    name: str
    """What was measured, as the table says it."""
    value: str
    """Tidecast's figure, with its unit."""
    peers: str
    """What the others had in the same run; empty if there are none."""
    target: str
    met: bool | None
    """None: there is no target."""
    script: str
    """Who measured it."""


def emit(results: Iterable[Result], *, as_json: bool) -> None:
    """Print results: a line of JSON each, or a line for people."""
    for result in results:
        if as_json:
            print(json.dumps(asdict(result)), flush=True)
            continue
        verdict = {True: "met", False: "MISSED", None: ""}[result.met]
        print(f"  {result.name}: {result.value}; {result.peers or 'no peers'}; {verdict}")


def parse(output: str) -> list[Result]:
    """Read what a script printed with ``--json``."""
    return [Result(**json.loads(line)) for line in output.splitlines() if line.startswith("{")]


def keep(results: Iterable[Result], file: Path = RESULTS) -> list[Result]:
    """Put what scripts found in the place of what they found before; return all there is."""
    new = list(results)
    again = {result.script for result in new}
    old = parse(file.read_text()) if file.exists() else []
    all_of_them = sorted(
        [*(result for result in old if result.script not in again), *new],
        key=lambda result: result.script,
    )
    lines = (json.dumps(asdict(result), ensure_ascii=False) for result in all_of_them)
    file.write_text("".join(f"{line}\n" for line in lines))
    return all_of_them


def table(results: Iterable[Result]) -> str:
    """Make the table in Markdown."""
    rows = ["| what | Tidecast | beside it, same run | target | shown by |"]
    rows.append("| --- | --- | --- | --- | --- |")
    for result in results:
        target = result.target if result.met is None else _judged(result)
        cells = (result.name, result.value, result.peers, target, f"`{result.script}`")
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _judged(result: Result) -> str:
    return result.target + (": met" if result.met else ": **missed**")


def write_readme(text: str, page: Path = README) -> bool:
    """Put ``text`` between the page's two markers; False if it has none."""
    whole = page.read_text()
    head, begin, rest = whole.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        return False
    page.write_text(head + BEGIN + text + END + tail)
    return True
