"""The edge's settings: flags over environment over file over defaults, errors with a name."""

from pathlib import Path

import pytest

from cdn.errors import SettingsError
from cdn.flags import explanation
from cdn.layers import load
from cdn.settings import EdgeSettings, Rules, Section

ORIGIN = {"origin": {"url": "http://origin.example:8081"}}


def written(folder: Path, text: str) -> Path:
    file = folder / "edge.toml"
    file.write_text(text)
    return file


def test_an_origin_is_all_that_is_needed() -> None:
    settings = load(None, ORIGIN)
    assert settings.origin.url == ("http://origin.example:8081",)
    assert (settings.listen.host, settings.listen.http_port) == ("0.0.0.0", 8080)
    assert settings.metrics.host == "127.0.0.1"


def test_a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "[listen]\nhttp_port = 1\nworkers = 2\nkeep_alive_s = 3\n")
    monkeypatch.setenv("TIDECAST_EDGE__LISTEN__HTTP_PORT", "10")
    monkeypatch.setenv("TIDECAST_EDGE__LISTEN__WORKERS", "20")
    listen = load(file, {**ORIGIN, "listen": {"http_port": "100"}}).listen
    assert (listen.http_port, listen.workers, listen.keep_alive_s) == (100, 20, 3)
    assert listen.drain_s == 8


def test_a_file_may_say_everything(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        [origin]
        url = "https://live.example.com/"
        [cache]
        memory = "64MiB"
        [rules.playlist]
        fresh_s = 0.5
        """,
    )
    settings = load(file, {})
    assert settings.origin.url == ("https://live.example.com",)
    assert settings.cache.memory == 64 * 2**20
    assert settings.rules.playlist.fresh_s == 0.5
    assert settings.rules.media.fresh_s is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[cache]\nmemroy = 1", "cache.memroy: there is no such setting; did you mean 'memory'?"),
        ("[cash]\nmemory = 1", "cash: there is no such setting; did you mean 'cache'?"),
        ("colour = 1", "colour: there is no such setting; there are cache, listen, log, "),
        ("[rules.playlst]\nfresh_s = 1", "rules.playlst: .* did you mean 'playlist'?"),
        ("[rules.media]\nfrsh_s = 1", "rules.media.frsh_s: .* did you mean 'fresh_s'?"),
        ("[listen]\nhttp_port = 70000", "listen.http_port: .*65535, not 70000"),
        ('[cache]\nmemory = "much"', "cache.memory: .*, not 'much'"),
        ("[cache]\nnegative_s = 10", "cache.negative_s: .* equal to 1, not 10"),
        ('[log]\nlevel = "loud"', "log.level: .*'warning'.*, not 'loud'"),
        ("[listen\n", "edge.toml: "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_remedy(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint.replace("?", r"\?")):
        load(written(tmp_path, text), ORIGIN)


def test_all_errors_are_said_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "[cache]\nmemroy = 1\n[listen]\nhttp_prot = 2\n")
    with pytest.raises(SettingsError) as refusal:
        load(file, {})
    assert len(str(refusal.value).splitlines()) == 3
    assert "origin: is needed (--origin URL)" in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml: there is no such file"):
        load(tmp_path / "none.toml", ORIGIN)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("TIDECAST_EDGE__CACHE__MEMROY", "did you mean 'memory'"),
        ("TIDECAST_EDGE__CAHCE__MEMORY", "TIDECAST_EDGE__CAHCE__MEMORY: .* did you mean 'cache'"),
        ("TIDECAST_EDGE__LISTEN__HTTP_PORT", "listen.http_port: .*, not 'x'"),
        ("TIDECAST_EDGE__LISTEN", "environment: "),
    ],
)
def test_an_environment_that_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, complaint: str
) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(SettingsError, match=complaint):
        load(None, ORIGIN)


@pytest.mark.parametrize(
    "url",
    ["live.example.com", "ftp://live.example.com", "http://", "http://o/path", "http://u:p@o"],
)
def test_an_origin_is_a_scheme_a_host_and_a_port(url: str) -> None:
    with pytest.raises(SettingsError, match=r"origin\.url: the origin's address"):
        load(None, {"origin": {"url": url}})


@pytest.mark.parametrize(
    "given",
    ["http://a/,https://b:1", '["http://a", "https://b:1"]', ["http://a", "https://b:1"]],
    ids=["with a comma", "as JSON", "a list"],
)
def test_there_may_be_several_origins(given: object) -> None:
    assert load(None, {"origin": {"url": given}}).origin.url == ("http://a", "https://b:1")


@pytest.mark.parametrize("given", ["http://a", "http://a, http://b"])
def test_the_environment_names_one_origin_or_several(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("TIDECAST_EDGE__ORIGIN__URL", given)
    assert list(load(None, {}).origin.url) == given.split(", ")


@pytest.mark.parametrize("given", [["http://a", "http://a/"], [], 3, "[http"])
def test_origins_are_named_once_and_as_addresses(given: object) -> None:
    with pytest.raises(SettingsError, match=r"^origin\.url: "):
        load(None, {"origin": {"url": given}})


def test_every_setting_is_explained_where_it_is_declared() -> None:
    sections = [field.annotation for field in EdgeSettings.model_fields.values()]
    sections += [field.annotation for field in Rules.model_fields.values()]
    for section in sections:
        assert isinstance(section, type)
        assert issubclass(section, Section)
        for name in section.model_fields:
            assert explanation(section, name), f"{section.__name__}.{name}"
