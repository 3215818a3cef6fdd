"""The commands that read the origin's settings: ``tidecast serve``, ``doctor`` and ``config``.

Flags are made from the settings' own declarations (their help is the settings' docstring), so
that there is one place where a setting is described.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from origin.config.layers import load_settings
from origin.config.reference import example_file, settings_page
from origin.config.settings import Settings, known_keys
from origin.errors import SettingsError

# Flag: (section, key) that it sets.
FLAGS = {
    "--data-dir": ("server", "data_dir"),
    "--host": ("server", "host"),
    "--http-port": ("server", "http_port"),
    "--edge-workers": ("server", "edge_workers"),
    "--log-json": ("server", "log_json"),
    "--rtmp-port": ("rtmp", "port"),
    "--open": ("rtmp", "open"),
    "--force-open": ("rtmp", "force_open"),
    "--grace-s": ("rtmp", "grace_s"),
    "--keep-ended-s": ("rtmp", "keep_ended_s"),
    "--chunk-size": ("rtmp", "chunk_size"),
    "--failed-key-delay-s": ("rtmp", "failed_key_delay_s"),
    "--login-app": ("rtmp", "login_app"),
    "--rtmp-tls-port": ("rtmp", "tls_port"),
    "--rtmp-tls-certificate": ("rtmp", "tls_certificate"),
    "--rtmp-tls-key": ("rtmp", "tls_key"),
    "--control-host": ("control", "host"),
    "--control-port": ("control", "port"),
    "--control-token-file": ("control", "token_file"),
    "--control-request-s": ("control", "request_s"),
    "--control-request-bytes": ("control", "request_bytes"),
    "--control-slow-reader-s": ("control", "slow_reader_s"),
    "--segment-s": ("hls", "segment_s"),
    "--part-s": ("hls", "part_s"),
    "--window": ("hls", "window"),
    "--low-latency": ("hls", "low_latency"),
    "--keep-over-restarts": ("hls", "keep_over_restarts"),
    "--handshake-s": ("limits", "handshake_s"),
    "--connect-s": ("limits", "connect_s"),
    "--publish-s": ("limits", "publish_s"),
    "--silence-s": ("limits", "silence_s"),
    "--unfinished-message-s": ("limits", "unfinished_message_s"),
    "--closing-s": ("limits", "closing_s"),
    "--decision-s": ("limits", "decision_s"),
    "--longest-message-before-publish-bytes": ("limits", "longest_message_before_publish_bytes"),
    "--longest-message-bytes": ("limits", "longest_message_bytes"),
    "--unfinished-before-publish-bytes": ("limits", "unfinished_before_publish_bytes"),
    "--unfinished-bytes": ("limits", "unfinished_bytes"),
    "--chunk-streams": ("limits", "chunk_streams"),
    "--chunks-per-turn": ("limits", "chunks_per_turn"),
    "--stranger-turns-per-s": ("limits", "stranger_turns_per_s"),
    "--command-bytes": ("limits", "command_bytes"),
    "--command-values": ("limits", "command_values"),
    "--metadata-bytes": ("limits", "metadata_bytes"),
    "--metadata-values": ("limits", "metadata_values"),
    "--amf-depth": ("limits", "amf_depth"),
    "--unread-replies-bytes": ("limits", "unread_replies_bytes"),
    "--players": ("limits", "players"),
    "--connections": ("limits", "connections"),
    "--connections-per-address": ("limits", "connections_per_address"),
    "--memory-mib": ("limits", "memory_mib"),
}
CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file with settings (see `tidecast config example`).",
)
Command = TypeVar("Command", bound=Callable[..., object])


def setting_flags(command: Command) -> Command:
    """Give ``command`` a flag for each setting of ``FLAGS``."""
    sections = known_keys()
    for flag, (section, key) in reversed(FLAGS.items()):
        field = sections[section].model_fields[key]
        is_switch = field.default is False  # what is on by default is given a value: "no"
        option = click.option(
            flag,
            f"{section}__{key}",
            is_flag=is_switch,
            flag_value=True if is_switch else None,
            type=None if is_switch else str,
            default=None,
            help=f"{field.description}  [default: {field.default}]",
        )
        command = option(command)
    return command


@click.command("serve")
@CONFIG
@click.option("--demo", is_flag=True, help="Publish a moving test picture and a tone.")
@setting_flags
def serve_command(config: Path | None, demo: bool, **flags: str | bool | None) -> NoReturn:
    """Take streams in and serve them; prints what to type into OBS."""
    from origin.service.serve import serve

    try:
        sys.exit(serve(_settings(config, flags), demo=demo))
    except SettingsError as error:
        _refuse(error)


@click.command("doctor")
@CONFIG
@click.option("--no-trial", is_flag=True, help="Only look: do not start another one to try it.")
@setting_flags
def doctor_command(config: Path | None, no_trial: bool, **flags: str | bool | None) -> NoReturn:
    """See whether it would run here: ports, directory, keys, clock, and three seconds of video.

    Exit status 1 if anything has to be mended before a broadcast; each line says what to do.
    """
    from origin.doctor.checks import check_all
    from origin.doctor.findings import Finding, line, verdict
    from origin.doctor.trial import try_out

    try:
        settings = _settings(config, flags)
    except SettingsError as error:
        _refuse(error)
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        click.echo(line(finding))
        findings.append(finding)

    for each in check_all(settings):
        tell(each)
    if not no_trial:
        tell(try_out())
    status, sentence = verdict(findings)
    click.echo(sentence)
    sys.exit(status)


@click.group("config")
def config_group() -> None:
    """Look at settings and check them."""


@config_group.command("check")
@CONFIG
@setting_flags
def check_command(config: Path | None, **flags: str | bool | None) -> None:
    """Check a configuration without starting anything."""
    try:
        _settings(config, flags)
    except SettingsError as error:
        _refuse(error)
    click.echo("The configuration is good.")


@config_group.command("show")
@CONFIG
@setting_flags
def show_command(config: Path | None, **flags: str | bool | None) -> None:
    """Print every setting as it would be used."""
    try:
        settings = _settings(config, flags)
    except SettingsError as error:
        _refuse(error)
    for section, values in settings.model_dump(mode="json").items():
        for key, value in values.items():
            click.echo(f"{section}.{key} = {value}")


@config_group.command("example")
def example_command() -> None:
    """Print a configuration file with every setting at its default."""
    click.echo(example_file(), nl=False)


@config_group.command("reference")
def reference_command() -> None:
    """Print the page that describes every setting (Markdown)."""
    click.echo(settings_page(FLAGS), nl=False)


def _settings(config: Path | None, flags: dict[str, str | bool | None]) -> Settings:
    tables: dict[str, dict[str, object]] = {}
    for name, value in flags.items():
        if value is not None:
            section, key = name.split("__", 1)
            tables.setdefault(section, {})[key] = value
    return load_settings(tables, config)


def _refuse(error: SettingsError) -> NoReturn:
    for line in str(error).splitlines():
        click.echo(f"tidecast: {line}", err=True)
    sys.exit(2)
