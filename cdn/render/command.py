"""The command ``tidecast edge render``: the same settings, written for another server."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from cdn.errors import SettingsError
from cdn.flags import SettingOption, given, given_above, sections
from cdn.layers import load
from cdn.render.haproxy import haproxy
from cdn.render.nginx import nginx
from cdn.render.site import Place, Rendered, Site, site_of
from cdn.render.varnish import varnish

ENGINES: dict[str, tuple[Place, Callable[[Site], Rendered]]] = {
    "nginx": (Place.IN_FRONT, nginx),
    "varnish": (Place.ALONE, varnish),
    "haproxy": (Place.IN_FRONT, haproxy),
}
"""What can be rendered, and where each stands unless it is told otherwise."""

UNUSABLE = 2

HELP = """Write the configuration of another server from the edge's settings, to standard output.

nginx and haproxy go in front of Tidecast's edges, for TLS and HTTP/2; nginx and varnish can
also stand alone, in front of the origin, for what they can do. What they cannot is said in the
file, and on standard error."""

FLAGS: dict[str, tuple[str, str]] = {
    "--origin": ("origin", "url"),
    "--host": ("listen", "host"),
    "--http-port": ("listen", "http_port"),
    "--edge": ("render", "edges"),
    "--port": ("render", "port"),
    "--server-name": ("render", "server_name"),
    "--certificate": ("render", "certificate"),
    "--key": ("render", "key"),
}
"""Which setting each flag writes, as in ``cdn.cli``; ``--edge`` may be given several times."""


def _render(engine: str, place: str | None, config: Path | None, **flags: object) -> None:
    usual, renderer = ENGINES[engine]
    above = given_above()
    file = config or above.config
    try:
        settings = load(file, sections({**above.flags, **given(flags)}))
        site = site_of(settings, usual if place is None else Place(place), _source(file))
        rendered = renderer(site)
    except SettingsError as error:
        for line in str(error).splitlines():
            click.echo(f"tidecast edge render: {line}", err=True)
        sys.exit(UNUSABLE)
    click.echo(rendered.text, nl=False)
    for warning in rendered.warnings:
        click.echo(f"WARNING: {warning}", err=True)


def _source(config: Path | None) -> str:
    return "flags and the environment" if config is None else str(config)


def _parameters() -> list[click.Parameter]:
    parameters: list[click.Parameter] = [
        click.Argument(["engine"], type=click.Choice(list(ENGINES))),
        click.Option(
            ["--in-front", "place"],
            flag_value=Place.IN_FRONT.value,
            help="It stands in front of Tidecast's edges.",
        ),
        click.Option(
            ["--alone", "place"],
            flag_value=Place.ALONE.value,
            help="It stands in the place of an edge, in front of the origin.",
        ),
        click.Option(["--config"], type=click.Path(path_type=Path), help="The edge's TOML file."),
    ]
    for flag, (section, name) in FLAGS.items():
        parameters.append(SettingOption(flag, section, name, repeated=flag == "--edge"))
    return parameters


render_command = click.Command("render", callback=_render, params=_parameters(), help=HELP)
