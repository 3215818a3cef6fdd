"""Which stream a publisher may feed.

A key opens one stream, and a stream may have several: one for each encoder or person, so that one
can be taken back without the others. A key may be disabled and may expire. It is not the stream's
name: who watches must not be able to publish.

The ring decides and does nothing else. Every key is compared with every word offered, digest with
digest in constant time, and none is left out when one has been found: how long it takes tells how
many keys there are, and nothing about any of them. Keys whose hash is slow to check
(``origin.auth.hashing``) are left to whoever has a thread for it; once one has been shown, its
digest is remembered until the process ends.
"""

import difflib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from origin.auth.asking import Asked, asked_name, clean
from origin.auth.hashing import KeyHash, digest_of
from origin.auth.names import checked_name, is_stream_name

# 31 characters that cannot be mistaken for one another when they are read out or typed.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
KEY_GROUPS, KEY_GROUP_LENGTH = 3, 4
HASHED_KEY_GROUPS = 6

UNKNOWN_KEY = (
    "unknown stream key: copy it again from where Tidecast was started, "
    "without blanks, into Settings > Stream > Stream Key"
)
NO_KEY = "no stream key arrived: copy it into Settings > Stream > Stream Key"

# Words that stand in an address and are nobody's secret.
_COMMON_WORDS = frozenset({"live", "app", "stream", "publish", "rtmp", "login", "broadcast"})


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A secret, or its hash, and the name of the stream that it opens."""

    stream: str
    secret: str | None = field(default=None, repr=False)
    """None where only the hash is kept."""
    hashed: KeyHash | None = field(default=None, repr=False)
    note: str = ""
    """The owner's own words: whose key it is."""
    disabled: bool = False
    expires: datetime | None = None
    """When it stops opening anything; aware."""

    @property
    def digest(self) -> bytes | None:
        """What it is compared by; None where a slow hash is all there is."""
        if self.secret is not None:
            return digest_of(self.secret)
        return self.hashed.digest if self.hashed is not None else None


@dataclass(frozen=True, slots=True)
class Grant:
    """Leave to publish a stream, and by which key; by none where publishing is open."""

    stream: str
    key: StreamKey | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """Why there is no leave: for the streamer, and more for whoever runs the server."""

    reason: str
    hint: str = ""
    """Names streams; not for strangers. It never tells any part of a key."""


class KeyRing:
    """All keys, and what is known about them by now."""

    def __init__(self, keys: Iterable[StreamKey]) -> None:
        self._keys: tuple[StreamKey, ...] = tuple(keys)
        self._digests = [key.digest for key in self._keys]
        self._shown: dict[str, bytes] = {}  # digests of slow hashes that have been answered

    def replace(self, keys: Iterable[StreamKey]) -> None:
        """Go on with other keys; what was found out about slow hashes stays known."""
        self._keys = tuple(keys)
        self._digests = [key.digest or self._remembered(key) for key in self._keys]

    @property
    def streams(self) -> list[str]:
        """The names of all streams that have a key, each once."""
        return list(dict.fromkeys(key.stream for key in self._keys))

    def knows(self, stream: str) -> bool:
        """Whether there is a key for ``stream``."""
        return any(key.stream == stream for key in self._keys)

    def matches(self, offered: Sequence[str]) -> list[StreamKey]:
        """The keys that are among the words ``offered``, those of the first word first."""
        digests = [digest_of(word) for word in offered]
        found = [
            key
            for digest in digests
            for key, own in zip(self._keys, self._digests, strict=True)
            if own is not None and hmac.compare_digest(own, digest)
        ]
        return list(dict.fromkeys(found))

    def unproven(self, offered: Sequence[str]) -> list[StreamKey]:
        """The usable keys that only their slow hash knows, those first whose stream is named."""
        slow = [
            key
            for key, own in zip(self._keys, self._digests, strict=True)
            if own is None and not key.disabled
        ]
        return sorted(slow, key=lambda key: not any(key.stream in word for word in offered))

    def prove(self, key: StreamKey, word: str) -> None:
        """Remember that ``word`` answered the slow hash of ``key``."""
        assert key.hashed is not None, "a key without a hash needs no proof"
        self._shown[key.hashed.text] = digest_of(word)
        self.replace(self._keys)

    def secrets_of(self, stream: str, now: datetime) -> list[StreamKey]:
        """The usable keys of ``stream`` that are kept as they are."""
        return [
            key
            for key in self._keys
            if key.stream == stream and key.secret is not None and is_usable(key, now)
        ]

    def holds(self, grant: Grant) -> bool:
        """Whether the key of ``grant`` is still there and has not been disabled.

        It may have expired: that counts when a publish begins, not in the middle of a show.
        """
        key = grant.key
        return key is None or any(same_key(key, own) and not own.disabled for own in self._keys)

    def may_show(self, word: str) -> bool:
        """Whether ``word`` can be written down: a public name, and nobody's key."""
        is_public = word.lower() in _COMMON_WORDS or self.knows(word)
        return is_public and not self.matches([word])

    def _remembered(self, key: StreamKey) -> bytes | None:
        return self._shown.get(key.hashed.text) if key.hashed is not None else None


def judge(found: Sequence[StreamKey], now: datetime) -> Grant | Denial | None:
    """Decide by the keys that were ``found``; None where there was none."""
    for key in found:
        if is_usable(key, now):
            return Grant(key.stream, key)
    for key in found:
        if key.disabled:
            return Denial("this stream key has been disabled", f"a key of `{key.stream}`")
        assert key.expires is not None, "usable, then"
        when = f"{key.expires:%Y-%m-%d %H:%M} UTC"
        return Denial(f"this stream key expired on {when}", f"a key of `{key.stream}`")
    return None


def is_usable(key: StreamKey, now: datetime) -> bool:
    """Whether ``key`` opens its stream at this moment."""
    return not key.disabled and (key.expires is None or now < key.expires)


def same_key(one: StreamKey, other: StreamKey) -> bool:
    """Whether they are one key, whatever else was changed about it."""
    if one.stream != other.stream:
        return False
    if one.hashed is not None and other.hashed is not None:
        return one.hashed.text == other.hashed.text
    mine, yours = one.digest, other.digest
    return mine is not None and yours is not None and hmac.compare_digest(mine, yours)


def hint_for(offered: Sequence[str], streams: Iterable[str]) -> str:
    """What the sender of a wrong key may have meant; tells names of streams and nothing else."""
    names = list(streams)
    for word in offered:
        if word in names:
            return f"`{word}` is the name of a stream, not its key"
    stems = [stem for word in offered for stem in _stems(word)]
    for stem in stems:
        if stem in names:
            return f"it begins like a key of `{stem}`: it may have been replaced"
    for stem in stems:
        if near := difflib.get_close_matches(stem, names, n=1, cutoff=0.7):
            return f"did you mean `{near[0]}`?"
    for word in offered:
        if near := difflib.get_close_matches(word, names, n=1, cutoff=0.75):
            return f"did you mean `{near[0]}`?"
    return ""


def _stems(word: str) -> list[str]:
    """What ``word`` says before its random groups, if it is built like a key."""
    return [
        word.rsplit("-", groups)[0]
        for groups in (HASHED_KEY_GROUPS, KEY_GROUPS)
        if word.count("-") >= groups
    ]


def open_name(asked: Asked) -> str:
    """The stream that is asked for where no key is needed; raises ``Refused`` if it is no name."""
    return checked_name(asked_name(asked))


def may_show_name(word: str) -> bool:
    """Whether ``word`` can be written down where names are all that is asked with."""
    return is_stream_name(word)


def new_key(
    stream: str, choose: Callable[[str], str], *, groups: int = KEY_GROUPS, note: str = ""
) -> StreamKey:
    """A key such as ``main-7f3k-92qd-x4mv``; ``choose`` picks one character of a string.

    Three groups of four out of 31 characters are 59 bits; six are 118.
    """
    parts = ["".join(choose(ALPHABET) for _ in range(KEY_GROUP_LENGTH)) for _ in range(groups)]
    return StreamKey(stream, "-".join([stream, *parts]), note=note)


def complaint_about(secret: str) -> str | None:
    """What is wrong with a key that somebody chose; None if nothing is."""
    if secret.split() != [secret] or "/" in secret or "?" in secret:
        return "a key has no blanks, slashes or `?`"
    if clean(secret) != secret:
        return "a key neither begins nor ends with quotes or brackets"
    return None
