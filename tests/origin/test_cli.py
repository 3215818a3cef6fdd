"""``tidecast``: its commands are there, each says what it does, and a misspelt one is guessed."""

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
