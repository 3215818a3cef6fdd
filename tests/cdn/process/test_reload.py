"""Settings that change while viewers watch: what takes effect, what is refused, what goes on."""

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cdn.layers import load
from cdn.process.reload import FIXED, merged
from cdn.settings import EdgeSettings
from tests.support.certificates import self_signed
from tests.support.edge_processes import edge_process
from tests.support.origins import FakeOrigin, Resource
from tests.support.viewers import read_answer

PLAYLIST = "/main/v0/index.m3u8"
HELD = f"{PLAYLIST}?_HLS_msn=7"
LONG = {"Cache-Control": "max-age=600"}


def settings(**sections: dict[str, object]) -> EdgeSettings:
    return load(None, {"origin": {"url": "http://a"}, **sections})


def test_what_can_change_does_and_what_cannot_is_named() -> None:
    running = settings(listen={"http_port": 1, "keep_alive_s": 10})
    wanted = settings(
        listen={"http_port": 2, "keep_alive_s": 20},
        origin={"url": "http://b"},
        metrics={"port": 3},
        log={"level": "debug"},
    )
    now, left = merged(running, wanted)
    assert left == ["listen.http_port", "metrics.port"]
    assert (now.listen.http_port, now.listen.keep_alive_s) == (1, 20)
    assert now.metrics == running.metrics
    assert (now.origin, now.log) == (wanted.origin, wanted.log)


@pytest.mark.parametrize(("before", "after", "left"), [(0, 0.1, True), (0.1, 0.2, False)])
def test_the_access_log_may_be_made_longer_but_not_begin(
    before: float, after: float, left: bool
) -> None:
    running, wanted = (settings(log={"access_sample": each}) for each in (before, after))
    now, names = merged(running, wanted)
    assert names == (["log.access_sample"] if left else [])
    assert now.log.access_sample == (before if left else after)


@pytest.mark.parametrize("section", FIXED)
def test_every_setting_that_is_fixed_exists(section: str) -> None:
    model = type(getattr(settings(), section))
    assert set(FIXED[section]) <= set(model.model_fields)


@pytest.fixture
async def origins() -> AsyncIterator[tuple[FakeOrigin, FakeOrigin]]:
    pair = FakeOrigin(), FakeOrigin()
    for origin in pair:
        origin.serve("/healthz", Resource(b"ok"))
        await origin.start()
    yield pair
    for origin in pair:
        await origin.die()


def write(file: Path, origin: FakeOrigin, rest: str = "") -> None:
    file.write_text(f'[origin]\nurl = "{origin.url}"\n{rest}')


@pytest.mark.usefixtures("either_path")
@pytest.mark.parametrize("workers", [1, 2])
async def test_a_reload_drops_nobody_and_its_rules_are_in_force(
    origins: tuple[FakeOrigin, FakeOrigin], tmp_path: Path, workers: int
) -> None:
    old, new = origins
    gate = asyncio.Event()
    old.serve(HELD, Resource(b"held", headers=LONG, gate=gate))
    old.serve(PLAYLIST, Resource(b"kept", headers=LONG))
    new.serve("/other/v0/index.m3u8", Resource(b"new", headers=LONG))
    file = tmp_path / "edge.toml"
    write(file, old)
    async with edge_process("", "--config", str(file), workers=workers) as (child, viewers):
        reader, writer = await viewers.ask(PLAYLIST)
        assert (await read_answer(reader)).body == b"kept"
        held_reader, held_writer = await viewers.ask(HELD)
        while HELD not in old.requests:
            old.asked.clear()
            await old.asked.wait()
        write(file, new, "[rules.playlist]\nfresh_s = 5000\n[listen]\nbacklog = 7\n")
        child.send(signal.SIGHUP)
        assert "listen.backlog" in await child.line("takes effect at the next start")
        for _ in range(workers):
            await child.line("the settings were reloaded")
        gate.set()
        assert (await read_answer(held_reader)).body == b"held"
        writer.write(f"GET {PLAYLIST} HTTP/1.1\r\nHost: viewers.example\r\n\r\n".encode())
        assert (await read_answer(reader)).body == b"kept"  # the cache is, too
        seen = await viewers.get("/other/v0/index.m3u8")
        assert seen.body == b"new"
        assert int(seen.cache.rpartition("ttl=")[2]) > 600  # the rule's, not the origin's
        for each in (writer, held_writer):
            each.close()
    assert old.requests[PLAYLIST] == 1


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_file_that_cannot_be_used_is_refused_with_its_errors_and_nothing_changes(
    origins: tuple[FakeOrigin, FakeOrigin], tmp_path: Path, workers: int
) -> None:
    origins[0].serve(PLAYLIST, Resource(b"old", headers=LONG))
    file = tmp_path / "edge.toml"
    write(file, origins[0])
    async with edge_process("", "--config", str(file), workers=workers) as (child, viewers):
        write(file, origins[1], "[cache]\nmemroy = 1\n")
        child.send(signal.SIGHUP)
        assert "did you mean 'memory'" in await child.line("the settings were not reloaded")
        assert (await viewers.get(PLAYLIST)).body == b"old"
        write(file, origins[1])
        child.send(signal.SIGHUP)
        await child.line("the settings were reloaded")


async def test_a_renewed_certificate_is_shown_to_who_comes_next(
    origins: tuple[FakeOrigin, FakeOrigin], tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path, "edge.example")
    tls = {
        "TIDECAST_EDGE__LISTEN__TLS_CERTIFICATE": str(certificate),
        "TIDECAST_EDGE__LISTEN__TLS_KEY": str(key),
    }
    async with edge_process(origins[0].url, environment=tls) as (child, viewers):

        async def shown() -> str:
            address = ("127.0.0.1", viewers.port)
            return await asyncio.to_thread(ssl.get_server_certificate, address)

        assert await shown() == certificate.read_text()
        old = certificate.read_text()
        key.write_text("no key at all")
        child.send(signal.SIGHUP)
        assert "listen.tls_certificate" in await child.line("the settings were not reloaded")
        assert await shown() == old
        self_signed(tmp_path, "edge.example")
        child.send(signal.SIGHUP)
        await child.line("the settings were reloaded")
        assert await shown() == certificate.read_text() != old
