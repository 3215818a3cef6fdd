"""The edge's command line: every flag is a setting, and nothing starts that only asks."""

from pathlib import Path

import pytest

from cdn.cli import FLAGS, main
from cdn.commands.reference import example_file
from cdn.settings import EdgeSettings
from tests.support.servers import two_ports


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["edge", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code


def test_a_check_says_ok_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "edge.toml"
    file.write_text('[origin]\nurl = "http://origin.example"\n')
    assert run(monkeypatch, "--config", str(file), "--check") == 0
    assert capsys.readouterr().out == "OK\n"


def test_a_check_says_every_error_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "edge.toml"
    file.write_text("[orign]\n[cache]\nmemory = -1\n")
    assert run(monkeypatch, "--config", str(file), "--check") == 2
    written = capsys.readouterr()
    assert written.out == ""
    lines = sorted(written.err.splitlines())
    assert len(lines) == 3
    assert lines[-1] == "tidecast edge: orign: there is no such setting; did you mean 'origin'?"


def test_the_help_explains_every_flag_in_the_words_of_its_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    text = " ".join(capsys.readouterr().out.split())
    for flag in FLAGS:
        assert flag in text
    assert "Processes that share the port" in text
    assert "Port for viewers; 0 picks a free one. [default: 8080]" in text
    assert run(monkeypatch, "-h") == 0


def test_a_misspelt_command_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "rendr") == 2
    assert "No such command 'rendr'. Did you mean 'render'?" in capsys.readouterr().err
    assert run(monkeypatch, "qqq") == 2
    assert "No such command 'qqq'.\n" in capsys.readouterr().err


def test_a_purge_is_of_the_edge_whose_flags_stand_before_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    port = two_ports()
    flags = ("--metrics-port", str(port), "--workers", "2")
    assert run(monkeypatch, *flags, "purge", "/main/") == 1  # nobody is there
    named = [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()]
    assert named == [f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"]
    file = tmp_path / "edge.toml"
    file.write_text(f'origin.url = "http://origin"\nmetrics.port = {port}\n')
    assert run(monkeypatch, "--config", str(file), "purge", "/main/") == 1
    assert capsys.readouterr().err.startswith(f"127.0.0.1:{port}: NOT purged")


def test_an_origin_that_is_none_is_repeated_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--origin", "foo") == 2
    assert capsys.readouterr().err.endswith(", not 'foo'\n")


def test_the_example_needs_no_origin_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--example") == 0
    assert capsys.readouterr().out == example_file()


@pytest.mark.parametrize(("flag", "setting"), FLAGS.items())
def test_every_flag_writes_a_setting_that_exists(flag: str, setting: tuple[str, str]) -> None:
    section = EdgeSettings.model_fields[setting[0]].annotation
    assert section is not None
    assert setting[1] in section.model_fields, flag
