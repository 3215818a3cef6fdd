"""An origin that is killed and is there again: a real process each time, on the same ports.

::

    async with phoenix(tmp_path) as origin:
        ...
        await origin.kill()          # SIGKILL; when it returns, the next process is being started
        ...
        assert await origin.stop() == 0

It does what the supervisor of ``tidecast serve`` does (hold the sockets and the shared memory, fork
the origin, start it again when it dies) but for two things: it does not wait between a death and
the next start, however many there are, and it has imported everything beforehand, so that twenty
processes cost as little as one. Run as ``python -m tests.support.phoenix --data-dir DIR ...`` it
reads a line for each kill, and writes one for each process that it has started.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.servers import ADDRESS, STOP_WITHIN_S, free_ports

STARTED = b"started\n"
START_WITHIN_S = 30.0


class Phoenix:
    """The process that keeps an origin running."""

    def __init__(self, process: asyncio.subprocess.Process, rtmp: int, control: int) -> None:
        self.rtmp_port = rtmp
        self.control = f"http://{ADDRESS}:{control}"
        self._process = process

    async def started(self) -> None:
        """Wait until there is an origin, which may not answer yet."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), START_WITHIN_S)
        assert line == STARTED

    async def kill(self) -> None:
        """SIGKILL the origin, and wait for the next one."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"kill\n")
        await self.started()

    async def stop(self) -> int:
        """SIGTERM the origin; its exit status."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), STOP_WITHIN_S)


@asynccontextmanager
async def phoenix(directory: Path) -> AsyncIterator[Phoenix]:
    """An origin without an edge, open to all; its log is ``origin.log`` in the directory."""
    rtmp, control = free_ports(2)
    with (directory / "origin.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.phoenix"),
            *("--data-dir", str(directory / "data")),
            *("--rtmp-port", str(rtmp), "--control-port", str(control)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=Path(__file__).parents[2],
        )
    origin = Phoenix(process, rtmp, control)
    try:
        await origin.started()
        yield origin
    finally:
        await origin.stop()


def main() -> None:
    """Keep an origin running until SIGTERM."""
    from origin.config.layers import load_settings
    from origin.observe.log import configure_log
    from origin.service.origin_process import run_origin
    from origin.service.publishing import load_credentials
    from origin.service.sockets import OriginSockets, listen
    from origin.service.supervisor import fork
    from origin.store.marks import shared_memory

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--rtmp-port", type=int, required=True)
    parser.add_argument("--control-port", type=int, required=True)
    given = parser.parse_args()
    sys.stdout.flush()
    answers = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the origin logs there
    configure_log(as_json=False)
    settings = load_settings(
        {"server": {"data_dir": given.data_dir, "host": ADDRESS}, "rtmp": {"open": True}}, None
    )
    credentials = load_credentials(settings, demo=False)
    sockets = OriginSockets(
        rtmp=listen(ADDRESS, given.rtmp_port, what="RTMP", flag=""),
        control=listen(ADDRESS, given.control_port, what="control", flag=""),
        rtmps=None,
    )
    memory = shared_memory()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def start() -> int:
        pid = fork(lambda: run_origin(settings, credentials, sockets, None, memory))
        os.write(answers, STARTED)
        return pid

    pid = start()

    def end(number: int, frame: object) -> None:
        os.kill(pid, signal.SIGTERM)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    signal.signal(signal.SIGTERM, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    for _ in sys.stdin:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pid = start()
    end(signal.SIGTERM, None)


if __name__ == "__main__":
    main()
