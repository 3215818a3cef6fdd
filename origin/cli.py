"""The command ``tidecast``, and where its parts are.

Each part is imported when it is asked for: whoever starts an edge or asks for help does not wait
for the origin.
"""

import os
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import NoReturn

import click


def _serve() -> click.Command:
    from origin.commands import serve_command

    return serve_command


def _config() -> click.Command:
    from origin.commands import config_group

    return config_group


def _doctor() -> click.Command:
    from origin.commands import doctor_command

    return doctor_command


def _keys() -> click.Command:
    from origin.service.keys import keys_group

    return keys_group


def _bench() -> click.Command:
    from origin.bench.cli import bench_group

    return bench_group


PARTS: Mapping[str, Callable[[], click.Command]] = {
    "serve": _serve,
    "config": _config,
    "doctor": _doctor,
    "keys": _keys,
    "bench": _bench,
}


class _Tidecast(click.Group):
    """The command, and those below it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*PARTS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        part = PARTS.get(cmd_name)
        return super().get_command(ctx, cmd_name) if part is None else part()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say which command was probably meant."""
        known = self.list_commands(ctx)
        if not args[0].startswith("-") and args[0] not in known:
            near = get_close_matches(args[0], known, n=1)
            ctx.fail(
                f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else "")
            )
        return super().resolve_command(ctx, args)


@click.group(cls=_Tidecast, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidecast")
def main() -> None:
    """Tidecast: RTMP in from OBS or FFmpeg, HLS out to ten thousand viewers."""


@main.command(
    "edge",
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def edge_command(arguments: tuple[str, ...]) -> NoReturn:
    """Run an edge cache node in front of an origin (`tidecast edge --help`)."""
    # Origin and edge share no code: the edge is a program of its own.
    os.execv(sys.executable, [sys.executable, "-m", "cdn", *arguments])


@main.command(
    "plan",
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": [],
    },
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def plan_command(arguments: tuple[str, ...]) -> NoReturn:
    """Reckon what an audience takes: cores, network cards, memory (`tidecast plan --help`)."""
    os.execv(sys.executable, [sys.executable, "-m", "cdn", "plan", *arguments])
