"""Who beats whom, and what is said about settings that do not exist."""

from pathlib import Path

import pytest

from origin.config.layers import load_settings
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
