"""What a rule says when it is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tests.validator.reading import Recording


class Finding(NamedTuple):
    """Where a rule is broken, and how."""

    where: str
    message: str


Rule: TypeAlias = Callable[[Recording], Iterator[Finding]]
"""A rule knows neither its own name nor any other rule: ``validate`` puts them together."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A finding under the name of its rule."""

    rule: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.message}"
