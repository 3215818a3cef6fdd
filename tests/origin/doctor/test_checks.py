"""What the doctor looks at before anything is started, and what it says of each."""

import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from origin.auth.keyfile import render_keys
from origin.auth.keys import StreamKey
from origin.config.settings import ControlSettings, RtmpSettings, ServerSettings, Settings
from origin.doctor.checks import (
    UNSYNCHRONISED,
    check_clock,
    check_descriptors,
    check_directory,
    check_keys,
    check_ports,
    clock_state,
)
from origin.doctor.findings import Level, line, problem, verdict, warning, well
from tests.support.servers import free_ports


@pytest.fixture
def settings() -> Settings:
    rtmp, http, control = free_ports(3)
    return Settings(
        server=ServerSettings(host="127.0.0.1", http_port=http),
        rtmp=RtmpSettings(port=rtmp),
        control=ControlSettings(port=control),
    )


def test_free_ports_are_one_line(settings: Settings) -> None:
    (finding,) = check_ports(settings)
    assert finding.level is Level.WELL
    assert str(settings.rtmp.port) in finding.text


def test_a_port_that_somebody_has_is_a_problem_with_the_flag_that_moves_it(
    settings: Settings,
) -> None:
    with socket.create_server(("127.0.0.1", settings.rtmp.port)):
        taken, free = check_ports(settings)
    assert taken.level is Level.PROBLEM
    assert taken.text.endswith("choose another port with --rtmp-port")
    assert free.level is Level.WELL
    assert str(settings.rtmp.port) not in free.text


class Answers(BaseHTTPRequestHandler):
    """A control port, or something else that speaks HTTP."""

    body: object = {"status": "ok"}

    def do_GET(self) -> None:
        said = json.dumps(self.body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


class Stranger(Answers):
    """Something else."""

    body = "hello"


@contextmanager
def listening(port: int, who: type[Answers]) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), who) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_ports_of_a_tidecast_that_runs_here_are_in_good_hands(settings: Settings) -> None:
    with listening(settings.control.port, Answers):
        (finding,) = check_ports(settings)
    assert finding == well(f"Tidecast is running here already, at port {settings.control.port}")
    with listening(settings.control.port, Stranger):
        assert Level.PROBLEM in {finding.level for finding in check_ports(settings)}


def test_a_directory_is_looked_at_and_not_made(tmp_path: Path) -> None:
    wanted = tmp_path / "deep" / "data"
    (finding,) = check_directory(wanted)
    assert finding.level is not Level.PROBLEM
    assert not wanted.parent.exists()
    (tmp_path / "file").write_text("")
    (finding,) = check_directory(tmp_path / "file" / "data")
    assert finding.level is Level.PROBLEM
    assert "--data-dir" in finding.text


def test_keys_are_to_be_good_and_their_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    assert [each.level for each in check_keys(file, is_open=False)] == [Level.WELL]
    file.write_text(render_keys([StreamKey("main", "main-7f3k-92qd-x4mv")]))
    file.chmod(0o644)
    open_to_all, read = check_keys(file, is_open=False)
    assert open_to_all == warning(f"{file} can be read by others: chmod 600 {file}")
    assert read == well(f"{file}: keys for 1 stream")
    file.chmod(0o600)
    assert len(list(check_keys(file, is_open=False))) == 1
    file.write_text("[[key]]\nstream = ")
    (broken,) = check_keys(file, is_open=False)
    assert broken.level is Level.PROBLEM


def test_too_few_descriptors_are_said_with_what_to_allow() -> None:
    few = check_descriptors(2000, (1024, 1024))
    assert few.level is Level.WARNING
    assert "LimitNOFILE=" in few.text
    assert check_descriptors(2000, (1024, 65536)).level is Level.WELL
    assert check_descriptors(2000, (1024, resource.RLIM_INFINITY)).level is Level.WELL


def test_a_clock_that_nobody_keeps_is_said_with_what_to_do() -> None:
    assert check_clock(UNSYNCHRONISED).level is Level.WARNING
    assert check_clock(0).level is check_clock(-1).level is Level.WELL
    assert -1 <= clock_state() <= UNSYNCHRONISED


def test_only_a_problem_ends_in_another_status() -> None:
    assert verdict([well("a"), warning("b")]) == (0, "Tidecast runs here.")
    assert verdict([well("a"), problem("b")]) == (1, "1 problem to be mended.")
    assert line(problem("mend it")).split() == ["PROBLEM", "mend", "it"]
