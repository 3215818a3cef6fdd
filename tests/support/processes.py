"""Processes whose words matter: started, read line by line, and gone at the end in any case."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE_S = 60.0
"""How long anything may take before a test gives up; a busy machine starts Python slowly."""


def inherited(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's own, without the world's certificate authorities.

    No test talks to anybody whom they vouch for, and to load all of them takes each process that
    can speak TLS a tenth of a second and more.
    """
    return {**os.environ, "SSL_CERT_FILE": os.devnull, **(more or {})}


class Child:
    """A process whose standard error is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    async def line(self, containing: str) -> str:
        """Wait for a line; what comes before it is skipped."""
        assert self._process.stderr is not None
        skipped = ""
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self._process.stderr.readline()).decode():
                if containing in line:
                    return line
                skipped += line
        raise AssertionError(f"ended without saying {containing!r}, but: {skipped}")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Do what Ctrl-C does in a terminal: SIGINT to the whole process group."""
        os.killpg(self.pid, signal.SIGINT)

    async def exit(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and all that was still to be read."""
        async with asyncio.timeout(PATIENCE_S):
            _, rest = await self._process.communicate()
        assert self._process.returncode is not None
        return self._process.returncode, rest.decode()

    def children(self) -> set[int]:
        """The processes that this one has started and that still run."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(pid) for pid in listed.split()}


@asynccontextmanager
async def python(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Child]:
    """Run a Python program; it is killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=inherited(environment),
        start_new_session=True,  # so that it leads a process group, as a shell's command does
    )
    try:
        yield Child(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def until_gone(pid: int) -> None:
    """Wait for the end of a process, which need not be a child of this one."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, gone = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, gone.set)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
