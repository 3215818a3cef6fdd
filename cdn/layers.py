"""Where settings come from: flags over the environment over a TOML file over the defaults.

A variable is ``TIDECAST_EDGE__SECTION__KEY``; one that begins with a bracket is a list in JSON. An
unknown name is refused in every layer, with the name that was probably meant: a misspelt limit
that is silently ignored is found on the evening of the broadcast.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cdn.errors import SettingsError
from cdn.settings import EdgeSettings, Section

ENV_PREFIX = "TIDECAST_EDGE__"
ENV_DELIMITER = "__"

Flags = Mapping[str, Mapping[str, object]]
"""Sections, and in each the values given on the command line."""

Tables = dict[str, object]
"""Settings by name, those of a section in tables of their own."""


def load(file: Path | None, flags: Flags) -> EdgeSettings:
    """Put the layers on top of each other; raise ``SettingsError`` that names every error."""
    given = {} if file is None else read_file(file)
    lay_over(given, read_environment(os.environ))
    lay_over(given, flags)
    try:
        return EdgeSettings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(map(explain, error.errors()))) from error


def read_file(file: Path) -> Tables:
    """Read a TOML file."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(f"{file}: there is no such file") from error
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsError(f"{file}: {error}") from error


def read_environment(environment: Mapping[str, str]) -> Tables:
    """Read the variables that are the edge's, whether or not such settings exist."""
    tables: Tables = {}
    for name, text in environment.items():
        if not name.upper().startswith(ENV_PREFIX):
            continue
        *path, key = name[len(ENV_PREFIX) :].lower().split(ENV_DELIMITER)
        section = (path or [key])[0]
        if section not in EdgeSettings.model_fields:
            hint = did_you_mean(section, EdgeSettings.model_fields)
            raise SettingsError(f"{name}: there is no section {section!r}{hint}")
        if not path:
            raise SettingsError(f"environment: {name} is a section; name a setting of it")
        value: object = _value(text)
        for step in (key, *reversed(path[1:])):
            value = {step: value}
        lay_over(tables, {section: value})
    return tables


def _value(text: str) -> object:
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError:
            return text  # the setting's own check says what it should have been
    return text


def lay_over(below: Tables, above: Mapping[str, object]) -> None:
    """Put values over those that are there, setting by setting."""
    for name, value in above.items():
        old = below.get(name)
        if isinstance(old, dict) and isinstance(value, Mapping):
            lay_over(cast(Tables, old), cast("Mapping[str, object]", value))
        elif isinstance(value, Mapping):
            below[name] = fresh = Tables()
            lay_over(fresh, cast("Mapping[str, object]", value))
        else:
            below[name] = value


def explain(error: ErrorDetails) -> str:
    """Say in one line what is wrong with one setting."""
    path = [str(step) for step in error["loc"]]
    name = ".".join(path)
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{did_you_mean(path[-1], _siblings(path))}"
    if error["type"] == "missing":
        return f"{name}: is needed{' (--origin URL)' if path[0] == 'origin' else ''}"
    value: object = error["input"]
    if isinstance(value, tuple) and value:  # a flag that may be given several times
        (value, *_) = cast("tuple[object, ...]", value)
    return f"{name}: {error['msg'].removeprefix('Value error, ')}, not {value!r}"


def _siblings(path: list[str]) -> Mapping[str, object]:
    model: type[Section] = EdgeSettings
    for step in path[:-1]:
        section = model.model_fields[step].annotation
        if not (isinstance(section, type) and issubclass(section, Section)):
            return {}
        model = section
    return model.model_fields


def did_you_mean(wrong: str, known: Mapping[str, object]) -> str:
    """Suggest the closest name, or say what names there are."""
    close = get_close_matches(wrong, list(known), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""
