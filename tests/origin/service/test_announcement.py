"""The first words: exactly what has to be typed, with real hosts and ports."""

from pathlib import Path

from origin.auth.keys import StreamKey
from origin.config.layers import Tables, load_settings
from origin.service.announcement import announcement

KEYS = [StreamKey("main", "main-7f3k-92qd-x4mv"), StreamKey("second", "second-aaaa-bbbb-cccc")]
KEY_FILE = Path("/var/lib/tidecast/keys.toml")


def test_it_says_what_to_type_into_obs() -> None:
    settings = load_settings({"server": {"host": "192.168.1.20"}}, None)
    assert announcement(settings, KEYS[:1], KEY_FILE).splitlines() == [
        "",
        "  OBS      Settings > Stream > Service: Custom...",
        "  Server   rtmp://192.168.1.20/live",
        "  Key      main-7f3k-92qd-x4mv    (kept in /var/lib/tidecast/keys.toml)",
        "  Watch    http://192.168.1.20:8080/main",
        "",
        "  Ctrl-C ends it.",
    ]


def test_ports_are_said_where_they_are_not_the_usual_ones() -> None:
    flags: Tables = {"server": {"host": "::1", "http_port": 80}, "rtmp": {"port": 1936}}
    text = announcement(load_settings(flags, None), KEYS, KEY_FILE)
    assert "rtmp://[::1]:1936/live" in text
    assert "http://[::1]/main" in text
    assert "http://[::1]/second" in text
    assert text.count(str(KEY_FILE)) == 1


def test_an_open_door_needs_no_key() -> None:
    text = announcement(load_settings({"rtmp": {"open": True}}, None), [], KEY_FILE)
    assert "any name" in text
    assert "keys.toml" not in text


def test_where_there_is_no_edge_no_address_of_one_is_said() -> None:
    flags: Tables = {"server": {"edge_workers": 0}, "control": {"host": "10.0.0.1"}}
    text = announcement(load_settings(flags, None), KEYS[:1], KEY_FILE)
    assert "  Watch    /main on your edges (tidecast edge --origin http://10.0.0.1:8081)\n" in text
    assert ":8080" not in text
