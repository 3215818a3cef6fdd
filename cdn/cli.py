"""The command line of the edge: ``python -m cdn --origin URL``.

A flag is another way to write a setting: its help comes from the setting, and its value is checked
where all settings are. Exit codes: 2 for settings that cannot be used, 1 for a start that fails
for another reason (the port is taken), 0 for an end that was asked for.
"""

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import click

from cdn.commands.check import check as check_all
from cdn.commands.plan import plan_command
from cdn.commands.purge import purge_command
from cdn.commands.reference import example_file
from cdn.errors import SettingsError
from cdn.observe import set_up_logging
from cdn.process import workers
from cdn.render.command import render_command
from cdn.settings import EdgeSettings, Section, load

HELP = "An HTTP cache for live HLS, between an origin and its viewers."

FLAGS = {
    "--origin": ("origin", "url"),
    "--host": ("listen", "host"),
    "--http-port": ("listen", "http_port"),
    "--workers": ("listen", "workers"),
    "--drain": ("listen", "drain_s"),
    "--memory": ("cache", "memory"),
    "--metrics-host": ("metrics", "host"),
    "--metrics-port": ("metrics", "port"),
    "--log-level": ("log", "level"),
}
"""Which setting each flag writes; the rest is for the file and the environment."""

REPEATED = frozenset({"--origin"})
"""Flags that may be given several times, each time with one more value."""

Flag = str | tuple[str, ...] | None
"""What a flag was given: nothing, a text, or several texts."""

COMMANDS: tuple[click.Command, ...] = (render_command, purge_command, plan_command)
"""What can be done beside serving, each in a module of its own."""

UNUSABLE = 2
FAILED = 1


def main() -> None:
    """Run the command."""
    parent = os.getppid()  # before anything else takes time, in which the parent could die

    def edge(config: Path | None, check: bool, exit_with_parent: bool, **flags: Flag) -> None:
        if click.get_current_context().invoked_subcommand is not None:
            return
        with _exit_code(UNUSABLE):
            settings = load(config, _sections(flags))
        if check:
            with _exit_code(UNUSABLE):
                warnings = check_all(settings)
            for warning in warnings:
                click.echo(f"tidecast edge: warning: {warning}", err=True)
            click.echo("OK")
            return
        if exit_with_parent:
            workers.end_with_parent(parent)
        set_up_logging(settings.log.level)
        with _exit_code(FAILED):
            workers.run(settings, lambda: load(config, _sections(flags)))

    click.Group(
        "edge",
        callback=edge,
        params=_options(),
        help=HELP,
        commands=COMMANDS,
        invoke_without_command=True,
    ).main(prog_name="tidecast edge")


@contextmanager
def _exit_code(code: int) -> Generator[None]:
    """Say what the operator has to change, a line each, and leave with this code."""
    try:
        yield
    except SettingsError as error:
        for line in str(error).splitlines():
            click.echo(f"tidecast edge: {line}", err=True)
        sys.exit(code)


def _options() -> list[click.Parameter]:
    options: list[click.Parameter] = [
        click.Option(["--config"], type=click.Path(path_type=Path), help="A TOML file."),
        click.Option(
            ["--example"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_example,
            help="Print a TOML file with every setting, and exit.",
        ),
        click.Option(
            ["--check"],
            is_flag=True,
            help="Check settings, certificate, ports and origins; start nothing.",
        ),
        click.Option(
            ["--exit-with-parent"],
            is_flag=True,
            help="End when the process that started this one does, however it ends.",
        ),
    ]
    for flag, (section, name) in FLAGS.items():
        option = [flag, f"{section}__{name}"]
        options.append(click.Option(option, multiple=flag in REPEATED, help=_help(section, name)))
    return options


def _print_example(context: click.Context, _: click.Parameter, is_given: bool) -> None:
    if is_given:
        click.echo(example_file(), nl=False)
        context.exit()


def _help(section: str, name: str) -> str:
    model = EdgeSettings.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, Section)
    return " ".join((model.model_fields[name].description or "").split())


def _sections(flags: dict[str, Flag]) -> dict[str, dict[str, object]]:
    sections: dict[str, dict[str, object]] = {}
    for parameter, value in flags.items():
        section, _, name = parameter.partition("__")
        if value not in (None, ()):  # a flag that may be repeated, and was not given, is ()
            sections.setdefault(section, {})[name] = value
    return sections
