"""Flags of the command line: each is another way to write a setting, in the setting's own words.

Those words are the docstrings in ``settings``. They are read from its source when somebody asks for
help: pydantic would read them at every start, which takes longer than all else that a start of an
edge does with its settings. For the same reason the declarations are imported no sooner.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cdn.settings import Section

UNSAID = (None, ())
"""What a flag is that was not given; the latter, where it may be given several times."""


class SettingOption(click.Option):
    """A flag whose help is what is said of its setting."""

    def __init__(self, flag: str, section: str, name: str, *, repeated: bool = False) -> None:
        super().__init__([flag, f"{section}__{name}"], multiple=repeated)
        self._setting = section, name

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Look the words up now."""
        from cdn.settings import EdgeSettings, Section

        section, name = self._setting
        model = EdgeSettings.model_fields[section].annotation
        assert isinstance(model, type)
        assert issubclass(model, Section)
        field = model.model_fields[name]
        has_default = not field.is_required() and field.default is not None
        default = f"  [default: {as_toml(field.default)}]" if has_default else ""
        self.help = " ".join(explanation(model, name).split()) + default
        return super().get_help_record(ctx)


def sections(flags: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return what was given, as the file would have it."""
    found: dict[str, dict[str, object]] = {}
    for parameter, value in flags.items():
        section, _, name = parameter.partition("__")
        if value not in UNSAID:
            found.setdefault(section, {})[name] = value
    return found


def given(flags: Mapping[str, object]) -> dict[str, object]:
    """Return those that were given."""
    return {name: value for name, value in flags.items() if value not in UNSAID}


@dataclass(frozen=True, slots=True)
class Above:
    """What stood before a command's word: `tidecast edge --config edge.toml render nginx`."""

    config: Path | None
    flags: dict[str, object]


def given_above() -> Above:
    """Return it, for a command that is under way."""
    parent = click.get_current_context().parent
    params: dict[str, object] = {} if parent is None else parent.params
    config = params.get("config")
    flags = {name: value for name, value in params.items() if "__" in name}
    return Above(config if isinstance(config, Path) else None, given(flags))


def as_toml(value: object) -> str:
    """Write a value as the file has it; an amount of memory in its own unit."""
    from pydantic import ByteSize

    return json.dumps(value.human_readable() if isinstance(value, ByteSize) else value)


def explanation(model: "type[Section]", name: str) -> str:
    """Return the docstring below the declaration of a setting; empty if there is none."""
    return _explanations().get((model.__name__, name), "")


@cache
def _explanations() -> dict[tuple[str, str], str]:
    from cdn import settings

    tree = ast.parse(inspect.getsource(settings))
    return {
        (model.name, field.target.id): inspect.cleandoc(text.value.value)
        for model in tree.body
        if isinstance(model, ast.ClassDef)
        for field, text in pairwise(model.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }
