"""Which stream a publisher may feed.

Encoders split an address into ``app`` and a publish name in their own ways, and streamers paste
the whole of it into either field. All of these mean the same stream::

    Server rtmp://host/live          Key main-7f3k-92qd-x4mv
    Server rtmp://host/live/         Key main-7f3k-92qd-x4mv
    Server rtmp://host               Key live/main-7f3k-92qd-x4mv
    Server rtmp://host/live/main-7f3k-92qd-x4mv     (no key)

so the key is the last part of the two put together, and the app's name is free. The key is not
the stream's name: who watches must not be able to publish.
"""

import hmac
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, cast

from origin.auth.names import checked_name
from origin.errors import Refused, SettingsError

# 31 characters that cannot be mistaken for one another when they are read out or typed.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
KEY_GROUPS, KEY_GROUP_LENGTH = 3, 4


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A secret, and the name of the stream that it opens."""

    stream: str
    secret: str

    def __repr__(self) -> str:
        return f"StreamKey(stream={self.stream!r}, secret=...)"


class Admission(Protocol):
    """What decides over a publish."""

    def stream_for(self, app: str, name: str) -> str:
        """Return the stream that ``app`` and publish name may feed, or raise ``Refused``."""
        ...

    def knows(self, stream: str) -> bool:
        """Whether ``stream`` could be published here (its page exists before it is live)."""
        ...


class KeyRing:
    """Publishing needs a key from the ring."""

    def __init__(self, keys: Iterable[StreamKey]) -> None:
        self._keys = tuple(keys)

    def stream_for(self, app: str, name: str) -> str:
        offered = publish_key(app, name)
        stream = None
        for key in self._keys:  # all of them, so that the time tells nothing about the ring
            if hmac.compare_digest(key.secret.encode(), offered.encode()):
                stream = key.stream
        if stream is None:
            raise Refused(
                "unknown stream key: copy it again from where Tidecast was started, "
                "without blanks, into Settings > Stream > Stream Key",
            )
        return stream

    def knows(self, stream: str) -> bool:
        return any(key.stream == stream for key in self._keys)


class OpenToAll:
    """Any name may publish, and is its own stream: for tests and closed networks."""

    def stream_for(self, app: str, name: str) -> str:
        return checked_name(publish_key(app, name))

    def knows(self, stream: str) -> bool:
        return True


def publish_key(app: str, name: str) -> str:
    """The last part of what came as app and publish name; blanks and slashes do not count."""
    parts = [part.strip() for part in f"{app}/{name}".split("/")]
    return next((part for part in reversed(parts) if part), "")


def new_key(stream: str, choose: Callable[[str], str]) -> StreamKey:
    """A key such as ``main-7f3k-92qd-x4mv``; ``choose`` picks one character of a string.

    Three groups of four out of 31 characters are 59 bits.
    """
    groups = ["".join(choose(ALPHABET) for _ in range(KEY_GROUP_LENGTH)) for _ in range(KEY_GROUPS)]
    return StreamKey(stream, "-".join([stream, *groups]))


def parse_keys(text: str) -> tuple[StreamKey, ...]:
    """Read ``keys.toml``: a ``[[key]]`` table per key, with ``stream`` and ``key``.

    Raises:
        SettingsError: naming the entry that is wrong and what it should be.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"the key file is not valid TOML: {error}") from error
    entries = tables.get("key")
    if not isinstance(entries, list) or set(tables) != {"key"}:
        raise SettingsError("the key file holds [[key]] tables, each with `stream` and `key`")
    return tuple(
        _parse_entry(number, entry)
        for number, entry in enumerate(cast("list[object]", entries), start=1)
    )


def _parse_entry(number: int, entry: object) -> StreamKey:
    if not isinstance(entry, dict) or set(cast("dict[str, object]", entry)) != {"stream", "key"}:
        raise SettingsError(f"key file, entry {number}: give exactly `stream` and `key`")
    stream, secret = (cast("dict[str, object]", entry)[field] for field in ("stream", "key"))
    if not isinstance(stream, str) or not isinstance(secret, str):
        raise SettingsError(f"key file, entry {number}: `stream` and `key` are strings")
    if secret.split() != [secret] or "/" in secret or "?" in secret:
        raise SettingsError(f"key file, entry {number}: a key has no blanks, slashes or `?`")
    try:
        return StreamKey(checked_name(stream), secret)
    except Refused as error:
        raise SettingsError(f"key file, entry {number}: {error}") from error


def render_keys(keys: Iterable[StreamKey]) -> str:
    """The text of a key file, as ``parse_keys`` reads it."""
    head = "# Stream keys: whoever has one can publish that stream. Restart after a change.\n"
    return head + "".join(f'\n[[key]]\nstream = "{k.stream}"\nkey = "{k.secret}"\n' for k in keys)
