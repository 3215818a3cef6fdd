"""Settings that are good by themselves and cannot be used together are refused."""

from itertools import combinations

import pytest

from origin.config.layers import Tables, load_settings
from origin.errors import SettingsError

PORTS = "rtmp.port", "rtmp.tls_port", "server.http_port", "control.port"
TLS = {"tls_certificate": "c.pem", "tls_key": "k.pem"}


def with_ports(one: str, other: str, **sections: dict[str, object]) -> Tables:
    """Both at 9000, with other settings beside them."""
    tables: dict[str, dict[str, object]] = {"rtmp": dict(TLS), **sections}
    for name in (one, other):
        section, key = name.split(".")
        tables.setdefault(section, {})[key] = 9000
    return tables


@pytest.mark.parametrize(("one", "other"), list(combinations(PORTS, 2)))
def test_one_port_for_two_is_refused_before_anything_starts(one: str, other: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(with_ports(one, other), None)
    assert str(refusal.value) == f"{one} and {other} are both 9000: give each a port of its own"


def test_one_port_on_two_addresses_or_of_something_that_is_not_opened_is_no_clash() -> None:
    own = {"host": "192.168.1.20"}
    load_settings(with_ports("server.http_port", "control.port", server=dict(own)), None)
    load_settings(with_ports("rtmp.port", "rtmp.tls_port", rtmp={}), None)
    no_edge: dict[str, object] = {"edge_workers": 0}
    load_settings(with_ports("server.http_port", "control.port", server=no_edge), None)


def test_an_open_door_is_on_loopback_unless_a_host_is_given() -> None:
    assert load_settings({"rtmp": {"open": True}}, None).server.host == "127.0.0.1"
    given: Tables = {"rtmp": {"open": True}, "server": {"host": "192.168.1.2"}}
    assert load_settings(given, None).server.host == "192.168.1.2"


@pytest.mark.parametrize("host", ["8.8.8.8", "live.example.com", "2606:4700::1"])
def test_an_open_door_on_a_public_address_has_to_be_forced(host: str) -> None:
    public: dict[str, dict[str, object]] = {"rtmp": {"open": True}, "server": {"host": host}}
    with pytest.raises(SettingsError, match="--force-open"):
        load_settings(public, None)
    public["rtmp"]["force_open"] = True
    assert load_settings(public, None).server.host == host


@pytest.mark.parametrize("given", ["tls_certificate", "tls_key"])
def test_a_certificate_and_its_key_are_given_together_or_not_at_all(given: str) -> None:
    with pytest.raises(SettingsError, match="give both of them, or none"):
        load_settings({"rtmp": {given: "file.pem"}}, None)
