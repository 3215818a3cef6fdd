"""docs/OPERATIONS.md names what exists: settings, flags, commands, metrics; what it shows works."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from cdn.cli import COMMANDS
from cdn.cli import FLAGS as EDGE_FLAGS
from cdn.layers import load
from cdn.render.command import ENGINES, render_command
from cdn.render.site import Place, site_of
from cdn.settings import EdgeSettings
from origin.cli import main as tidecast

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/OPERATIONS.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
CODE = [*re.findall(r"`([^`\n]+)`", PAGE), *re.findall(r"^    (\w.*)$", PAGE, re.MULTILINE)]
SERVE_FLAGS = {"--check", "--config"}


def block(language: str) -> str:
    """The only block in this language."""
    (found,) = [text for name, text in BLOCKS if name == language]
    return str(found)


def settings_named() -> set[str]:
    sections = "|".join(EdgeSettings.model_fields)
    found = (re.findall(rf"(?<![\w.])(?:{sections})\.[a-z_.]+", text) for text in CODE)
    files = {"edge.toml", "edge.example.toml"}
    return {name for names in found for name in names} - files


def exists(path: str) -> bool:
    model: type[BaseModel] = EdgeSettings
    *above, last = path.split(".")
    for step in above:
        section = model.model_fields[step].annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        model = section
    return last in model.model_fields


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in filter(
            None, (command.get_command(context, each) for each in command.list_commands(context))
        ):
            yield from commands(below, f"{name} {below.name}")


KNOWN = dict(commands(tidecast, "tidecast")) | {
    f"tidecast edge {name}": command() for name, command in COMMANDS.items()
}


def test_every_setting_that_is_named_exists() -> None:
    assert len(settings_named()) > 10
    assert [name for name in settings_named() if not exists(name)] == []


def test_every_command_that_is_named_exists() -> None:
    pattern = r"^tidecast (?:(?:edge|bench|config) )?[a-z]+"
    named = {match for text in CODE for match in re.findall(pattern, text)}
    assert len(named) > 4
    assert [name for name in named if name not in KNOWN] == []


def test_every_flag_that_is_named_exists() -> None:
    flags = {flag for text in CODE for flag in re.findall(r"(?<!\S)--[a-z-]+", text)}
    known = {*EDGE_FLAGS, *SERVE_FLAGS}
    for command in KNOWN.values():
        known |= {each for parameter in command.params for each in parameter.opts}
    assert len(flags) > 5
    assert sorted(flags - known) == []


def test_every_metric_that_is_named_is_in_the_page_of_metrics() -> None:
    metrics = (ROOT / "docs/METRICS.md").read_text()
    named = {name for text in CODE for name in re.findall(r"tidecast_\w+", text)}
    assert named
    assert [name for name in named if name not in metrics] == []


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    file = tmp_path / "edge.toml"
    file.write_text(block("toml"))
    return load(file, {})


def test_the_settings_that_are_shown_are_those_of_an_edge(settings: EdgeSettings) -> None:
    shown = tomllib.loads(block("toml"))
    assert set(shown) <= set(EdgeSettings.model_fields)
    assert settings.listen.workers == shown["listen"]["workers"]


RENDERED = re.findall(r"^    (tidecast edge render [^>\n]*)", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", RENDERED)
def test_every_engine_is_rendered_from_the_settings_that_are_shown(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "edge.toml").write_text(block("toml"))
    arguments = shlex.split(command.replace("edge.toml", str(tmp_path / "edge.toml")))[3:]
    done = CliRunner().invoke(render_command, arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout


def test_each_engine_is_shown_and_the_folder_of_nginxs_cache_is_made() -> None:
    assert {command.split()[3] for command in RENDERED} == set(ENGINES)
    folder = load(None, {"origin": {"url": "http://origin"}}).render.cache_folder
    assert f"    mkdir -p {folder}\n" in PAGE


def test_what_is_shown_of_a_rendered_file_is_what_the_command_prints(
    settings: EdgeSettings,
) -> None:
    site = site_of(settings, Place.IN_FRONT, "edge.toml")
    assert block("haproxy") in ENGINES["haproxy"][1](site).text


def test_a_service_gives_the_edge_the_time_that_it_takes_to_end() -> None:
    given = re.search(r"^TimeoutStopSec=(\d+)$", block("ini"), re.MULTILINE)
    assert given is not None
    listen = load(None, {"origin": {"url": "http://origin"}}).listen
    assert int(given[1]) > listen.drain_notice_s + listen.drain_s
