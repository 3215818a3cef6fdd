"""Keys at rest: what a key file may hold in the place of a key.

Whoever reads a key file can publish every stream in it; where that matters, it holds hashes. How
slow a hash has to be depends on what it hides:

- A key that Tidecast makes to be hashed has six random groups, 118 bits. Nobody tries 2^117 of
  anything, so one SHA-256 is enough, and checking costs a microsecond.
- A plain key has three groups, 59 bits, which is plenty against guesses over the network and
  too little against a stolen file: a single graphics card tries 2^58 SHA-256 in five months. A
  key that a person chose has fewer. Those are hashed by scrypt (RFC 7914), 0.1 s and 32 MiB for
  each try.

::

    sha256$<64 hexadecimal digits>
    scrypt$15$8$1$<salt>$<hash>         log2 of N, r, p; salt and hash in hexadecimal
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from origin.errors import SettingsError

SALT_BYTES = 16
_LOG_N, _R, _P = 15, 8, 1
_MOST_LOG_N, _MOST_R, _MOST_P = 17, 16, 8
"""What a file may ask for: at most 2 s and 256 MiB for one try."""

_FAST = re.compile(r"sha256\$([0-9a-f]{64})")
_SLOW = re.compile(r"scrypt\$(\d{1,2})\$(\d{1,2})\$(\d)\$([0-9a-f]{16,128})\$([0-9a-f]{32,128})")


@dataclass(frozen=True, slots=True)
class KeyHash:
    """A hashed key. ``digest`` is set where one SHA-256 tells whether a key is the one."""

    text: str = field(repr=False)
    digest: bytes | None = field(repr=False)

    def fits(self, key: str) -> bool:
        """Whether it is the hash of ``key``; a slow one takes a tenth of a second."""
        if self.digest is not None:
            return hmac.compare_digest(self.digest, digest_of(key))
        found = _SLOW.fullmatch(self.text)
        assert found is not None, "parsed already"
        log_n, r, p = (int(group) for group in found.groups()[:3])
        salt, expected = bytes.fromhex(found[4]), bytes.fromhex(found[5])
        return hmac.compare_digest(expected, _scrypt(key, salt, log_n, r, p, len(expected)))


def digest_of(key: str) -> bytes:
    """What keys are compared by: all alike in length, whatever the key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def fast_hash(key: str) -> KeyHash:
    """For a key of a hundred random bits or more."""
    digest = digest_of(key)
    return KeyHash(f"sha256${digest.hex()}", digest)


def slow_hash(key: str, salt: bytes, *, log_n: int = _LOG_N) -> KeyHash:
    """For any other key; ``salt`` is ``SALT_BYTES`` of chance, and 2^``log_n`` the work."""
    hashed = _scrypt(key, salt, log_n, _R, _P, 32)
    return KeyHash(f"scrypt${log_n}${_R}${_P}${salt.hex()}${hashed.hex()}", None)


def parse_hash(text: str) -> KeyHash:
    """Read a hash of a key file; raise ``SettingsError`` if it is none."""
    if found := _FAST.fullmatch(text):
        return KeyHash(text, bytes.fromhex(found[1]))
    found = _SLOW.fullmatch(text)
    if found is None:
        raise SettingsError("`key_hash` is what `tidecast keys hash` makes of a key")
    log_n, r, p = (int(group) for group in found.groups()[:3])
    if not (1 <= log_n <= _MOST_LOG_N and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P):
        raise SettingsError("`key_hash` asks for more work than a publish may cost")
    if len(found[4]) % 2 or len(found[5]) % 2:
        raise SettingsError("`key_hash` was cut off")
    return KeyHash(text, None)


def _scrypt(key: str, salt: bytes, log_n: int, r: int, p: int, length: int) -> bytes:
    n = 1 << log_n
    return hashlib.scrypt(
        key.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=n,
        r=r,
        p=p,
        maxmem=128 * r * (n + p + 2) + 1024 * 1024,
        dklen=length,
    )
