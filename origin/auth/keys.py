"""A stream key: what it is, whether it opens anything now, and how a new one is made.

It is not the stream's name: who watches must not be able to publish. It may be disabled, and may
expire. A key that Tidecast makes begins with its stream's name, so that its owner knows it again,
and goes on with random groups; one that somebody chose may look like anything that arrives as it
was typed into an encoder.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from origin.auth.asking import clean
from origin.auth.hashing import KeyHash, digest_of

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""31 characters that cannot be mistaken for one another when they are read out or typed."""

KEY_GROUPS, KEY_GROUP_LENGTH = 3, 4
HASHED_KEY_GROUPS = 6
"""Of a key that is kept as a hash, which has to stand more than guesses over a network."""


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

    @property
    def kept_as(self) -> str:
        """What the key file holds of it, and nobody should be shown: the key, or its hash."""
        if self.secret is not None:
            return self.secret
        assert self.hashed is not None, "a key is there or its hash is"
        return self.hashed.text


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
