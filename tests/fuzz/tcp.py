"""Mutated sessions over TCP, against a server of one's own, beside a healthy publisher.

What the sessions are is told by seed and number, as in process; how they come over the line (in
pieces, with a reset, half closed, or held open for a while) is, too. At the end the process must be
the one that it was, the publisher must still be connected, and nobody else.
"""

import asyncio
import contextlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiohttp import ClientSession

from tests.fuzz.script import mutated_session
from tests.support.servers import NO_EDGE, TidecastProcess, running
from tests.support.steady import SteadyPublisher, steady_publisher

AT_ONCE = 16
LONGEST_GAP_S = 0.5
HELD_OPEN_S = 0.3
SETTLED_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Harm:
    """What the sessions did to the server and to whoever else was there."""

    sessions: int
    has_died: bool
    publisher_was_cut: bool
    left_open: float
    """Connections that are still there when everybody has left."""
    read_gap_s: float
    """The longest that the publisher went unread, in the last minute."""
    long_gaps: int
    """How often it was longer than it may be, in all the time that the server has run."""
    loop_lag_s: float
    own_lag_s: float
    """By how much this program was late itself: the machine is shared."""
    errors: tuple[str, ...]
    """Lines of the server's log."""

    def complaints(self) -> list[str]:
        """What must not be; empty if nothing is."""
        allowed_s = LONGEST_GAP_S + 3 * self.own_lag_s
        found = {
            "the server died": self.has_died,
            "the healthy publisher was cut off": self.publisher_was_cut,
            f"{self.left_open:g} connections are left": self.left_open > 0,
            f"the publisher went unread for {self.read_gap_s:.3f} s": self.read_gap_s > allowed_s,
            "errors in the log: " + " | ".join(self.errors[:3]): bool(self.errors),
        }
        return [text for text, is_so in found.items() if is_so]


async def attack_own_server(seed: int, first: int, sessions: int) -> Harm:
    """Start a server, send it all that, and see what it did."""
    with tempfile.TemporaryDirectory() as directory:
        server = TidecastProcess(Path(directory), "--open", *NO_EDGE)
        async with running(server), steady_publisher(server.ports.rtmp) as steady:
            return await attack(server, steady, seed, range(first, first + sessions))


async def attack(
    server: TidecastProcess, steady: SteadyPublisher, seed: int, numbers: range
) -> Harm:
    """Send the sessions with these numbers, ``AT_ONCE`` at a time."""
    before, open_before = set(server.children()), await _metric(server, "connections_open")
    waiting = iter(numbers)

    async def send_some() -> None:
        for number in waiting:
            await _send(server.ports.rtmp, Random(f"{seed}/tcp/{number}"))

    await asyncio.gather(*[send_some() for _ in range(AT_ONCE)])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while await _metric(server, "connections_open") > open_before:  # noqa: ASYNC110
                await asyncio.sleep(0.1)  # another process gives no event
    return Harm(
        sessions=len(numbers),
        has_died=set(server.children()) != before,
        publisher_was_cut=not steady.is_connected(),
        left_open=await _metric(server, "connections_open") - open_before,
        read_gap_s=await _metric(server, "read_gap_max_seconds"),
        long_gaps=await _long_gaps(server),
        loop_lag_s=await _metric(server, "event_loop_lag_max_seconds", prefix="tidecast_"),
        own_lag_s=steady.own_lag_s,
        errors=tuple(
            line
            for line in server.output().splitlines()
            if "[error" in line or "Traceback" in line or "never retrieved" in line
        ),
    )


async def _send(port: int, chance: Random) -> None:
    """One session, however it goes."""
    data = mutated_session(chance)
    pieces = chance.choice((1, 1, 3, 20))
    size = max(1, -(-len(data) // pieces))
    with contextlib.suppress(OSError):  # reset, or reset while we say goodbye
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for at in range(0, len(data), size):
                writer.write(data[at : at + size])
                await writer.drain()
                await asyncio.sleep(0)
            await _leave(chance, reader, writer)
        finally:
            writer.transport.abort()


async def _leave(
    chance: Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Break off at once, or close our half and hear the rest, or stay for a moment."""
    pick = chance.random()
    if pick < 0.3:
        return
    if pick < 0.7:
        writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HELD_OPEN_S):
            while await reader.read(65536):
                pass


async def _long_gaps(server: TidecastProcess) -> int:
    short = await _metric(server, f'read_gap_seconds_bucket{{le="{LONGEST_GAP_S}"}}')
    return round(await _metric(server, "read_gap_seconds_count") - short)


async def _metric(server: TidecastProcess, name: str, prefix: str = "tidecast_rtmp_") -> float:
    url = f"{server.control}/metrics"
    async with ClientSession() as client, client.get(url) as answer:
        text = await answer.text()
    found = re.search(rf"^{re.escape(prefix + name)} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])
