"""What is installed from the wheel, far from any checkout, is the whole of Tidecast."""

import asyncio
import json
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import expect

from tests.support.browser import chromium, visit
from tests.support.pushers import pushing
from tests.support.servers import TidecastProcess, running

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT))
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
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    await asyncio.to_thread(
        pip, str(python), "install", "-c", str(ROOT / "constraints.txt"), str(wheel)
    )
    server = Installed(tmp_path, home)
    async with running(server):
        async with pushing(server.rtmp_url("main"), seconds=8, in_real_time=False) as publisher:
            assert await publisher.finished() == 0, publisher.log()
        await server.until("main", "ended")
        await assert_decodes(f"{server.base}/main/index.m3u8", 240)
        async with pushing(server.rtmp_url("main")), chromium() as browser, visit(browser) as seen:
            await seen.page.goto(f"{server.base}/main")
            live = seen.page.locator("body[data-state=live]")
            await expect(live).to_be_attached(timeout=30_000)
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


def pip(python: str, *arguments: str) -> None:
    """Run pip; what it says is shown only if it fails."""
    command = [python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
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
