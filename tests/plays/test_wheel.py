"""What is installed from the wheel, far from any checkout, is the whole of Tidecast."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from aiohttp import ClientSession
from packaging.requirements import Requirement
from playwright.async_api import expect

from tests.support.browser import SMALL, chromium, visit
from tests.support.pushers import pushing
from tests.support.servers import TidecastProcess, running

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT))
    (built,) = folder.glob("tidecast-*.whl")
    return built


def test_the_wheel_holds_the_packages_their_assets_and_licences_and_nothing_else(
    wheel: Path,
) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"origin", "cdn", "player"}
    for needed in (
        *("origin/py.typed", "cdn/py.typed", "player/py.typed"),
        *("player/assets/boot.js", "player/assets/tidecast.css", "player/templates/watch.html"),
        *("player/vendor/hls.js/hls.min.mjs", "player/vendor/hls.js/LICENSE"),
        *("origin/bench/load/main.c", "origin/bench/load/viewer.h"),
    ):
        assert needed in names
    licences = {name.split("licenses/")[1] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "player/vendor/hls.js/LICENSE"}


@pytest.mark.timeout(300)
async def test_it_serves_plays_and_shows_the_page(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    await asyncio.to_thread(install, wheel, home)
    server = Installed(tmp_path, home)
    async with running(server):
        async with pushing(server.rtmp_url("main"), seconds=8, in_real_time=False) as publisher:
            assert await publisher.finished() == 0, publisher.log()
        await server.until("main", "ended")
        await assert_decodes(f"{server.base}/main/index.m3u8", 240)
        async with (
            pushing(server.rtmp_url("main")),
            chromium() as browser,
            visit(browser, viewport=SMALL) as seen,
        ):
            await seen.page.goto(f"{server.base}/main")
            live = seen.page.locator("body[data-state=live]")
            await expect(live).to_be_attached()
            assert seen.foreign_requests(server.base) == []
        async with ClientSession() as client, client.get(server.base) as answer:
            assert re.search(r"/assets/\S+\.css", await answer.text())


class Installed(TidecastProcess):
    """The installed command, run from an empty directory."""

    def __init__(self, directory: Path, home: Path) -> None:
        super().__init__(directory, "--open")
        self._arguments = [
            *("/usr/bin/env", "-C", str(directory), "-u", "PYTHONPATH"),
            *(str(home / "bin" / "tidecast"), *self._arguments[3:]),
        ]


def install(wheel: Path, home: Path) -> None:
    """Make an environment of the wheel and what it asks for, and of nothing else.

    pip would fetch what is here already: the same distributions are copied. Whether any is missing,
    or too old for another, is what ``pip check`` tells.
    """
    venv.create(home)
    (packages,) = home.glob("lib/python*/site-packages")
    into = ("--python", str(home / "bin" / "python"))
    pip(*into, "install", "--no-deps", "--no-index", str(wheel))
    (installed,) = distributions(name="tidecast", path=[str(packages)])
    for needed in asked_for_by(installed):
        copy(needed, packages)
    pip(*into, "check")


def asked_for_by(installed: Distribution) -> list[Distribution]:
    """Everything that a distribution needs here, and what that needs."""
    found: dict[str, Distribution] = {}
    open_questions = requirements(installed, "")
    while open_questions:
        asked = open_questions.pop()
        found[asked.name] = distribution(asked.name)
        for extra in ("", *asked.extras):
            needed = requirements(found[asked.name], extra)
            open_questions += [each for each in needed if each.name not in found]
    return list(found.values())


def requirements(of: Distribution, extra: str) -> list[Requirement]:
    """What it needs on this machine, with this extra of it."""
    all_of_them = map(Requirement, of.requires or [])
    return [
        each
        for each in all_of_them
        if each.marker is None or each.marker.evaluate({"extra": extra})
    ]


def copy(needed: Distribution, packages: Path) -> None:
    """Copy its files, but for its commands."""
    for file in needed.files or []:
        if ".." in file.parts:
            continue
        (packages / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(str(needed.locate_file(file))), packages / file)


def pip(*arguments: str) -> None:
    """Run pip; what it says is shown only if it fails."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


async def assert_decodes(url: str, pictures: int) -> None:
    """Have ffprobe decode everything and count the pictures."""
    command = "ffprobe -v error -count_frames -select_streams v:0 -of json"
    process = await asyncio.create_subprocess_exec(
        *command.split(),
        *("-show_entries", "stream=nb_read_frames", url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert complaints == b""
    (stream,) = json.loads(output)["streams"]
    assert int(stream["nb_read_frames"]) == pictures
