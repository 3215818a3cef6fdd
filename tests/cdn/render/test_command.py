"""``tidecast edge render`` as an operator types it."""

from pathlib import Path

import pytest

from cdn.cli import main

FILE = '[origin]\nurl = "http://10.0.0.1:8081"\n[listen]\nhttp_port = 8000\n'


@pytest.fixture
def edge_toml(tmp_path: Path) -> Path:
    file = tmp_path / "edge.toml"
    file.write_text(FILE)
    return file


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["edge", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize("engine", ["nginx", "varnish", "haproxy"])
def test_each_file_begins_with_what_made_it_and_how_to_check_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    edge_toml: Path,
    engine: str,
) -> None:
    tls = () if engine == "varnish" else ("--certificate", "/tls.pem", "--key", "/tls.pem.key")
    assert run(monkeypatch, "render", engine, "--config", str(edge_toml), *tls) == 0
    head = capsys.readouterr().out.splitlines()[:3]
    assert head[0].startswith(f"# Made by `tidecast edge render {engine} --")
    assert head[0].endswith(f" from {edge_toml}.")
    assert head[2].startswith("# Check it with: ")


@pytest.mark.parametrize("engine", ["nginx", "varnish"])
def test_what_an_engine_cannot_do_alone_is_said_in_the_file_and_beside_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    edge_toml: Path,
    engine: str,
) -> None:
    assert run(monkeypatch, "render", engine, "--alone", "--config", str(edge_toml)) == 0
    written = capsys.readouterr()
    warnings = [line.removeprefix("WARNING: ") for line in written.err.splitlines()]
    assert warnings
    text = " ".join(line.removeprefix("#").strip() for line in written.out.splitlines())
    assert [warning for warning in warnings if warning not in text] == []


def test_what_stands_before_the_word_render_counts_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], edge_toml: Path
) -> None:
    before = ("--config", str(edge_toml), "--memory", "1MiB")
    assert run(monkeypatch, *before, "render", "varnish") == 0
    written = capsys.readouterr().out
    assert "-a 0.0.0.0:8000" in written
    assert f"-s malloc,{1 << 20} " in written


def test_what_cannot_be_rendered_is_said_and_nothing_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], edge_toml: Path
) -> None:
    assert run(monkeypatch, "render", "haproxy", "--alone", "--config", str(edge_toml)) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("tidecast edge render: haproxy goes in front")
