"""`tidecast serve` as a new user meets it: what to type, a key that is needed, a clean end."""

import asyncio
import os
import re
import signal
import stat
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.pushers import pushing
from tests.support.servers import (
    READY_WITHIN_S,
    TidecastProcess,
    free_ports,
    running,
    tidecast,
)

pytestmark = pytest.mark.lasts(40)


async def test_it_says_exactly_what_to_type_into_obs(tmp_path: Path) -> None:
    async with tidecast(tmp_path) as server:
        kept = tmp_path / "data" / "keys.toml"
        key = key_of(server)
        assert server.output().startswith(
            "\n"
            "  OBS      Settings > Stream > Service: Custom...\n"
            f"  Server   rtmp://127.0.0.1:{server.ports.rtmp}/live\n"
            f"  Key      {key}    (kept in {kept})\n"
            f"  Watch    {server.base}/main\n"
            "\n"
            "  Ctrl-C ends it.\n"
        )
        assert key in kept.read_text()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert await server.stop() == 0


async def test_the_key_is_needed_and_appears_nowhere_else(tmp_path: Path) -> None:
    server = TidecastProcess(tmp_path)
    async with running(server), ClientSession() as client:
        key = key_of(server)
        printed = server.output().count(key)
        async with pushing(server.rtmp_url("main")) as intruder:
            assert await intruder.finished() != 0
            assert "unknown stream key" in server.output()
        async with pushing(server.rtmp_url(key), seconds=3, in_real_time=False) as streamer:
            assert await streamer.finished() == 0, streamer.log()
        await server.until("main", "ended")
        pages = [f"{server.control}/api/v1/streams", f"{server.control}/metrics"]
        pages += [f"{server.base}/{path}" for path in ("main", "main/status.json", "")]
        pages += [f"{server.base}/main/{path}" for path in ("index.m3u8", "v0/index.m3u8")]
        for page in pages:
            async with client.get(page) as answer:
                assert answer.status == 200, page
                assert key not in await answer.text()
        assert server.output().count(key) == printed
        assert key not in "".join(server.children().values())


async def test_the_second_run_has_the_same_key(tmp_path: Path) -> None:
    server = TidecastProcess(tmp_path)
    async with running(server):
        first = key_of(server)
        await server.stop()
        await server.start()
        assert len(re.findall(rf"Key +{re.escape(first)}", server.output())) == 2


async def test_a_port_in_use_is_told_in_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    async with tidecast(tmp_path, "--open") as first:
        for flag, port in (
            ("--rtmp-port", first.ports.rtmp),
            ("--http-port", first.ports.http),
            ("--control-port", first.ports.control),
        ):
            code, text = await refused(tmp_path, flag, str(port))
            assert code == 2
            assert f"127.0.0.1:{port} is in use" in text
            assert flag in text
            assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--window", "many"), "hls.window"),
        (("--open", "--host", "8.8.8.8"), "--force-open"),
        (("--config", "/none.toml"), "cannot read /none.toml"),
        (("--data-dir", "/proc/none"), "--data-dir"),
    ],
)
async def test_what_cannot_be_used_is_refused_before_anything_starts(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    code, text = await refused(tmp_path, *flags)
    assert code == 2
    assert complaint in text
    assert "Traceback" not in text


async def test_a_process_that_dies_is_replaced_and_the_ports_stay(tmp_path: Path) -> None:
    async with tidecast(tmp_path, "--open") as server, ClientSession() as client:
        for pid in server.children():
            # The supervisor holds the sockets: what connects now waits until the new process runs.
            signal_process(pid, signal.SIGKILL)
            async with asyncio.timeout(READY_WITHIN_S):
                await answers(client, f"{server.control}/readyz")
                await answers(client, f"{server.base}/readyz")
        async with pushing(server.rtmp_url("main"), seconds=3, in_real_time=False) as streamer:
            assert await streamer.finished() == 0, streamer.log()


async def test_the_edge_is_a_command_of_its_own(tmp_path: Path) -> None:
    code, text = await run("edge", "--check", "--origin", "http://127.0.0.1:1")
    assert code == 0, text
    code, text = await run("edge", "--orign", "http://127.0.0.1:1")
    assert code != 0
    assert "--origin" in text


async def refused(directory: Path, *flags: str) -> tuple[int, str]:
    """Start with ports that are free unless the flags say otherwise; wait for the refusal."""
    rtmp, http, control = (str(port) for port in free_ports(3))
    ports = ("--rtmp-port", rtmp, "--http-port", http, "--control-port", control)
    places = ("--host", "127.0.0.1", "--data-dir", str(directory / "other"))
    return await run("serve", *places, *ports, *flags)


async def run(*arguments: str) -> tuple[int, str]:
    """Run the command to its end; its status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "origin", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), READY_WITHIN_S)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def answers(client: ClientSession, url: str) -> None:
    """Wait until ``url`` answers 200."""
    while True:
        try:
            async with client.get(url) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        await asyncio.sleep(0.05)


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that the server under test started."""
    os.kill(pid, number)


def key_of(server: TidecastProcess) -> str:
    """The key that it printed."""
    found = re.search(r"Key +(\S+)", server.output())
    assert found is not None, server.output()
    return found[1]
