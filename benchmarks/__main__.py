"""Run every benchmark, one after the other, and write the table that README shows.

    python -m benchmarks [--quick] [SCRIPT ...]

Scripts that know ``--json`` say what they found as results, which are kept in ``results.jsonl``
until they run again and become the table between README's two markers; the others print for
themselves. All of it takes about an hour on two cores, half of it steady's; ``--quick`` says less
sooner, and keeps nothing.
"""

import ast
import subprocess
import sys
from pathlib import Path

from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit, keep, parse, table, write_readme

FOLDER = Path(__file__).parent
QUICK = {
    "herd": ["-n", "2000", "--rounds", "1"],
    "inflight": ["--rounds", "2"],
    "ingest": ["--publishers", "20", "--seconds", "8", "--rounds", "1"],
    "latency": ["--seconds", "10", "--visits", "2"],
    "steady": ["-n", "2000", "--seconds", "10", "--rounds", "1"],
}


def main() -> None:
    """Run them; the status is that of the first one that failed."""
    essays = read_essays()
    index = "\n".join(f"    {name:<16}{essay.splitlines()[0]}" for name, essay in essays.items())
    parser = arguments(f"{__doc__}\nThe scripts:\n\n{index}")
    parser.add_argument("--quick", action="store_true", help="less of everything; keep nothing")
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", default=list(essays))
    given = parser.parse_args()
    if unknown := set(given.scripts) - set(essays):
        parser.error(f"there is no {min(unknown)}; there are {', '.join(essays)}")
    for script in given.scripts:
        print(f"\n{script}", flush=True)
        found = run(script, quick=given.quick, has_results="--json" in essays[script])
        if found and not given.quick and not write_readme(table(keep(found))):
            print("README has no place for the table.", file=sys.stderr)


def read_essays() -> dict[str, str]:
    """What stands at the top of each script, its usage included."""
    return {
        path.stem: ast.get_docstring(ast.parse(path.read_text())) or ""
        for path in sorted(FOLDER.glob("[a-z]*.py"))
    }


def run(script: str, *, quick: bool, has_results: bool) -> list[Result]:
    """Run a script, as results where it knows how to say them."""
    command = [sys.executable, "-m", f"benchmarks.{script}", *(QUICK.get(script, []) * quick)]
    if not has_results:
        subprocess.run(command, check=True)
        return []
    done = subprocess.run([*command, "--json"], check=True, stdout=subprocess.PIPE, text=True)
    results = parse(done.stdout)
    emit(results, as_json=False)
    return results


if __name__ == "__main__":
    main()
