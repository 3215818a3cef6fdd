"""``tidecast``: its commands are there, each says what it does, and a misspelt one is guessed."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from origin.cli import main


@pytest.mark.parametrize(
    "command", [(), ("serve",), ("config",), ("doctor",), ("keys",), ("bench",)]
)
def test_every_command_says_what_it_does(command: tuple[str, ...]) -> None:
    for flag in ("-h", "--help"):
        said = CliRunner().invoke(main, [*command, flag])
        assert said.exit_code == 0
        assert said.output.startswith("Usage: ")


def below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            if (found := command.get_command(context, each)) is not None:
                yield from below(found, f"{name} {each}")


def test_every_flag_of_every_command_has_words() -> None:
    commands = dict(below(main, "tidecast"))
    assert {"tidecast bench herd", "tidecast keys add", "tidecast doctor"} <= commands.keys()
    silent = [
        f"{name} {option.opts[0]}"
        for name, command in commands.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("serv", "serve"), ("egde", "edge"), ("benhc", "bench"), ("docter", "doctor"), ("qqq", None)],
)
def test_a_misspelt_command_is_refused_with_the_one_that_was_meant(
    typed: str, meant: str | None
) -> None:
    said = CliRunner().invoke(main, [typed, "--config", "x"])
    assert said.exit_code == 2
    hint = "" if meant is None else f" Did you mean '{meant}'?"
    assert f"No such command '{typed}'.{hint}\n" in said.output
