"""No key is written anywhere: not a right one, not a wrong one, in whatever field it came.

Everything that the origin puts together in its process is here: listener, reception, gate,
registry, HTTP, metrics, logs. Keys that can be recognised go in through every field that an
encoder has, and through a stream that breaks; then all that comes out is searched for them.
"""

import asyncio
import io
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
import structlog

from origin.auth.adobe import AdobeLogin
from origin.auth.control_token import ControlToken
from origin.auth.hashing import fast_hash
from origin.auth.keys import StreamKey
from origin.hls.rules import Rules
from origin.http.app import create_app
from origin.http.state import OriginState
from origin.ingest.listener import RtmpListener
from origin.observe.log import configure_log
from origin.observe.metrics import MetricsPage
from origin.rtmp.amf0 import AmfValue
from origin.service.attempt_figures import attempt_families
from origin.service.figures import read_figures
from origin.streams.reception import Reception
from origin.streams.registry import Registry
from origin.streams.stream import Patience
from tests.support.clocks import EPOCH, FakeClock
from tests.support.gates import GateKeeper
from tests.support.listeners import Listening, listening
from tests.support.rtmp_client import RtmpClient, rtmp_client

in_a_loop = pytest.mark.asyncio(loop_factories=["asyncio"])
TOKEN = "3f7c9a1e5b2d4c6f8a0b1c2d3e4f5061"
RIGHT, HASHED, EXPIRED = "main-R1GHT-aaaa-bbbb", "main-H4SHED-aaaa-bbbb", "main-EXP1RED-aa-bb"
DISABLED, WRONG = "main-D1SABLED-aa-bb", "mian-WR0NG-aaaa-bbbb"
MARKS = ("R1GHT", "H4SHED", "EXP1RED", "D1SABLED", "WR0NG", fast_hash(HASHED).text[7:], TOKEN)
KEYS = (
    StreamKey("main", RIGHT),
    StreamKey("main", hashed=fast_hash(HASHED)),
    StreamKey("main", EXPIRED, expires=EPOCH - timedelta(days=1)),
    StreamKey("main", DISABLED, disabled=True),
)


@dataclass
class Origin:
    """All of it in one process, and where it writes."""

    listener: Listening
    http: httpx.AsyncClient
    registry: Registry
    written: io.StringIO


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the process writes while the test lasts, from the least important line on."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    before = structlog.get_config()
    configure_log(as_json=False)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    yield stream
    structlog.configure(**before)
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture
async def origin(written: io.StringIO) -> AsyncIterator[Origin]:
    clock = FakeClock()
    gate = GateKeeper(KEYS, clock, login=AdobeLogin("login", bytes(32))).gate
    registry = Registry(
        gate, rules=Rules(), patience=Patience(), clock=clock, new_epoch=lambda: "e"
    )
    reception = Reception(registry, gate, clock)
    async with listening(reception, objection=gate.objection) as listener:
        state = OriginState(
            registry,
            MetricsPage(
                lambda: [
                    *read_figures(registry, listener.counters),
                    *attempt_families(reception.attempts, gate),
                ]
            ),
            lambda: False,
            attempts=reception.attempts,
            token=ControlToken(TOKEN),
        )
        transport = httpx.ASGITransport(create_app(state))
        async with httpx.AsyncClient(transport=transport, base_url="http://origin") as http:
            yield Origin(listener, http, registry, written)


async def push(
    origin: Origin, app: str, name: str, *, tc_url: str = "rtmp://h/live", encoder: str = "OBS"
) -> str:
    """One publish with everything that comes before and after; what the encoder was told."""
    async with rtmp_client(origin.listener.port) as client:
        values: dict[str, AmfValue] = {
            "app": app,
            "tcUrl": tc_url,
            "swfUrl": tc_url,
            "flashVer": encoder,
        }
        await client.shake_hands()
        encoded = client.encoder
        client.writer.write(encoded.command("connect", 1.0, values) + encoded.create_stream())
        for call in ("releaseStream", "FCPublish"):
            client.writer.write(encoded.command(call, 2.0, None, name))
        client.writer.write(encoded.publish(name))
        await answered(client)
        client.writer.write(encoded.metadata({"title": name, "encoder": name}))
        client.writer.write(encoded.command("FCUnpublish", 6.0, None, name) + encoded.goodbye())
        client.writer.write_eof()
        await client.closed()
        return repr(client.statuses())


async def answered(client: RtmpClient) -> None:
    """Wait for whatever is answered to the publish."""
    while not client.statuses():
        data = await client.reader.read(65536)
        if not data:
            return
        client.heard += data


async def everything(origin: Origin) -> str:
    """All that can be got out of the process."""
    shown = {"Authorization": f"Bearer {TOKEN}"}
    paths = ["/api/v1/streams", "/api/v1/streams/main", "/api/v1/ingest/attempts", "/metrics"]
    paths += ["/", "/main", "/main/embed", "/main/status.json", "/main/index.m3u8", "/docs"]
    paths += ["/openapi.json", "/nobody", "/nobody/status.json"]
    answers = [await origin.http.get(path, headers=shown) for path in paths]
    bodies = "".join(f"{answer.headers}{answer.text}" for answer in answers)
    return bodies + origin.written.getvalue() + repr(list(origin.registry))


def leaked(text: str) -> list[str]:
    """What stands around each mark that is in ``text``."""
    found = [text.lower().find(mark.lower()) for mark in MARKS]
    return [text[max(at - 60, 0) : at + 30] for at in found if at >= 0]


@in_a_loop
@pytest.mark.parametrize("key", [RIGHT, HASHED, EXPIRED, DISABLED, WRONG])
async def test_no_key_comes_out_of_the_process_in_whatever_field_it_came(
    origin: Origin, key: str
) -> None:
    told = [
        await push(origin, "live", key),
        await push(origin, f"live/{key}", ""),
        await push(origin, "live", f"main?key={key}"),
        await push(origin, f"live?key={key}", "main", tc_url=f"rtmp://h/live?key={key}"),
        await push(origin, "live", "main", tc_url=f"rtmp://h/live/{key}"),
        await push(origin, "live", key, encoder=f"OBS {key}"),
        await push(origin, "live", f"live/{key}?{key}={key}#{key}"),
        await push(origin, f"login?authmod=adobe&user={key}&response={key}&opaque={key}", key),
        await push(origin, "live", key.upper()),
        await push(origin, key, "x" * 2000 + key),
    ]
    assert any("Publish.Start" in each for each in told) is (key in (RIGHT, HASHED))
    assert leaked("".join(told)) == []
    seen = await everything(origin)
    assert "publish refused" in seen
    assert leaked(seen) == []


@in_a_loop
async def test_a_stream_that_breaks_tells_no_key_in_its_traceback(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("origin.streams.stream.Stream.attach", stumble)
    assert "The server failed" in await push(origin, "live", RIGHT)
    seen = await everything(origin)
    assert "ZeroDivisionError" in seen
    assert leaked(seen) == []


@in_a_loop
async def test_no_key_is_in_the_text_of_what_is_passed_around(origin: Origin) -> None:
    tasks: list[str] = []

    async def look(*_: object) -> None:
        for task in asyncio.all_tasks():
            text = io.StringIO()
            task.print_stack(file=text)
            tasks.append(repr(task) + text.getvalue())
        try:
            raise ZeroDivisionError("a bug")
        except ZeroDivisionError:
            tasks.append(traceback.format_exc())
            raise

    registry: object = origin.registry
    object.__setattr__(registry, "enter", look)
    await push(origin, "live", RIGHT)
    assert tasks
    assert leaked("".join(tasks)) == []


def test_the_keys_in_use_do_not_show_themselves() -> None:
    keeper = GateKeeper(KEYS)
    listener: object = RtmpListener
    shown = repr((keeper.ring, keeper.gate, KEYS, replace(KEYS[0], note="x"), listener))
    assert leaked(shown) == []
