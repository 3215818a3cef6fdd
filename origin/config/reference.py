"""The example file and the settings page, rendered from the settings' declaration."""

import json
from collections.abc import Mapping

from pydantic.fields import FieldInfo

from origin.config.layers import PREFIX
from origin.config.settings import known_keys


def example_file() -> str:
    """A TOML file in which every setting stands at its default, commented out."""
    lines = ["# Tidecast's settings at their defaults: uncomment what you change.", ""]
    for section, model in known_keys().items():
        lines += [f"# {model.__doc__}", f"[{section}]"]
        for key, field in model.model_fields.items():
            lines += [f"# {field.description}", f"# {key} = {_toml(field)}"]
        lines.append("")
    return "\n".join(lines)


def settings_page(flags: Mapping[str, tuple[str, str]]) -> str:
    """The page in Markdown: a table per section, with flag and environment variable."""
    flag_of = {target: flag for flag, target in flags.items()}
    lines = [
        "# Settings",
        "",
        "Made by `tidecast config reference`; a test holds this page against it. A flag beats the",
        "environment, which beats the file (`--config`), which beats the default. Unknown keys are",
        "refused. The edge has settings of its own: `tidecast edge --help`.",
    ]
    for section, model in known_keys().items():
        lines += ["", f"## `[{section}]`", "", f"{model.__doc__}", ""]
        lines += ["| key | default | flag | what it is |", "| --- | --- | --- | --- |"]
        for key, field in model.model_fields.items():
            flag = flag_of.get((section, key))
            shown = f"`{flag}`" if flag else ""
            lines.append(f"| `{key}` | `{_toml(field)}` | {shown} | {field.description} |")
    example = f"{PREFIX}SERVER__HTTP_PORT=9000"
    return "\n".join(
        [*lines, "", f"In the environment: `{example}` is `http_port` of `[server]`.", ""]
    )


def _toml(field: FieldInfo) -> str:
    default = field.default
    if isinstance(default, bool | int | float):
        return json.dumps(default)
    return json.dumps(str(default))
