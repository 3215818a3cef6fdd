"""Many RTMP publishers in one cheap process, in real time.

Connections are made by a thread, one after the other, while those that are in already send: the
loop below never waits for anybody. What is sent late counts as lag: the server did not read.
"""

import heapq
import math
import queue
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from origin.bench.broadcast import Broadcast
from origin.bench.greeting import Address, NotAccepted, enter

PAUSE_BETWEEN_S = 0.02
LONGEST_WAIT_S = 0.02
BLOCKED_AGAIN_S = 0.01
READ_BYTES = 65536


@dataclass(order=True, slots=True)
class Publisher:
    """One connection; ordered by when its next bytes are due."""

    due: float
    """Like ``began``, by the monotonic clock, in seconds."""
    number: int
    connection: socket.socket = field(compare=False)
    began: float = field(compare=False)
    turn: int = field(default=0, compare=False)
    """How often the whole file has been sent."""
    slot: int = field(default=0, compare=False)
    """What of it is to be sent next."""
    sent: int = field(default=0, compare=False)
    """Bytes of this turn."""


@dataclass(slots=True)
class Outcome:
    """What became of all publishers."""

    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    """By the server's reason."""
    lost: Counter[str] = field(default_factory=Counter[str])
    """Let in, and cut off later; by the system's reason."""
    sent_bytes: int = 0
    lags_s: list[float] = field(default_factory=list[float])
    """For each slot, how long after it was due the server had room for the whole of it."""


class Crowd:
    """Publishers, from the first connection to the last byte."""

    def __init__(self, address: Address, broadcast: Broadcast, number: int) -> None:
        self.outcome = Outcome()
        self._address = address
        self._broadcast = broadcast
        self._number = number
        self._entered: queue.SimpleQueue[tuple[int, socket.socket | NotAccepted]] = (
            queue.SimpleQueue()
        )
        self._waiting = number
        self._due = list[Publisher]()
        self._by_descriptor: dict[int, Publisher] = {}
        self._poll = select.epoll()

    def run(self, seconds: float, on_everybody: Callable[[], None] = lambda: None) -> Outcome:
        """Publish for ``seconds`` after the last one was let in, or not; return what came of it."""
        entering = threading.Thread(target=self._enter_all, daemon=True)
        entering.start()
        end = math.inf
        try:
            while time.monotonic() < end:
                self._admit()
                if end == math.inf and self._waiting == 0:
                    end = time.monotonic() + seconds
                    on_everybody()
                if self._waiting == 0 and not self._by_descriptor:
                    break
                self._send_all_due()
                self._hear()
        finally:
            for publisher in self._by_descriptor.values():
                publisher.connection.close()
            self._poll.close()
        return self.outcome

    def _enter_all(self) -> None:
        for number in range(self._number):
            try:
                self._entered.put((number, enter(self._address, number)))
            except NotAccepted as refusal:
                self._entered.put((number, refusal))
            time.sleep(PAUSE_BETWEEN_S)

    def _admit(self) -> None:
        """Take in who has been let in since."""
        while not self._entered.empty():
            number, entered = self._entered.get()
            self._waiting -= 1
            if isinstance(entered, NotAccepted):
                self.outcome.refused[str(entered)] += 1
                continue
            self.outcome.accepted += 1
            entered.sendall(self._broadcast.headers)
            entered.setblocking(False)
            now = time.monotonic()
            publisher = Publisher(now, number, entered, now)
            self._by_descriptor[entered.fileno()] = publisher
            self._poll.register(entered.fileno(), select.EPOLLIN)
            heapq.heappush(self._due, publisher)

    def _send_all_due(self) -> None:
        while self._due and self._due[0].due <= (now := time.monotonic()):
            publisher = heapq.heappop(self._due)
            if publisher.connection.fileno() < 0:
                continue  # it was lost
            try:
                self._send_due(publisher, now)
            except OSError as error:
                self._lose(publisher, error.strerror or str(error))
            else:
                heapq.heappush(self._due, publisher)

    def _send_due(self, publisher: Publisher, now: float) -> None:
        broadcast = self._broadcast
        data = broadcast.again if publisher.turn else broadcast.first
        slots = broadcast.again_slots if publisher.turn else broadcast.first_slots
        pass_began = publisher.began + publisher.turn * broadcast.period_ms / 1000
        due_ms = (now - pass_began) * 1000
        oldest = slots[publisher.slot].due_ms
        while publisher.slot + 1 < len(slots) and slots[publisher.slot + 1].due_ms <= due_ms:
            publisher.slot += 1
        target = slots[publisher.slot].end
        try:
            sent = publisher.connection.send(data[publisher.sent : target])
        except BlockingIOError:
            sent = 0
        publisher.sent += sent
        self.outcome.sent_bytes += sent
        if publisher.sent < target:
            publisher.due = now + BLOCKED_AGAIN_S
            return
        self.outcome.lags_s.append(max(0.0, (due_ms - oldest) / 1000))
        publisher.slot += 1
        if publisher.slot == len(slots):
            publisher.turn, publisher.slot, publisher.sent = publisher.turn + 1, 0, 0
            pass_began += broadcast.period_ms / 1000
            slots = broadcast.again_slots
        publisher.due = pass_began + slots[publisher.slot].due_ms / 1000

    def _hear(self) -> None:
        """Read what servers say meanwhile (acknowledgements), and see who was cut off."""
        wait_s = self._due[0].due - time.monotonic() if self._due else LONGEST_WAIT_S
        for descriptor, _ in self._poll.poll(max(0.0, min(wait_s, LONGEST_WAIT_S))):
            publisher = self._by_descriptor[descriptor]
            try:
                said = publisher.connection.recv(READ_BYTES)
            except OSError as error:
                self._lose(publisher, error.strerror or str(error))
                continue
            if not said:
                self._lose(publisher, "the server closed the connection")

    def _lose(self, publisher: Publisher, why: str) -> None:
        descriptor = publisher.connection.fileno()
        self._poll.unregister(descriptor)
        del self._by_descriptor[descriptor]
        publisher.connection.close()
        self.outcome.lost[why] += 1
