"""The command line of the edge: ``python -m cdn --origin URL``.

A flag is another way to write a setting: its help comes from the setting, and its value is checked
where all settings are. Exit codes: 2 for settings that cannot be used, 1 for a start that fails
for another reason (the port is taken), 0 for an end that was asked for.
"""

import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

import click

from cdn.errors import SettingsError
from cdn.flags import SettingOption, sections

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

UNUSABLE = 2
FAILED = 1


def _render() -> click.Command:
    from cdn.render.command import render_command

    return render_command


def _purge() -> click.Command:
    from cdn.commands.purge import purge_command

    return purge_command


def _plan() -> click.Command:
    from cdn.commands.plan import plan_command

    return plan_command


COMMANDS: dict[str, Callable[[], click.Command]] = {
    "render": _render,
    "purge": _purge,
    "plan": _plan,
}
"""What can be done beside serving, each in a module of its own, which is imported for it."""


class _Commands(click.Group):
    """The command itself, and those below it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = COMMANDS.get(cmd_name)
        return None if command is None else command()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was probably meant."""
        if not args[0].startswith("-") and args[0] not in COMMANDS:
            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(
                f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else "")
            )
        return super().resolve_command(ctx, args)


def main() -> None:
    """Run the command."""
    parent = os.getppid()  # before anything else takes time, in which the parent could die

    def edge(config: Path | None, check: bool, exit_with_parent: bool, **flags: Flag) -> None:
        if click.get_current_context().invoked_subcommand is not None:
            return
        if check:
            _check(config, flags)
        else:
            _serve(config, flags, parent if exit_with_parent else None)

    _Commands(
        "edge",
        callback=edge,
        params=_options(),
        help=HELP,
        invoke_without_command=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    ).main(prog_name="tidecast edge")


def _check(config: Path | None, flags: dict[str, Flag]) -> None:
    from cdn.commands.check import check
    from cdn.layers import load

    with _exit_code(UNUSABLE):
        warnings = check(load(config, sections(flags)))
    for warning in warnings:
        click.echo(f"tidecast edge: warning: {warning}", err=True)
    click.echo("OK")


def _serve(config: Path | None, flags: dict[str, Flag], parent: int | None) -> None:
    from cdn.layers import load

    with _exit_code(UNUSABLE):
        settings = load(config, sections(flags))

    from cdn.observe.log import set_up_logging
    from cdn.process import workers

    if parent is not None:
        workers.end_with_parent(parent)
    set_up_logging(settings.log.level)
    with _exit_code(FAILED):
        workers.run(settings, lambda: load(config, sections(flags)))


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
        options.append(SettingOption(flag, section, name, repeated=flag in REPEATED))
    return options


def _print_example(context: click.Context, _: click.Parameter, is_given: bool) -> None:
    if is_given:
        from cdn.commands.reference import example_file

        click.echo(example_file(), nl=False)
        context.exit()
