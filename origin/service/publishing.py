"""Who may publish at this server: keys, gate and book of attempts, put together.

The supervisor reads the key file once, to say what has to be typed and to refuse a broken one
before anything has started. The origin process goes on from those keys, and from the file when it
changes: one that is broken when a process is started again keeps nobody out.
"""

import asyncio
import secrets
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from origin.auth.adobe import AdobeLogin
from origin.auth.attempts import AttemptLog
from origin.auth.control_token import ControlToken, new_token, parse_token
from origin.auth.gate import Admission, Gate, OpenToAll, Surroundings
from origin.auth.keyfile import parse_keys, render_keys
from origin.auth.keyring import KeyRing
from origin.auth.keys import StreamKey, new_key
from origin.auth.slowing import Slowing
from origin.config.settings import Settings
from origin.errors import SettingsError
from origin.service.reloading import Reloadable
from origin.store.private_file import read_or_make
from origin.streams.clock import Clock

KEY_FILE = "keys.toml"
TOKEN_FILE = "control.token"
FIRST_STREAM = "main"
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens something here; read before anything is started."""

    key_file: Path
    keys: tuple[StreamKey, ...]
    """Empty where publishing is open."""
    token: ControlToken
    demo_key: StreamKey | None = None
    """Of the demonstration; in no file, and gone with the process."""


class Publishing:
    """The gate of the origin process, and what it counts."""

    def __init__(self, settings: Settings, credentials: Credentials, clock: Clock) -> None:
        self.attempts = AttemptLog()
        self.login = AdobeLogin(settings.rtmp.login_app, secrets.token_bytes(_SECRET_BYTES))
        self.slowing = Slowing(settings.rtmp.failed_key_delay_s)
        self.admission: Admission = OpenToAll()
        self.gate: Gate | None = None
        self._credentials = credentials
        self._ring = KeyRing(self._with_demo(credentials.keys))
        if not settings.rtmp.open:
            around = Surroundings(clock.monotonic, clock.wall, asyncio.sleep, _threads())
            self.gate = Gate(self._ring, around, slowing=self.slowing, login=self.login)
            self.admission = self.gate

    def key_file(self, on_change: Callable[[], None]) -> Reloadable:
        """The key file, to be watched; ``on_change`` is called when other keys are in force."""

        def read() -> None:
            self._ring.replace(self._with_demo(read_keys(self._credentials.key_file)))
            on_change()

        return Reloadable("stream keys", [self._credentials.key_file], read)

    def _with_demo(self, keys: Sequence[StreamKey]) -> list[StreamKey]:
        demo = self._credentials.demo_key
        return [*keys, demo] if demo is not None else list(keys)


def load_credentials(settings: Settings, *, demo: bool) -> Credentials:
    """Read the files, and make those that are not there yet; raise ``SettingsError``."""
    key_file = settings.data_dir / KEY_FILE
    keys = () if settings.rtmp.open else read_keys(key_file)
    first = keys[0].stream if keys else FIRST_STREAM
    return Credentials(
        key_file,
        keys,
        _read_token(token_file(settings)),
        new_key(first, secrets.choice) if demo else None,
    )


def read_keys(path: Path) -> tuple[StreamKey, ...]:
    """The keys of the file, which is made with one in it if it is not there."""
    first = new_key(FIRST_STREAM, secrets.choice)
    text = read_or_make(path, lambda: render_keys([first]))
    with _named(path):
        return parse_keys(text)


def _read_token(path: Path) -> ControlToken:
    text = read_or_make(path, lambda: new_token(secrets.token_bytes))
    with _named(path):
        return parse_token(text)


@contextmanager
def _named(path: Path) -> Generator[None]:
    """Say which file it is that cannot be used."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def token_file(settings: Settings) -> Path:
    """Where the administrator's token is kept."""
    if settings.control.token_file:
        return Path(settings.control.token_file).expanduser()
    return settings.data_dir / TOKEN_FILE


def _threads() -> Callable[[Callable[[], None]], "asyncio.Future[None]"]:
    """One thread for slow hashes: they take their turns, and the loop goes on."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="keys")
    loop = asyncio.get_running_loop()
    return lambda work: loop.run_in_executor(executor, work)
