"""The unit file: accepted by systemd itself, and true to what the edge does."""

import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from cdn.process.workers import GRACE_S
from cdn.settings import Listen

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "tidecast-edge.service"
INSTALLED = "/opt/tidecast/bin/python"


def service() -> dict[str, str]:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    unit.read(UNIT)
    return dict(unit["Service"])


def test_systemd_has_time_for_a_whole_drain() -> None:
    listen = Listen()
    assert float(service()["TimeoutStopSec"]) > listen.drain_notice_s + listen.drain_s + GRACE_S


def test_systemd_hears_the_process_that_it_has_started_and_stops_only_that_one() -> None:
    said = service()
    assert (said["Type"], said["NotifyAccess"], said["KillMode"]) == ("notify", "main", "mixed")
    assert said["ExecReload"].endswith("-HUP $MAINPID")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_accepts_it(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(INSTALLED, sys.executable))
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
