"""The access log: a sample of the requests, a line of JSON each.

A line for each request would cost more than the answer does, and nobody reads 36,000 lines a
second. So a share is written (``[log] access_sample``), picked by counting and not by chance: of
1,000 requests and a share of 0.01 it is exactly ten, evenly spread, and picking costs one addition.
Where it is off there is no access log, and both request paths ask only whether there is one.

Nothing secret is written. Of a query only the delivery directives remain (rfc8216bis, 6.2.5), in
the form in which they are valid: tokens stand in queries, and so does all that people paste there.

Lines are written by a thread, because a pipe that nobody empties or a disk that hangs would hold
up every viewer. What it cannot write in time is dropped beyond ``MOST_WAITING`` lines and counted.
Each line is a single write to a file opened for appending, so that workers share a file. ``reopen``
(SIGHUP) is how a file that was rotated away is let go of.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from threading import Thread

import structlog

from cdn.errors import SettingsError

MOST_WAITING = 10_000
"""Lines that wait for the disk: some megabytes, and ten seconds of a busy worker's 3 %."""

LONGEST_FIELD = 512
"""Of what viewers send; paths are cut there."""

_DIRECTIVE = re.compile(r"_HLS_(?:msn|part)=\d{1,20}|_HLS_skip=(?:YES|v2)")

_STANDARD = {"stdout": 1, "stderr": 2}


@dataclass(frozen=True, slots=True)
class Access:
    """One request and its answer; ``target`` may be as the viewer sent it.

    There is no name of a browser in it: the fast path reads requests as a whole, and keeps none.
    """

    address: str
    method: str
    target: str
    status: int
    sent_bytes: int
    cache: str
    seconds: float


class AccessLog:
    """Picks requests and writes them; made in the process that uses it, because of its thread."""

    def __init__(
        self, share: float, file: str, wall: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Open the file; raise ``SettingsError`` where that cannot be done."""
        self.lost = 0
        """Lines that were dropped because those before them could not be written in time."""
        self._share = share
        self._owed = 0.0
        self._wall = wall
        self._file = file
        self._descriptor = _open(file)
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._is_to_reopen = False
        self._thread = Thread(target=self._write_lines, name="access log", daemon=True)
        self._thread.start()

    def wants(self) -> bool:
        """Say whether this request is one of the sample; to be asked once for each."""
        self._owed += self._share
        if self._owed < 1.0:
            return False
        self._owed -= 1.0
        return True

    def pick(self, share: float) -> None:
        """Change how many are written."""
        self._share = share

    def write(self, access: Access) -> None:
        """Write a line, as soon as the disk lets us."""
        if self._queue.qsize() >= MOST_WAITING:
            self.lost += 1
            return
        self._queue.put(line_of(access, self._wall()))

    def reopen(self) -> None:
        """Let go of the file, and go on in the one that has its name now."""
        self._is_to_reopen = True
        self._queue.put(b"")

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join(timeout=2.0)  # a pipe that nobody empties does not keep a worker
        if not self._thread.is_alive():
            self._let_go()

    def _write_lines(self) -> None:
        while (line := self._queue.get()) is not None:
            if self._is_to_reopen:
                self._is_to_reopen = False
                self._open_again()
            try:
                _write(self._descriptor, line)
            except OSError:
                self.lost += 1

    def _open_again(self) -> None:
        try:
            descriptor = _open(self._file)
        except SettingsError as error:
            structlog.get_logger("edge").warning("the access log stays as it is", reason=str(error))
            return
        self._let_go()
        self._descriptor = descriptor

    def _let_go(self) -> None:
        if self._descriptor not in _STANDARD.values():
            os.close(self._descriptor)


def line_of(access: Access, at: datetime) -> bytes:
    """Return a request as a line of JSON."""
    fields = {
        "time": at.isoformat(timespec="milliseconds"),
        "address": access.address,
        "method": access.method[:LONGEST_FIELD],
        "target": loggable(access.target),
        "status": access.status,
        "bytes": access.sent_bytes,
        "cache": access.cache,
        "seconds": round(access.seconds, 4),
    }
    return json.dumps(fields).encode() + b"\n"


def loggable(target: str) -> str:
    """Return a target without anything of its query but valid delivery directives."""
    path, _, query = target.partition("?")
    kept = [field for field in query.split("&") if _DIRECTIVE.fullmatch(field)]
    return "?".join([path[:LONGEST_FIELD], *(["&".join(kept[:3])] if kept else [])])


def _open(file: str) -> int:
    if file in _STANDARD:
        return _STANDARD[file]
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise SettingsError(f"log.access_file: {file}: {error.strerror}") from error


def _write(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]
