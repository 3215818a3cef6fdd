"""Whether the internet could reach an address, and which one is printed."""

import pytest

from origin.config import addresses
from origin.config.addresses import is_public, reachable_host


def test_all_addresses_are_as_public_as_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda: "8.8.8.8")
    assert is_public("0.0.0.0")
    assert reachable_host("0.0.0.0") == "8.8.8.8"
    monkeypatch.setattr(addresses, "own_address", lambda: "192.168.1.20")
    assert not is_public("0.0.0.0")
    assert reachable_host("127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "10.0.0.5", "fe80::1"])
def test_an_address_that_the_internet_does_not_reach_is_not_public(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::"])
def test_all_addresses_are_printed_as_one_that_can_be_reached(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda: "192.168.1.20")
    assert reachable_host(host) == "192.168.1.20"
