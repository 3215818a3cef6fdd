"""The trial: what is published here is watched here, and what goes wrong is said."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from origin.cli import main
from origin.doctor.findings import Level
from origin.doctor.trial import Seen, judge, try_out
from tests.support.servers import free_ports


@pytest.mark.lasts(8)
def test_the_doctor_watches_what_it_publishes_and_leaves_nothing(tmp_path: Path) -> None:
    rtmp, http, control = map(str, free_ports(3))
    data = tmp_path / "data"
    ports = ["--rtmp-port", rtmp, "--http-port", http, "--control-port", control]
    done = CliRunner().invoke(main, ["doctor", "--data-dir", str(data), *ports])
    assert done.exit_code == 0, done.output
    (watched,) = [line for line in done.output.splitlines() if "published and watched" in line]
    assert watched.startswith("ok ")
    assert done.output.endswith("Tidecast runs here.\n")
    assert not data.exists()


def test_one_that_does_not_start_is_told_with_its_own_words() -> None:
    said = try_out([sys.executable, "-c", "raise SystemExit('no such codec')"])
    assert said.level is Level.PROBLEM
    assert "it ended with 1" in said.text
    assert said.text.endswith("It said: no such codec")


def test_one_that_is_never_live_is_not_waited_for_without_end() -> None:
    said = try_out([sys.executable, "-c", "import time; time.sleep(60)"], patience_s=0)
    assert said.level is Level.PROBLEM
    assert "it was not ready" in said.text


def test_what_arrives_in_part_is_no_proof() -> None:
    assert judge(Seen(0.9, 4.0, 120, 180)).level is Level.WELL
    assert judge(Seen(0.9, 4.0, 90, 180)).level is Level.PROBLEM
    assert judge(Seen(0.9, 4.0, 120, 0)).level is Level.PROBLEM


def test_a_doctor_that_only_looks_starts_nothing_and_refuses_what_a_start_would(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    (port,) = free_ports(1)
    look = ["doctor", "--no-trial", "--data-dir", str(data), "--rtmp-port", str(port)]
    assert "published" not in CliRunner().invoke(main, look).output
    refused = CliRunner().invoke(main, [*look, "--http-port", str(port)])
    assert refused.exit_code == 2
    assert "are both" in refused.output
