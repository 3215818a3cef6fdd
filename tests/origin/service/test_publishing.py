"""Who may publish: keys and token made on the first run, and keys that change while it runs."""

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from origin.auth.asking import Asked
from origin.auth.gate import OpenToAll
from origin.auth.keyring import Grant
from origin.config.layers import Tables, load_settings
from origin.config.settings import Settings
from origin.errors import Refused, SettingsError
from origin.service.publishing import Publishing, load_credentials
from tests.support.clocks import FakeClock

KEYS = '[[key]]\nstream = "{0}"\nkey = "{0}-2222"\n'


def settings_in(folder: Path, **rtmp: object) -> Settings:
    tables: Tables = {"server": {"data_dir": str(folder)}, "rtmp": rtmp}
    return load_settings(tables, None)


def test_a_key_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text('[[key]]\nstream = "main"\n')
    with pytest.raises(SettingsError) as refusal:
        load_credentials(settings_in(tmp_path), demo=False)
    assert str(refusal.value).startswith(f"{tmp_path / 'keys.toml'}: key file, entry 1: ")


async def admitted(publishing: Publishing, key: str) -> Grant:
    return await publishing.admission.admit(Asked("live", key, address="192.0.2.7"))


def test_the_first_run_makes_a_key_and_a_token_for_their_owner(tmp_path: Path) -> None:
    first = load_credentials(settings_in(tmp_path), demo=False)
    again = load_credentials(settings_in(tmp_path), demo=False)
    assert [key.stream for key in first.keys] == ["main"]
    assert first.keys == again.keys
    token = tmp_path / "control.token"
    assert again.token.admits(f"Bearer {token.read_text().strip()}")
    for path in (token, tmp_path / "keys.toml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_token_may_be_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    tables: Tables = {
        "server": {"data_dir": str(tmp_path)},
        "control": {"token_file": str(path)},
    }
    load_credentials(load_settings(tables, None), demo=False)
    assert path.exists()
    assert not (tmp_path / "control.token").exists()
    path.write_text("guessable")
    with pytest.raises(SettingsError, match="the control token is one word") as refusal:
        load_credentials(load_settings(tables, None), demo=False)
    assert str(refusal.value).startswith(f"{path}: ")


async def test_keys_that_change_hold_for_who_comes_next(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(KEYS.format("one"))
    settings = settings_in(tmp_path)
    publishing = Publishing(settings, load_credentials(settings, demo=True), FakeClock())
    changes: list[str] = []
    watched = publishing.key_file(lambda: changes.append("changed"))
    file.write_text(KEYS.format("second"))
    with capture_logs() as lines:
        watched.reload()
        assert (await admitted(publishing, "second-2222")).stream == "second"
        with pytest.raises(Refused):
            await admitted(publishing, "one-2222")
        file.write_text("[[key]]\n")
        os.utime(file, (5, 5))
        for _ in range(2):
            watched.check()
        assert (await admitted(publishing, "second-2222")).stream == "second"
    assert changes == ["changed"]
    assert [line["log_level"] for line in lines] == ["info", "error"]
    assert "2222" not in repr(lines)


@pytest.mark.parametrize("text", [KEYS.format("second"), "broken"])
async def test_a_process_that_is_started_again_knows_the_keys_of_now(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(KEYS.format("one"))
    settings = settings_in(tmp_path)
    credentials = load_credentials(settings, demo=False)  # by the supervisor, long ago
    file.write_text(text)
    publishing = Publishing(settings, credentials, FakeClock())
    with capture_logs() as lines:
        publishing.key_file(lambda: None).catch_up()
    expected = "one" if text == "broken" else "second"
    assert (await admitted(publishing, f"{expected}-2222")).stream == expected
    assert [line["log_level"] for line in lines] == (["error"] if text == "broken" else [])


async def test_the_demonstration_has_a_key_of_its_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    credentials = load_credentials(settings, demo=True)
    publishing = Publishing(settings, credentials, FakeClock())
    demo = credentials.demo_key
    assert demo is not None
    assert demo.secret is not None
    publishing.key_file(lambda: None).reload()
    assert (await admitted(publishing, demo.secret)).stream == "main"
    assert demo.secret not in (tmp_path / "keys.toml").read_text()


async def test_an_open_server_reads_no_keys(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, open=True)
    credentials = load_credentials(settings, demo=True)
    publishing = Publishing(settings, credentials, FakeClock())
    assert isinstance(publishing.admission, OpenToAll)
    assert publishing.gate is None
    assert not (tmp_path / "keys.toml").exists()
