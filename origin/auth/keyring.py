"""Which stream a publisher may feed.

A key opens one stream, and a stream may have several: one for each encoder or person, so that one
can be taken back without the others.

The ring decides and does nothing else. Every key is compared with every word offered, digest with
digest in constant time, and none is left out when one has been found: how long it takes tells how
many keys there are, and nothing about any of them. Keys whose hash is slow to check
(``origin.auth.hashing``) are left to whoever has a thread for it; once one has been shown, its
digest is remembered until the process ends.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from origin.auth.hashing import digest_of
from origin.auth.keys import StreamKey, is_usable, same_key

# Words that stand in an address and are nobody's secret.
_COMMON_WORDS = frozenset({"live", "app", "stream", "publish", "rtmp", "login", "broadcast"})


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
