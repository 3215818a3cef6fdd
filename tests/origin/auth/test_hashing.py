"""Hashes of keys: they fit their key and no other, and a file cannot ask for endless work."""

import pytest

from origin.auth.hashing import SALT_BYTES, KeyHash, fast_hash, parse_hash, slow_hash
from origin.errors import SettingsError

KEY = "main-7f3k-92qd-x4mv"
FAST = fast_hash(KEY)
SLOW = slow_hash(KEY, bytes(range(SALT_BYTES)))


@pytest.mark.parametrize("hashed", [FAST, SLOW], ids=["fast", "slow"])
def test_a_hash_fits_its_key_also_when_it_was_written_and_read(hashed: KeyHash) -> None:
    read = parse_hash(hashed.text)
    assert read == hashed
    assert read.fits(KEY)
    assert not read.fits(KEY + "x")
    assert KEY not in hashed.text
    assert hashed.text not in repr(hashed)


def test_the_same_key_hashed_slowly_twice_gives_two_hashes() -> None:
    one, other = (slow_hash(KEY, salt, log_n=4).text for salt in (b"a grain", b"another"))
    assert one != other
    assert SLOW.digest is None
    assert FAST.digest is not None


def test_the_slow_hash_is_the_one_of_rfc_7914() -> None:
    # Section 12: P = "pleaseletmein", S = "SodiumChloride", N = 16384, r = 8, p = 1.
    salt = b"SodiumChloride".hex()
    hashed = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert parse_hash(f"scrypt$14$8$1${salt}${hashed}").fits("pleaseletmein")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "main-7f3k",
        "sha256$12",
        "sha256$" + "g" * 64,
        "md5$" + "0" * 32,
        "scrypt$15$8$1$00$00",
        "scrypt$30$8$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$15$99$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$15$8$9$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$15$8$1$" + "0" * 31 + "$" + "0" * 64,
    ],
)
def test_what_is_no_hash_or_too_much_work_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="key_hash"):
        parse_hash(text)
