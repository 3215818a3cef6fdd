"""Failures make the next wish wait, up to a bound; right keys that are known do not wait."""

import pytest

from origin.auth.slowing import (
    FIRST_DELAY_S,
    FORGOTTEN_AFTER_S,
    LONGEST_DELAY_S,
    MOST_ADDRESSES,
    MOST_TRUSTED,
    Slowing,
)
from origin.ingest.settings import IngestSettings

HOME = "192.0.2.7"


def fail(slowing: Slowing, address: str, now: float = 0.0) -> float:
    delay = slowing.begin(address, now)
    slowing.end(address, now, failed=True)
    return delay


def test_each_failure_doubles_the_wait_up_to_a_bound() -> None:
    slowing = Slowing()
    delays = [fail(slowing, HOME) for _ in range(8)]
    assert delays == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert delays[1] == FIRST_DELAY_S


def test_the_longest_wait_leaves_time_to_decide() -> None:
    assert IngestSettings().decision_s > LONGEST_DELAY_S


def test_a_success_does_not_wipe_failures_out() -> None:
    slowing = Slowing()
    fail(slowing, HOME)
    slowing.begin(HOME, 1.0)
    slowing.end(HOME, 1.0, failed=False)
    assert slowing.begin(HOME, 2.0) == FIRST_DELAY_S


def test_time_without_a_failure_does() -> None:
    slowing = Slowing()
    for _ in range(5):
        fail(slowing, HOME)
    assert slowing.begin(HOME, FORGOTTEN_AFTER_S + 1) == 0.0


def test_asking_many_times_at_once_wins_nothing() -> None:
    slowing = Slowing()
    fail(slowing, HOME)
    at_once = [slowing.begin(HOME, 0.0) for _ in range(6)]
    assert at_once == [0.25, 0.5, 1.0, 2.0, 4.0, 4.0]
    for _ in at_once:
        slowing.end(HOME, 0.0, failed=False)
    assert slowing.begin(HOME, 0.0) == FIRST_DELAY_S


def test_many_who_come_at_once_without_a_failure_do_not_wait() -> None:
    slowing = Slowing()
    assert [slowing.begin(HOME, 0.0) for _ in range(50)] == [0.0] * 50


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("", "192.0.2.7", False),
    ],
)
def test_one_customer_is_slowed_as_one(one: str, other: str, is_same: bool) -> None:
    slowing = Slowing()
    fail(slowing, one)
    assert (slowing.begin(other, 0.0) > 0) is is_same


def test_a_key_is_trusted_where_it_was_let_in() -> None:
    slowing = Slowing()
    slowing.trust(HOME, b"key")
    assert slowing.trusts(HOME, b"key")
    assert not slowing.trusts("198.51.100.1", b"key")
    assert not slowing.trusts(HOME, b"another")


def test_what_is_remembered_is_bounded() -> None:
    slowing = Slowing()
    for number in range(MOST_ADDRESSES + 10):
        fail(slowing, f"10.{number >> 16}.{(number >> 8) & 255}.{number & 255}")
    assert len(slowing) == MOST_ADDRESSES
    assert slowing.begin("10.0.0.0", 0.0) == 0.0, "the oldest is forgotten"
    for number in range(MOST_TRUSTED + 1):
        slowing.trust(HOME, bytes([number]))
    assert not slowing.trusts(HOME, bytes([0]))
    assert slowing.trusts(HOME, bytes([MOST_TRUSTED]))
