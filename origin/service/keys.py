"""``tidecast keys``: who may publish, seen and changed without opening the key file.

The file is the only place where keys are kept, and a running server reads it again when it has
changed: these commands need no server and no access to one, only to its data directory. A key is
printed when it is made, and by ``list --show``; never otherwise.
"""

import secrets
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from origin.auth.hashing import SALT_BYTES, fast_hash, slow_hash
from origin.auth.keyfile import with_key_added, with_key_changed
from origin.auth.keys import HASHED_KEY_GROUPS, KEY_GROUPS, StreamKey, complaint_about, new_key
from origin.auth.names import checked_name
from origin.config.layers import Tables, load_settings
from origin.config.settings import Settings
from origin.errors import Refused, SettingsError
from origin.service.announcement import what_to_type
from origin.service.publishing import KEY_FILE, read_keys
from origin.store import private_file

_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
Command = TypeVar("Command", bound=Callable[..., object])
NUMBER = click.option(
    "--number", type=click.IntRange(1), help="Which key, as `keys list` numbers them."
)


class KeyFile:
    """The key file of one data directory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.path = settings.data_dir / KEY_FILE

    def keys(self) -> tuple[StreamKey, ...]:
        """All of them; to look makes no file, where there is none the directory is a wrong one."""
        if not self.path.exists():
            raise SettingsError(
                f"there is no key file {self.path}: choose its directory with --data-dir, or make "
                "a key with `tidecast keys add STREAM`"
            )
        return read_keys(self.path)

    def add(self, key: StreamKey) -> None:
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        private_file.replace(self.path, with_key_added(text, key))

    def change(self, number: int, key: StreamKey) -> None:
        text = self.path.read_text(encoding="utf-8")
        private_file.replace(self.path, with_key_changed(text, number, key))

    def find(self, stream: str, number: int | None) -> int:
        """The index of the key that is meant; raises ``SettingsError`` if that is not clear."""
        found = [index for index, key in enumerate(self.keys()) if key.stream == stream]
        numbers = ", ".join(str(index + 1) for index in found)
        if not found:
            raise SettingsError(f"no key opens {stream!r}: see `tidecast keys list`")
        if number is not None and number - 1 not in found:
            raise SettingsError(f"key {number} does not open {stream!r}, but {numbers}")
        if number is None and len(found) > 1:
            raise SettingsError(f"{stream!r} has keys {numbers}: choose one by --number")
        return found[0] if number is None else number - 1


@dataclass(frozen=True, slots=True)
class Where:
    """Which key file is meant, as far as it was said."""

    config: Path | None = None
    data_dir: str | None = None

    def file(self) -> KeyFile:
        flags: Tables = {} if self.data_dir is None else {"server": {"data_dir": self.data_dir}}
        return KeyFile(load_settings(flags, self.config))


def _note_config(context: click.Context, _: click.Parameter, config: Path | None) -> None:
    where = context.obj or Where()
    context.obj = where if config is None else replace(where, config=config)


def _note_data_dir(context: click.Context, _: click.Parameter, data_dir: str | None) -> None:
    where = context.obj or Where()
    context.obj = where if data_dir is None else replace(where, data_dir=data_dir)


def _say_where(command: Command) -> Command:
    """Let ``--config`` and ``--data-dir`` stand before the command's name and behind it."""
    data_dir = click.option(
        "--data-dir",
        expose_value=False,
        callback=_note_data_dir,
        help="Directory of the key file.",
    )
    config = click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=_note_config,
        help="TOML file with settings.",
    )
    return config(data_dir(command))


@click.group("keys")
@_say_where
def keys_group() -> None:
    """See and change who may publish; a running server follows within 2 s."""


@keys_group.command("list")
@click.option("--show", is_flag=True, help="Show the keys themselves.")
@_say_where
@click.pass_obj
def list_command(where: Where, show: bool) -> None:
    """List the keys, without showing them."""
    now = datetime.now(UTC)
    with _refusals():
        for number, key in enumerate(where.file().keys(), start=1):
            shown = (key.secret if show else None) or _kind(key)
            note = f"  {key.note}" if key.note else ""
            click.echo(f"{number:>3}  {key.stream:<20} {_state(key, now):<28} {shown}{note}")


@keys_group.command("add")
@click.argument("stream")
@click.option("--note", default="", help="Whose key it is.")
@click.option("--expires", type=click.DateTime(_TIMES), help="Until when it is good, in UTC.")
@click.option("--hashed", is_flag=True, help="Keep only its hash; the key is shown this once.")
@_say_where
@click.pass_obj
def add_command(
    where: Where, stream: str, note: str, expires: datetime | None, hashed: bool
) -> None:
    """Make a key for STREAM, new or known, and print what to type into OBS."""
    with _refusals():
        file = where.file()
        name = checked_name(stream)
        until = expires.replace(tzinfo=UTC) if expires is not None else None
        if until is not None and until <= datetime.now(UTC):
            raise SettingsError(f"--expires {until:%Y-%m-%d %H:%M} UTC is past")
        secret, key = _make(replace(StreamKey(name), note=note, expires=until), hashed=hashed)
        file.add(key)
        click.echo(what_to_type(file.settings, name, secret))


@keys_group.command("rotate")
@click.argument("stream")
@NUMBER
@_say_where
@click.pass_obj
def rotate_command(where: Where, stream: str, number: int | None) -> None:
    """Put a new key in the place of one; whoever publishes with the old one is sent away."""
    with _refusals():
        file = where.file()
        index = file.find(stream, number)
        old = file.keys()[index]
        secret, key = _make(old, hashed=old.hashed is not None)
        file.change(index, key)
        click.echo(what_to_type(file.settings, stream, secret))


@keys_group.command("disable")
@click.argument("stream")
@NUMBER
@_say_where
@click.pass_obj
def disable_command(where: Where, stream: str, number: int | None) -> None:
    """Have a key open nothing; whoever publishes with it is sent away."""
    _set_disabled(where, stream, number, disabled=True)


@keys_group.command("enable")
@click.argument("stream")
@NUMBER
@_say_where
@click.pass_obj
def enable_command(where: Where, stream: str, number: int | None) -> None:
    """Have a disabled key open its stream again."""
    _set_disabled(where, stream, number, disabled=False)


@keys_group.command("hash")
@click.argument("stream", required=False)
@NUMBER
@_say_where
@click.pass_obj
def hash_command(where: Where, stream: str | None, number: int | None) -> None:
    """Keep only the hash of STREAM's key; without STREAM, read a key from standard input.

    The key stays good, for as long as somebody has it: it is not shown again.
    """
    with _refusals():
        if stream is None:
            key = sys.stdin.readline().rstrip("\n")
            if complaint := complaint_about(key):
                raise SettingsError(complaint)
            click.echo(f'key_hash = "{slow_hash(key, secrets.token_bytes(SALT_BYTES)).text}"')
            return
        file = where.file()
        index = file.find(stream, number)
        key_now = file.keys()[index]
        if key_now.secret is None:
            raise SettingsError("it is kept as a hash already")
        hashed = slow_hash(key_now.secret, secrets.token_bytes(SALT_BYTES))
        file.change(index, replace(key_now, secret=None, hashed=hashed))
        click.echo(f"The key of {stream} is known by its hash now.")


def _set_disabled(where: Where, stream: str, number: int | None, *, disabled: bool) -> None:
    with _refusals():
        file = where.file()
        index = file.find(stream, number)
        file.change(index, replace(file.keys()[index], disabled=disabled))
        click.echo(f"The key of {stream} is {'disabled' if disabled else 'enabled'}.")


def _make(like: StreamKey, *, hashed: bool) -> tuple[str, StreamKey]:
    """A new secret, and the key to keep of it, which is otherwise ``like`` another."""
    groups = HASHED_KEY_GROUPS if hashed else KEY_GROUPS
    secret = new_key(like.stream, secrets.choice, groups=groups).secret
    assert secret is not None, "a new key has a secret"
    if hashed:
        return secret, replace(like, secret=None, hashed=fast_hash(secret))
    return secret, replace(like, secret=secret, hashed=None)


def _kind(key: StreamKey) -> str:
    return "kept as it is" if key.secret is not None else "kept as a hash"


def _state(key: StreamKey, now: datetime) -> str:
    if key.disabled:
        return "disabled"
    if key.expires is None:
        return "good"
    word = "good until" if now < key.expires else "expired"
    return f"{word} {key.expires:%Y-%m-%d %H:%M}"


@contextmanager
def _refusals() -> Generator[None, None, None]:
    """Say what cannot be done in one line, and end with 2."""
    try:
        yield
    except (SettingsError, Refused, OSError) as error:
        for line in str(error).splitlines():
            click.echo(f"tidecast: {line}", err=True)
        sys.exit(2)
