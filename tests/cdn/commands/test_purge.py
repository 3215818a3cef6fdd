"""Purging: every worker is reached, what is gone is fetched anew, and failures are named."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cdn.commands.purge import Port, port_of, ports_of, purge_command
from cdn.errors import SettingsError
from cdn.settings import Metrics
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import python
from tests.support.servers import free_ports, two_ports
from tests.support.viewers import Viewers

SEGMENT = b"x" * 1000
KEPT = {"Cache-Control": "max-age=3600"}


def purge(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cdn", "purge", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    for path in ("/main/v0/a.m4s", "/other/v0/a.m4s"):
        origin.serve(path, Resource(SEGMENT, headers=KEPT))
    await origin.start()
    yield origin
    await origin.die()


async def test_a_purge_reaches_every_worker_and_spares_all_else(
    origin: FakeOrigin, tmp_path: Path
) -> None:
    (http_port,), metrics_port = free_ports(1), two_ports()
    file = tmp_path / "edge.toml"
    file.write_text(
        f'''
        origin.url = "{origin.url}"
        listen = {{host = "127.0.0.1", http_port = {http_port}, workers = 2}}
        metrics.port = {metrics_port}
        '''
    )
    viewers = Viewers(http_port)
    async with python("-m", "cdn", "--config", str(file)) as edge:
        for _ in range(2):
            await edge.line("the edge is open")
        while origin.requests["/main/v0/a.m4s"] < 2:  # until either worker has it
            assert (await viewers.get("/main/v0/a.m4s")).body == SEGMENT
        await viewers.get("/other/v0/a.m4s")
        done = purge("/main/", "--config", str(file))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"127.0.0.1:{metrics_port}: 1 object purged",
            f"127.0.0.1:{metrics_port + 1}: 1 object purged",
        ]
        before = origin.requests["/main/v0/a.m4s"]
        await viewers.get("/main/v0/a.m4s")
        assert origin.requests["/main/v0/a.m4s"] == before + 1
        again = purge("/main/", "--at", f"127.0.0.1:{metrics_port}", "--token", "guessed")
        assert again.returncode == 1
        assert "NOT purged: That is not the token in [purge] token." in again.stderr
    gone = purge("/main/", "--config", str(file))
    assert gone.returncode == 1
    assert gone.stderr.count("NOT purged: ") == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("main/",), "A prefix begins with a slash", id="no slash"),
        pytest.param(("/a?b=c",), "without a query", id="a query"),
        pytest.param(("/a", "--at", "9180"), "looks like 10.0.0.5:9180, not '9180'", id="no host"),
        pytest.param(("/a", "--config", "none.toml"), "there is no such file", id="no file"),
    ],
)
def test_what_cannot_be_purged_is_said_in_a_line(arguments: tuple[str, ...], sentence: str) -> None:
    done = CliRunner().invoke(purge_command, arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("tidecast edge purge: ")
    assert sentence in line


async def test_what_is_no_edge_is_not_taken_for_one(origin: FakeOrigin) -> None:
    arguments = ("/a", "--at", origin.url.removeprefix("http://"))
    done = await asyncio.to_thread(CliRunner().invoke, purge_command, arguments)
    assert "NOT purged: " in done.stderr
    assert "not an edge: it answered 404" in done.stderr


def test_the_ports_of_the_workers_are_counted_up_from_the_first() -> None:
    assert ports_of(Metrics(), 2) == [Port("127.0.0.1", 9180), Port("127.0.0.1", 9181)]
    assert ports_of(Metrics(host="0.0.0.0"), 1) == [Port("127.0.0.1", 9180)]
    assert ports_of(Metrics(host="::", port=9000), 1) == [Port("::1", 9000)]
    for unusable in (Metrics(enabled=False), Metrics(port=0)):
        with pytest.raises(SettingsError, match=r"metrics\."):
            ports_of(unusable, 1)


@pytest.mark.parametrize(
    ("text", "port"),
    [("10.0.0.5:9180", Port("10.0.0.5", 9180)), ("[2001:db8::1]:1", Port("2001:db8::1", 1))],
)
def test_a_port_is_read_as_it_is_written(text: str, port: Port) -> None:
    assert port_of(text) == port
    assert str(port) == text


@pytest.mark.parametrize("text", ["", "host", ":9180", "host:0", "host:70000", "host:many"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="looks like"):
        port_of(text)
