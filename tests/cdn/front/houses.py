"""A front without sockets: a transport that the test holds, both paths, and a scripted origin."""

import asyncio
from dataclasses import dataclass, field

import uvicorn
from uvicorn.server import ServerState

from cdn.cache.cache import Cache
from cdn.front.app import App
from cdn.front.door import Door
from cdn.front.hall import Deadlines, Hall
from cdn.front.handover import Entrance
from cdn.health import Health
from cdn.observe import Metrics
from cdn.observe.access_log import AccessLog
from tests.cdn.front.heads import BARE
from tests.support.caches import LIMITS, SlowOrigin, judge
from tests.support.clocks import FakeClock
from tests.support.turns import settle

DEADLINES = Deadlines(head_s=10, keep_alive_s=30, slow_reader_s=30)


class Line(asyncio.Transport):
    """One viewer's end of a connection. It takes what is written, unless it is told not to."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        super().__init__({"peername": (address, 5000), "sockname": ("127.0.0.1", 80)})
        self.written = b""
        self.writes = 0
        self.is_closed = False
        self.is_lost = False
        self.is_aborted = False
        self.reads = True
        self.takes = True
        """Whether the viewer reads; what it does not take stays in the buffer."""
        self.high_water = 64 * 1024
        self._kept = 0
        self._is_paused = False
        self._pending: list[bytes] = []
        self.protocol: asyncio.BaseProtocol | None = None

    def deliver(self, data: bytes) -> None:
        """Let bytes arrive, as one read."""
        if self.is_closed:
            return
        if not self.reads:
            self._pending.append(data)
            return
        assert isinstance(self.protocol, asyncio.Protocol)
        self.protocol.data_received(data)

    def take(self, size: int | None = None) -> None:
        """Read what is kept: all of it, or so much."""
        self._kept -= self._kept if size is None else size
        if self._is_paused and self._kept <= self.high_water // 4:
            self._is_paused = False
            assert self.protocol is not None
            self.protocol.resume_writing()

    def hang_up(self) -> None:
        """The viewer goes."""
        if not self.is_closed:
            self.is_closed = True
            self._lose()

    # ---- what protocols call

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_lost:
            raise RuntimeError("the handler is closed")  # as uvloop does
        if self.is_closed:
            return
        self.written += bytes(data)
        self.writes += 1
        if not self.takes:
            self._kept += len(data)
        if self._kept > self.high_water and not self._is_paused:
            self._is_paused = True
            assert self.protocol is not None
            self.protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == self.high_water, "what a viewer may leave unread is one piece"

    def get_write_buffer_size(self) -> int:
        return self._kept

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True
        asyncio.get_running_loop().call_soon(self._deliver_pending)

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            asyncio.get_running_loop().call_soon(self._lose)

    def abort(self) -> None:
        self.is_aborted = True
        self.close()

    def is_closing(self) -> bool:
        return self.is_closed

    def _lose(self) -> None:
        assert self.protocol is not None
        self.is_lost = True
        self.protocol.connection_lost(None)

    def _deliver_pending(self) -> None:
        while self._pending and self.reads and not self.is_closed:
            self.deliver(self._pending.pop(0))


@dataclass
class House:
    """One edge's front, with its cache and its origin."""

    is_fast: bool
    door: Door = field(default_factory=lambda: Door(0, 0))
    is_tls: bool = False
    access_log: AccessLog | None = None

    def __post_init__(self) -> None:
        self.origin, self.clock = SlowOrigin(), FakeClock()
        self.cache = Cache(fetch=self.origin.fetch, judge=judge, clock=self.clock, limits=LIMITS)
        self.health, self.metrics = Health(self.clock), Metrics()
        self.hall = Hall(
            cache=self.cache,
            clock=self.clock,
            health=self.health,
            metrics=self.metrics,
            deadlines=DEADLINES,
            door=self.door,
            access_log=self.access_log,
            is_tls=self.is_tls,
        )
        app = App(
            cache=self.cache,
            clock=self.clock,
            health=self.health,
            probe=_well,
            metrics=self.metrics,
            access_log=self.access_log,
        )
        self._entrance = Entrance(self.hall, is_fast=self.is_fast)
        self._config = uvicorn.Config(
            app,
            http=self._entrance.as_protocol_class,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        self._config.load()
        self.state = ServerState()

    def connect(self, address: str = "192.0.2.1", line: Line | None = None) -> Line:
        """A viewer comes."""
        line = line or Line(address)
        line.protocol = self.protocol()
        line.protocol.connection_made(line)
        return line

    def protocol(self) -> asyncio.Protocol:
        """What a connection is made with, for those that are real."""
        made = self._entrance(
            config=self._config, server_state=self.state, app_state={}, _loop=None
        )
        assert isinstance(made, asyncio.Protocol)
        return made

    async def close(self) -> None:
        for connection in list(self.state.connections):
            connection.shutdown()
        await settle()
        await self.cache.close()


async def _well() -> None:
    return


async def ask(house: House, head: bytes = BARE) -> Line:
    line = house.connect()
    line.deliver(head)
    await settle()
    return line


def seconds(house: House, count: int) -> None:
    for _ in range(count):
        house.clock.advance(1.0)
