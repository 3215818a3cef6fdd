"""Run every benchmark, one after the other, and write the table that README shows.

    python -m benchmarks [--quick] [SCRIPT ...]

Scripts that compare with peers say what they found as results, which are kept in
``results.jsonl`` until they run again and become the table between README's two markers; the
others print for themselves. All of it takes about an hour on two cores, half of it steady's;
``--quick`` says less sooner, and keeps nothing.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.support.results import Result, emit, keep, parse, table, write_readme

QUICK = {
    "herd": ["-n", "2000", "--rounds", "1"],
    "inflight": ["--rounds", "2"],
    "steady": ["-n", "2000", "--seconds", "10", "--rounds", "1"],
    "ingest": ["--seconds", "8", "--rounds", "1"],
}


def main() -> None:
    """Run them; the status is that of the first one that failed."""
    scripts = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", default=scripts)
    given = parser.parse_args()
    for script in given.scripts:
        print(f"\n{script}", flush=True)
        found = run(script, quick=given.quick)
        if found and not given.quick and not write_readme(table(keep(found))):
            print("README has no place for the table.", file=sys.stderr)


def run(script: str, *, quick: bool) -> list[Result]:
    """Run a script, as results where it knows how to say them."""
    command = [sys.executable, "-m", f"benchmarks.{script}", *(QUICK.get(script, []) * quick)]
    says_results = "emit(" in (Path(__file__).parent / f"{script}.py").read_text()
    if not says_results:
        subprocess.run(command, check=True)
        return []
    done = subprocess.run([*command, "--json"], check=True, stdout=subprocess.PIPE, text=True)
    results = parse(done.stdout)
    emit(results, as_json=False)
    return results


if __name__ == "__main__":
    main()
