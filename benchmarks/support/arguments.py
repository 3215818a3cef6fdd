"""What all scripts have in common on the command line: the essay at their top is their help."""

import argparse


def arguments(essay: str | None, *, has_results: bool = False) -> argparse.ArgumentParser:
    """A parser with a script's ``__doc__``, line by line, and ``--json`` where it has results."""
    parser = argparse.ArgumentParser(
        description=essay, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if has_results:
        parser.add_argument("--json", action="store_true", help="a result per line, for programs")
    return parser
