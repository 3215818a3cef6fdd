"""The beat: publishers that have been let in are read together, some times a second.

A frame costs some ten microseconds of work, and more than that for waking up to it: each time
the loop sleeps, the caches go cold. Twenty publishers of sixty frames a second wake a loop that
reads at once more than a thousand times a second. So a publisher that is live leaves the loop's
poll, and every ``BEAT_S`` all of them are read in one go, straight from their sockets, while the
code is warm. ``benchmarks/ingest.py`` shows what is left.

What arrives meanwhile waits in the kernel. The end of a connection is left to the loop: a reader
that meets it goes back there, and the transport finds it for itself.
"""

import asyncio
import os
import socket
from typing import Protocol

from origin.observe.durations import Durations

BEAT_S = 0.05
"""The longest that a frame waits here: a tenth of a part, and half of that on average."""


class Reader(Protocol):
    """A connection that takes part."""

    def on_beat(self) -> None:
        """Read what there is."""
        ...


class Beat:
    """Calls all readers at each beat, for as long as there are any."""

    def __init__(self) -> None:
        self.gaps = Durations()
        """Between two beats: the longest that a publisher went unread."""
        self._struck_at = 0.0
        self._readers: dict[Reader, None] = {}  # in the order in which they came
        self._timer: asyncio.TimerHandle | None = None

    def join(self, reader: Reader) -> None:
        """Have ``reader`` called from the next beat on."""
        self._readers[reader] = None
        if self._timer is None:
            self._struck_at = asyncio.get_running_loop().time()
            self._set_timer()

    def leave(self, reader: Reader) -> None:
        """Call ``reader`` no more; harmless if it has not joined."""
        self._readers.pop(reader, None)

    def borrow(self, sock: socket.socket) -> socket.socket:
        """A handle of one's own on a transport's socket, to be closed by whoever borrowed it."""
        return socket.socket(fileno=os.dup(sock.fileno()))

    def _strike(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        self.gaps.add(now - self._struck_at, now)
        self._struck_at = now
        for reader in list(self._readers):
            reader.on_beat()
        if self._readers and self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._strike)
