"""Settings: who beats whom, and what is said about those that do not exist."""

from itertools import combinations
from pathlib import Path

import pytest

from origin.config import addresses
from origin.config.addresses import is_public, reachable_host
from origin.config.settings import Tables, load_settings
from origin.errors import SettingsError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tidecast.toml"
    path.write_text('[server]\nhttp_port = 1001\nhost = "127.0.0.1"\n[hls]\nwindow = 9\n')
    return path


def test_flag_beats_environment_beats_file_beats_default(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings({}, None).server.http_port == 8080
    assert load_settings({}, config).server.http_port == 1001
    monkeypatch.setenv("TIDECAST_SERVER__HTTP_PORT", "1002")
    assert load_settings({}, config).server.http_port == 1002
    settings = load_settings({"server": {"http_port": "1003"}}, config)
    assert settings.server.http_port == 1003
    assert settings.server.host == "127.0.0.1"
    assert settings.hls.window == 9


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("[serve]\nx = 1", "serve: did you mean server?", id="section"),
        pytest.param("[hls]\nwindows = 3", "hls.windows: did you mean window?", id="key"),
        pytest.param("[hls]\nqqq = 3", "unknown setting hls.qqq", id="nothing like it"),
        pytest.param("[hls]\nwindow = 'six'", "hls.window", id="wrong type"),
        pytest.param("[rtmp]\nport = 70000", "rtmp.port", id="out of range"),
        pytest.param("[rtmp]\nport = 0", "rtmp.port", id="a port that is none"),
        pytest.param("server = 5", "server: ", id="a section that is none"),
        pytest.param("[server]\ndata_dir = ''", "server.data_dir is empty", id="no directory"),
        pytest.param("[hls", "not valid TOML", id="no TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refusal:
        load_settings({}, path)
    assert complaint in str(refusal.value)


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


def test_a_misspelt_variable_is_refused_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDECAST_RTMP__PROT", "1")
    with pytest.raises(SettingsError, match="did you mean TIDECAST_RTMP__PORT"):
        load_settings({}, None)


def test_the_edges_variables_are_none_of_the_origins_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIDECAST_EDGE__ORIGIN", "http://example.com")
    assert load_settings({}, None).rtmp.port == 1935


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read"):
        load_settings({}, tmp_path / "none.toml")


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
