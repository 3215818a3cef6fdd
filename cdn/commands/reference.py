"""The example file of the edge's settings, rendered from their declaration."""

import json
from collections.abc import Iterator
from inspect import cleandoc

from pydantic.fields import FieldInfo

from cdn.flags import as_toml, explanation
from cdn.settings import EdgeSettings, Section


def example_file() -> str:
    """Return a TOML file in which every setting stands at its default, commented out."""
    lines = ["# The edge's settings at their defaults: uncomment what you change.", ""]
    for name, field in EdgeSettings.model_fields.items():
        lines += _section(name, field, "")
    return "\n".join(lines)


def _section(name: str, field: FieldInfo, purpose: str) -> Iterator[str]:
    section = field.annotation
    assert isinstance(section, type)
    assert issubclass(section, Section)
    yield from _comment(purpose or section.__doc__)
    below = {key: each for key, each in section.model_fields.items() if _is_section(each)}
    if not below:
        yield f"[{name}]"
    for key, each in section.model_fields.items():
        if key not in below:
            yield from _setting(section, key, each)
    yield ""
    for key, each in below.items():
        yield from _section(f"{name}.{key}", each, explanation(section, key))


def _setting(section: type[Section], key: str, field: FieldInfo) -> Iterator[str]:
    yield from _comment(explanation(section, key))
    if field.is_required():
        yield f"{key} = {json.dumps((field.examples or [''])[0])}"
    elif field.default is None:
        yield f"# {key} is not set"
    else:
        yield f"# {key} = {as_toml(field.default)}"


def _comment(text: str | None) -> Iterator[str]:
    return (f"# {line}" for line in cleandoc(text or "").splitlines())


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)
