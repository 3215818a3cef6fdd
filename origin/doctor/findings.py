"""What the doctor says: a level and a sentence for each thing that was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How much it matters; the value is the word that is printed."""

    WELL = "ok"
    WARNING = "warning"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``text`` says what to do unless all is well."""

    level: Level
    text: str


def well(text: str) -> Finding:
    return Finding(Level.WELL, text)


def warning(text: str) -> Finding:
    return Finding(Level.WARNING, text)


def problem(text: str) -> Finding:
    return Finding(Level.PROBLEM, text)


def line(finding: Finding) -> str:
    """The finding as it is printed."""
    return f"{finding.level.value:<8} {finding.text}"


def verdict(findings: Iterable[Finding]) -> tuple[int, str]:
    """Return the exit status, and the last sentence."""
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    if problems:
        return 1, f"{problems} problem{'s' if problems > 1 else ''} to be mended."
    return 0, "Tidecast runs here."
