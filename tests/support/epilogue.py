"""What holds after every test of connections, whatever it was about.

::

    from tests.support.epilogue import nothing_is_left  # in a conftest.py: used by itself

No task has died of an error that nobody looked at, no callback has raised, and no more sockets and
files are open than before. The loop tells of the first two in asyncio's log, and the runner of
tests does not listen there. Pipes do not count: loops keep some for the first child of a process.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest


class _Complaints(logging.Handler):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """See above."""
    complaints, loops = _Complaints(), logging.getLogger("asyncio")
    before = open_ones()
    loops.addHandler(complaints)
    yield
    loops.removeHandler(complaints)
    assert complaints.said == []
    assert len(open_ones()) <= len(before), (before, open_ones())


def open_ones() -> list[str]:
    """What this process has open, without pipes and the like."""
    found: list[str] = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the folder's own
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return [each for each in found if not each.startswith(("pipe:", "anon_inode:"))]
