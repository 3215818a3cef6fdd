"""Anything at all may come to the RTMP port: one running process, and a healthy publisher beside.

The limits are the operator's settings, made short here. What is promised of the healthy publisher
is looked up in the server's own metrics at the end, less what this machine held up the test and the
server.
"""

import asyncio
import contextlib
import os
import re
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import aiohttp
import pytest
import pytest_asyncio

from origin.rtmp.amf0 import encode
from tests.fuzz.tcp import attack
from tests.support.encoders import ECHO, HELLO, KEYFRAME, Encoder
from tests.support.rtmp_client import RtmpClient, rtmp_client
from tests.support.scarcity import Scarcity, watched_for_scarcity
from tests.support.servers import NO_EDGE, TidecastProcess, running
from tests.support.steady import STARTED, SteadyPublisher, steady_publisher

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.lasts(30),
    pytest.mark.timeout(300),
]

LIMITS = """
[limits]
connect_s = 5.5
publish_s = 6
silence_s = 6
unfinished_message_s = 3
"""
PER_ADDRESS = 50
CONNECTIONS = 2000
LONGEST_GAP_S = 0.5
"""What a healthy publisher may go unread, whoever else is there."""

PATIENCE_S = 60.0


@dataclass
class Town:
    """The server, and who is publishing there all the time."""

    server: TidecastProcess
    steady: SteadyPublisher
    scarcity: Scarcity

    @property
    def port(self) -> int:
        return self.server.ports.rtmp

    @property
    def origin_pid(self) -> int:
        (pid,) = self.server.children()
        return pid

    @property
    def held_up_s(self) -> float:
        """How long the machine left the server, or who publishes, without a processor."""
        return max(self.steady.own_lag_s, self.scarcity.longest_wait_s())

    async def metric(self, name: str) -> float:
        url = f"{self.server.control}/metrics"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            text = await answer.text()
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        assert found is not None, name
        return float(found[1])

    async def until_metric(self, name: str, value: float) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.metric(name) != value:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # another process gives no event

    async def ready(self) -> tuple[int, object]:
        url = f"{self.server.control}/readyz"
        async with aiohttp.ClientSession() as client, client.get(url) as answer:
            return answer.status, await answer.json()

    async def until_ready_says(self, status: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (await self.ready())[1].get("status") != status:  # type: ignore[attr-defined]  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """One process for all; at the end nothing has been harmed."""
    directory = tmp_path_factory.mktemp("strangers")
    (directory / "tidecast.toml").write_text(LIMITS)
    flags = ("--open", "--config", str(directory / "tidecast.toml"), *NO_EDGE)
    server = TidecastProcess(directory, *flags)
    async with (
        running(server),
        steady_publisher(server.ports.rtmp) as steady,
        watched_for_scarcity(server.pid) as scarcity,
    ):
        town = Town(server, steady, scarcity)
        pid = town.origin_pid
        yield town
        await _nothing_was_harmed(town, pid)


async def _nothing_was_harmed(town: Town, pid: int) -> None:
    assert town.origin_pid == pid, "the origin died meanwhile"
    assert town.steady.is_connected()
    await town.until_metric("tidecast_rtmp_connections_open", 1)
    gap = await town.metric("tidecast_rtmp_read_gap_max_seconds")
    lag = await town.metric("tidecast_event_loop_lag_max_seconds")
    allowed = LONGEST_GAP_S + 3 * town.held_up_s
    assert gap < allowed, f"unread for {gap} s; the machine held somebody up for {town.held_up_s}"
    assert lag < allowed
    errors = [line for line in _lines(town) if "[error" in line]
    assert [line for line in errors if "file descriptors have run out" not in line] == []
    assert "Traceback" not in town.server.output()


@pytest.fixture(autouse=True)
def healthy(town: Town) -> None:
    assert town.steady.is_connected()


async def closed_with(town: Town, client: RtmpClient, reason: str) -> None:
    """Wait until the server hangs up, and for its reason in the log."""
    host, port = client.writer.get_extra_info("sockname")
    async with asyncio.timeout(PATIENCE_S):
        await client.closed()
    await told(town, f"{host}:{port}", reason)


async def told(town: Town, peer: str, reason: str) -> None:
    """Wait until the log tells why a peer was hung up on; another reason fails at once."""
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        while not any("closed" in line or "refused" in line for line in lines):
            await asyncio.sleep(0.02)
            lines = [line for line in _lines(town) if f"{peer} " in line + " "]
    assert any(reason in line for line in lines), "\n".join(lines)


def _lines(town: Town) -> list[str]:
    return town.server.output().splitlines()


async def trickle(town: Town, client: RtmpClient) -> None:
    """Publish, and then send a frame byte by byte."""
    await client.begin("trickle")
    await client.hear(STARTED)
    frame = client.encoder.video(0, KEYFRAME + bytes(5000))
    with contextlib.suppress(ConnectionError):
        for at in range(len(frame)):
            client.writer.write(frame[at : at + 1])
            await client.writer.drain()
            await asyncio.sleep(0.05)  # its slowness is what is tested
    await closed_with(town, client, "a message unfinished for")


async def test_every_phase_has_its_deadline(town: Town) -> None:
    async with AsyncExitStack() as stack:
        silent, greeting, connecting, idle, mute, slow = [
            await stack.enter_async_context(rtmp_client(town.port)) for _ in range(6)
        ]
        greeting.writer.write(HELLO[:1000])
        await connecting.shake_hands()
        await idle.shake_hands()
        idle.writer.write(idle.encoder.connect())
        await mute.begin("mute")
        await mute.hear(STARTED)
        await asyncio.gather(
            closed_with(town, silent, "too long in state HANDSHAKING"),
            closed_with(town, greeting, "too long in state HANDSHAKING"),
            closed_with(town, connecting, "too long in state CONNECTING"),
            closed_with(town, idle, "too long in state IDLE"),
            closed_with(town, mute, "too long in state LIVE"),
            trickle(town, slow),
        )


@pytest.mark.parametrize(
    ("greeting", "reason"),
    [
        (bytes.fromhex("1603010200010001fc0303"), "this looks like TLS: rtmps://"),
        (b"GET /main/index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n", "this looks like HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not RTMP: the first byte is 0x53"),
    ],
    ids=["TLS", "HTTP", "SSH"],
)
async def test_another_protocol_is_hung_up_on_with_a_line_that_names_it(
    town: Town, greeting: bytes, reason: str
) -> None:
    async with rtmp_client(town.port) as client:
        client.writer.write(greeting)
        await closed_with(town, client, reason)


def _chunk(stream: int, length: int, type_id: int, payload: bytes) -> bytes:
    """A chunk with a full header on a chunk stream of two bytes."""
    basic = bytes((1,)) + (stream - 64).to_bytes(2, "little")
    return basic + bytes(3) + length.to_bytes(3) + bytes((type_id,)) + bytes(4) + payload


BEFORE_PUBLISH = {
    "partial messages on thousands of chunk streams": (
        b"".join(_chunk(320 + number, 1000, 20, bytes(128)) for number in range(5000)),
        "more than 64 chunk streams",
    ),
    "a message longer than allowed": (_chunk(320, 70_000, 20, b""), "a message of 70000 bytes"),
    "deep AMF": (Encoder().message(20, b"\x0a\0\0\0\1" * 100), "nested too deeply"),
    "many values": (
        Encoder().message(20, encode("publish") + b"\x05" * 16_370),
        "too many AMF0 values in one command",
    ),
    "many keys": (
        Encoder().command("releaseStream", {f"{number:04x}": None for number in range(300)}),
        "too many AMF0 values in one command: at most 256 (limits.command_values)",
    ),
    "a length past the end": (Encoder().message(20, b"\x0c\xff\xff\xff\xff"), "too early"),
    "a chunk size of nothing": (Encoder().message(1, bytes(4)), "a chunk size of 0"),
    "media before publish": (Encoder().video(0), "Media in state IDLE"),
    "connect twice": (Encoder().connect(), "Connect in state IDLE"),
}


@pytest.mark.parametrize("name", BEFORE_PUBLISH)
async def test_what_breaks_the_rules_closes_the_connection(town: Town, name: str) -> None:
    data, reason = BEFORE_PUBLISH[name]
    async with rtmp_client(town.port) as client:
        await client.shake_hands()
        client.writer.write(Encoder().connect() + data)
        await closed_with(town, client, reason)


async def test_unfinished_bytes_are_bounded(town: Town) -> None:
    async with rtmp_client(town.port) as client:
        await client.begin("hoarder")
        await client.hear(STARTED)
        client.writer.write(Encoder().message(1, (4 * 1024 * 1024).to_bytes(4), stream=0))
        for number in range(5):
            client.writer.write(_chunk(320 + number, 8_000_000, 9, bytes(4 * 1024 * 1024)))
        await closed_with(town, client, "bytes in unfinished messages")


async def test_floods_leave_everybody_else_alone(town: Town) -> None:
    encoder = Encoder()
    floods = (
        encoder.ping(1) * 20_000,
        encoder.message(99, b"") + b"\xc3" * 100_000,
        encoder.create_stream() * 5_000,
        encoder.message(20, encode("_checkbw", "y" * 15_000)) * 80,
        encoder.command("releaseStream", {f"{number:02x}": None for number in range(250)}) * 500,
    )
    async with AsyncExitStack() as stack:
        for flood in floods:
            client = await stack.enter_async_context(rtmp_client(town.port))
            client.writer.write(HELLO + ECHO + Encoder().connect() + flood)
            client.writer.write_eof()
            stack.push_async_callback(client.closed)  # it reads what it is told
        talker = await stack.enter_async_context(rtmp_client(town.port))
        await talker.begin("talker")
        await talker.hear(STARTED)
        values = encode("onMetaData") + b"\x0a" + (900).to_bytes(4) + b"\x05" * 900
        talker.writer.write(talker.encoder.message(18, values) * 500)
        talker.writer.write_eof()
        await talker.closed()


async def test_who_never_reads_is_cut_off(town: Town) -> None:
    """A publisher, so that no deadline is quicker; it asks much, and the kernels hold little."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    loop, encoder = asyncio.get_running_loop(), Encoder()
    # Often a picture: who is told to wait for his turn is not silent meanwhile.
    question = encoder.video(0) + encoder.command("FCPublish", 1.0, None, "x") * 5
    questions = question * 40
    with contextlib.closing(deaf):
        await loop.sock_connect(deaf, ("127.0.0.1", town.port))
        address, port = deaf.getsockname()
        await loop.sock_sendall(deaf, HELLO + ECHO + encoder.connect() + encoder.publish("deaf"))
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while True:
                    await loop.sock_sendall(deaf, questions)
        await told(town, f"{address}:{port}", "it does not read")


@pytest.mark.parametrize(
    "body",
    [b"", b"\x17", b"\x17\x01\x00\x00\x00", b"\xff" * 100, b"\x17\x00\x00\x00\x00\x01\xff\xff"],
    ids=["empty", "one byte", "no payload", "garbage", "broken record"],
)
async def test_media_that_is_none_harms_nobody_else(town: Town, body: bytes) -> None:
    async with rtmp_client(town.port) as client:
        await client.begin("garbage")
        await client.hear(STARTED)
        encoder = client.encoder
        client.writer.write((encoder.video(0, body) + encoder.audio(0, body)) * 100)
        client.writer.write(encoder.goodbye())
        client.writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            await client.closed()


async def test_mutated_sessions_harm_nobody_else(town: Town) -> None:
    harm = await attack(town.server, town.steady, 1, range(200))
    harm = replace(harm, own_lag_s=town.held_up_s)
    assert harm.complaints() == []


async def test_an_address_has_only_so_many_strangers(town: Town) -> None:
    async with AsyncExitStack() as stack:
        strangers = crowd(town.port, "127.0.0.9", PER_ADDRESS)
        stack.callback(leave, strangers)
        await town.until_metric("tidecast_rtmp_connections_open", 1 + PER_ADDRESS)
        one_more, neighbour = [
            await stack.enter_async_context(rtmp_client(town.port, local=address))
            for address in ("127.0.0.9", "127.0.0.10")
        ]
        await closed_with(town, one_more, "too many from one address")
        await neighbour.shake_hands()
    await town.until_metric("tidecast_rtmp_connections_open", 1)


async def test_connections_are_bounded_and_come_back(town: Town) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    everybody: list[socket.socket] = []
    try:
        for number in range(CONNECTIONS // PER_ADDRESS):
            first = number == 0  # where the healthy one is counted already
            everybody += crowd(town.port, f"127.0.1.{number + 1}", PER_ADDRESS - first)
        await town.until_metric("tidecast_rtmp_connections_open", CONNECTIONS)
        async with rtmp_client(town.port, local="127.0.2.1") as one_more:
            await closed_with(town, one_more, "too many at once")
    finally:
        leave(everybody)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await town.until_metric("tidecast_rtmp_connections_open", 1)


def crowd(port: int, address: str, count: int) -> list[socket.socket]:
    """Connections that say nothing."""
    return [
        socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
        for _ in range(count)
    ]


def leave(crowd: list[socket.socket]) -> None:
    for each in crowd:
        each.close()


async def test_without_descriptors_newcomers_wait_and_everything_else_goes_on(town: Town) -> None:
    pid = town.origin_pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    in_use = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use + 40, before[1]))
    strangers = crowd(town.port, "127.0.0.12", 20)
    try:
        await town.until_ready_says("degraded")
        assert (await town.ready())[0] == 503
        assert await town.metric("tidecast_rtmp_accepting") == 0
        async with rtmp_client(town.port, local="127.0.0.11") as newcomer:
            newcomer.writer.write(HELLO)
            frames = town.steady.frames
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            async with asyncio.timeout(PATIENCE_S):
                await newcomer.reader.readexactly(1)
        await town.until_ready_says("ready")
        assert town.steady.frames >= frames
    finally:
        leave(strangers)
