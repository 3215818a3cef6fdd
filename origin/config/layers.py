"""Where settings come from: flags over the environment over a TOML file over the defaults.

A variable is ``TIDECAST_SECTION__KEY``. Unknown keys are refused in every layer, with the nearest
known one as a suggestion: a misspelt limit that is silently ignored is a limit that does not exist.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from origin.config.checks import checked
from origin.config.settings import Settings, known_keys
from origin.errors import SettingsError

PREFIX = "TIDECAST_"
EDGE_PREFIX = "TIDECAST_EDGE__"  # the edge's own settings share the environment

Tables = Mapping[str, Mapping[str, object]]
"""Values by section and key."""


def load_settings(flags: Tables, config: Path | None) -> Settings:
    """Put the settings together.

    Args:
        flags: what was given on the command line, by section and key.
        config: the TOML file, or None.

    Raises:
        SettingsError: naming each key that is wrong, and what it should be.
    """
    file = _read_toml(config) if config is not None else {}
    given = _lay_over(file, _read_environment(os.environ), flags)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error))) from error
    return checked(settings, cast("Mapping[str, object]", given.get("server", {})))


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error


def _read_environment(environment: Mapping[str, str]) -> dict[str, dict[str, object]]:
    known = {
        f"{PREFIX}{section}__{key}".upper(): (section, key)
        for section, model in known_keys().items()
        for key in model.model_fields
    }
    tables: dict[str, dict[str, object]] = {}
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable.startswith(EDGE_PREFIX):
            continue
        if variable not in known:
            raise SettingsError(f"unknown variable {variable}{_suggestion(variable, known)}")
        section, key = known[variable]
        tables.setdefault(section, {})[key] = value
    return tables


def _lay_over(*layers: Mapping[str, object]) -> dict[str, object]:
    """Lay the sections of all layers over one another, the last on top."""
    laid: dict[str, object] = {}
    for layer in layers:
        for section, values in layer.items():
            below = laid.get(section)
            if isinstance(values, Mapping) and isinstance(below, Mapping):
                above = cast("Mapping[str, object]", values)
                laid[section] = {**cast("Mapping[str, object]", below), **above}
            else:
                laid[section] = values
    return laid


def _explain(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for problem in error.errors():
        path = [str(part) for part in problem["loc"]]
        where = ".".join(path)
        if problem["type"] == "extra_forbidden":
            sections = known_keys()
            near = sections[path[0]].model_fields if path[0] in sections else sections
            lines.append(f"unknown setting {where}{_suggestion(path[-1], near)}")
        else:
            lines.append(f"{where}: {problem['msg']} (got {problem['input']!r})")
    return lines


def _suggestion(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {near[0]}?" if near else ""
