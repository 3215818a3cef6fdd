"""Runs the load generator: options in, one report out, however the run ends."""

import contextlib
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from origin.bench.errors import CannotMeasure
from origin.bench.target import Target

MEASURING = {"measuring": True}
END_WITHIN_S = 30.0


def target_options(target: Target, sources: int) -> list[str]:
    """Return what the program has to know of the server."""
    return [
        *("--address", target.address, "--port", str(target.port), "--host", target.host),
        *("--base", f"http://{target.host}", "--path", target.path, "--sources", str(sources)),
    ]


def run_load(
    program: Path,
    mode: str,
    options: Sequence[str],
    on_measuring: Callable[[], None] = lambda: None,
) -> str:
    """Run it to its end and return its report (JSON). Ctrl-C ends it early, with a report."""
    process = subprocess.Popen(
        [str(program), mode, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    report = ""
    try:
        with contextlib.suppress(KeyboardInterrupt):  # the terminal has told the program as well
            report = _read(process, on_measuring)
        output, complaint = process.communicate(timeout=END_WITHIN_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    report = output.strip().rpartition("\n")[2] or report
    if process.returncode or not report:
        raise CannotMeasure(complaint.strip() or f"The load ended with {process.returncode}.")
    return report


def _read(process: subprocess.Popen[str], on_measuring: Callable[[], None]) -> str:
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        if json.loads(line) == MEASURING:
            on_measuring()
        else:
            last = line
    return last
