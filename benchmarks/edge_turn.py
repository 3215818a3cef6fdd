"""What one part costs the edge for each viewer who waits for it, gets the playlist, and asks.

The edge's front alone, with its cache and an origin in the same process, on real sockets. Some
thousands of connections hold the same playlist (1.3 KB), get it, and ask for the part (31 KB); CPU
time of the process, the system's share with it. Answers that share their pages (``parcels``) and
answers that are copied take turns in one run; the least of all rounds counts, since whatever else
the machine does can only add to it.

    python -m benchmarks.edge_turn [-n 2000] [--rounds 10] [--json]

Takes about 20 seconds. There is no target: it tells what a change is worth.
"""

import asyncio
import os
import socket
import time
from dataclasses import dataclass, field

import uvloop

from benchmarks.support.arguments import arguments
from benchmarks.support.results import Result, emit
from benchmarks.support.servers import LOAD_CORE, SERVER_CORE
from cdn.clock import LoopClock
from cdn.front.parcels import Shelf
from tests.cdn.front.houses import House
from tests.support.caches import Answer

SCRIPT = "benchmarks/edge_turn.py"
PLAYLIST_BYTES, PART_BYTES = 1300, 31 * 1024
FOR_AN_HOUR = ((b"cache-control", b"max-age=3600"),)
HEAD = b"GET %b HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"


@dataclass
class Costs:
    """CPU microseconds for each viewer, of every round."""

    waiting: list[float] = field(default_factory=list[float])
    playlist: list[float] = field(default_factory=list[float])
    part: list[float] = field(default_factory=list[float])

    def least(self) -> tuple[float, float, float]:
        """The least of each; the first two rounds are for settling in."""
        return min(self.waiting[2:]), min(self.playlist[2:]), min(self.part[2:])


def main() -> None:
    """Measure with shared pages and without, and print both."""
    parser = arguments(__doc__, has_results=True)
    parser.add_argument("-n", "--number", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    shared, copied = Costs(), Costs()
    for _ in range(2):
        for costs, shelf in ((shared, Shelf()), (copied, Shelf(most_files=0))):
            measure(given.number, given.rounds + 2, shelf, costs)
    ours, other = shared.least(), copied.least()
    result = Result(
        "one part, from waiting to having it: CPU of the edge for each viewer",
        f"{sum(ours):.1f} µs (waiting {ours[0]:.1f}, playlist {ours[1]:.1f}, part {ours[2]:.1f})",
        f"copied {sum(other):.1f} µs (part {other[2]:.1f}), {sum(ours) / sum(other):.2f} x",
        "",
        None,
        SCRIPT,
    )
    emit([result], as_json=given.json)


def measure(number: int, rounds: int, shelf: Shelf, costs: Costs) -> None:
    """Have so many viewers wait for so many parts."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    near, far = socket.socketpair()
    child = os.fork()
    if child == 0:
        os.sched_setaffinity(0, {int(LOAD_CORE)})
        view(listener.getsockname()[1], number, rounds, far)
        os._exit(0)
    os.sched_setaffinity(0, {int(SERVER_CORE)})
    near.setblocking(False)
    try:
        uvloop.run(serve(listener, near, (number, rounds), shelf, costs))
    finally:
        os.waitpid(child, 0)
        near.close()
        far.close()


def view(port: int, number: int, rounds: int, turns: socket.socket) -> None:
    """All viewers, in a process of their own: each asks for the playlist, then for the part."""
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(number)]
    for each in range(rounds):
        for path in (b"/main/v0/index.m3u8?_HLS_msn=%d" % each, b"/main/v0/%d.m4s" % each):
            turns.recv(1)
            for line in lines:
                line.sendall(HEAD % path)
            turns.send(b".")
            for line in lines:
                read_answer(line)
            turns.send(b".")


def read_answer(line: socket.socket) -> None:
    head, _, body = line.recv(65536).partition(b"\r\n\r\n")
    left = int(head.partition(b"content-length: ")[2].partition(b"\r")[0]) - len(body)
    while left > 0:
        left -= len(line.recv(left))


async def serve(
    listener: socket.socket,
    turns: socket.socket,
    size: tuple[int, int],
    shelf: Shelf,
    costs: Costs,
) -> None:
    """The edge: release everybody when all of them wait, then let them have the part."""
    house, loop, (number, rounds) = House(is_fast=True), asyncio.get_running_loop(), size
    house.clock.monotonic = LoopClock.monotonic  # type: ignore[method-assign]  # time passes here
    house.hall.renderings.shelf = shelf
    await loop.create_server(house.protocol, sock=listener)
    for _ in range(rounds):
        house.origin.answer = Answer(os.urandom(PLAYLIST_BYTES), headers=FOR_AN_HOUR)
        house.origin.may_answer.clear()
        began = time.process_time()
        await loop.sock_sendall(turns, b".")
        await loop.sock_recv(turns, 1)
        await all_wait(house, number)
        waiting = time.process_time()
        house.origin.may_answer.set()
        await loop.sock_recv(turns, 1)
        playlist = time.process_time()
        house.origin.answer = Answer(os.urandom(PART_BYTES), headers=FOR_AN_HOUR)
        await loop.sock_sendall(turns, b".")
        await loop.sock_recv(turns, 1)
        await loop.sock_recv(turns, 1)
        part = time.process_time()
        for each, took_s in zip(
            (costs.waiting, costs.playlist, costs.part),
            (waiting - began, playlist - waiting, part - playlist),
            strict=True,
        ):
            each.append(took_s / number * 1e6)
        house.hall.renderings.forget()


async def all_wait(house: House, number: int) -> None:
    """What has been sent is read, a turn of the loop after another."""
    for _ in range(60_000):
        if house.cache.waiting == number:
            return
        await asyncio.sleep(0.001)
    raise SystemExit("not all viewers have come to wait")


if __name__ == "__main__":
    main()
