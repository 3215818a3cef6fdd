"""Who reads a connection's socket: the loop's transport at once, or the beat some times a second.

Never both. The beat reads past the transport, on a handle of its own; when it meets the end of the
connection, or an error, it gives the socket back for good, and the transport finds the same.
"""

import asyncio
import socket

from origin.ingest.beat import Beat, Reader


class Intake:
    """Of one connection, ``reader``."""

    def __init__(
        self, transport: asyncio.Transport, sock: socket.socket, beat: Beat, reader: Reader
    ) -> None:
        self._transport = transport
        self._socket = sock
        self._beat = beat
        self._reader = reader
        self._is_reading = True
        self._borrowed: socket.socket | None = None  # our handle, while the beat reads it
        self._has_met_end = False

    def join_beat(self) -> None:
        """Be read at the beat from now on."""
        if self._borrowed is None and not self._has_met_end:
            self._read_on(False)
            self._borrowed = self._beat.borrow(self._socket)
            self._beat.join(self._reader)

    def leave_beat(self) -> None:
        """Be read at the beat no more, nor for now at all."""
        if self._borrowed is not None:
            self._beat.leave(self._reader)
            self._borrowed.close()
            self._borrowed = None

    def read_at_once(self, wanted: bool) -> None:
        """Be read by the transport, or for now not at all."""
        self.leave_beat()
        self._read_on(wanted)

    def take(self, buffer: memoryview) -> int:
        """At the beat: read what there is into ``buffer``; how many bytes that were."""
        if self._borrowed is None:
            return 0
        try:
            taken = self._borrowed.recv_into(buffer)
        except BlockingIOError:
            return 0
        except OSError:
            taken = 0
        if taken == 0:
            self._has_met_end = True
            self.read_at_once(True)
        return taken

    def _read_on(self, wanted: bool) -> None:
        if wanted is self._is_reading:
            return
        self._is_reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
