"""Templates to text, and the comment at the top of every rendered file."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from cdn.render.site import Site

WIDTH = 92


@cache
def _environment() -> Environment:
    # Not HTML, so nothing is escaped: what comes from settings is checked by their patterns.
    return Environment(
        loader=PackageLoader("cdn.render"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(template: str, site: Site, **values: object) -> str:
    """Fill in a template; a name that it knows and nobody gives is our own error."""
    return _environment().get_template(template).render(site=site, **values)


def notes(engine: str, site: Site, check: str, warnings: tuple[str, ...], mark: str = "#") -> str:
    """Say in comments what made the file, from what, how to check it, and what it cannot do."""
    lines = [
        f"Made by `tidecast edge render {engine} --{site.place.value}` from {site.source}.",
        "Change the settings and render it again, rather than this file.",
        f"Check it with: {check}",
    ]
    for warning in warnings:
        lines += ["", *wrapped(f"WARNING: {warning}")]
    return "\n".join(f"{mark} {line}".rstrip() for line in lines)


def wrapped(text: str) -> list[str]:
    """Break a sentence into lines."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines
