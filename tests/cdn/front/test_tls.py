"""HTTPS at the edge itself: both paths, whole bodies, and certificates that are renewed."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from cdn.errors import SettingsError
from cdn.front.tls import Certificate
from cdn.layers import load
from tests.support.certificates import Pair, self_signed, trusting
from tests.support.edge_processes import edge_process
from tests.support.origins import FakeOrigin, Resource
from tests.support.viewers import Seen, read_answer

SEGMENT = bytes(range(256)) * 2048  # 512 KiB: many pieces


@pytest.fixture
async def origin() -> AsyncGenerator[FakeOrigin]:
    origin = FakeOrigin()
    origin.serve("/a.m4s", Resource(SEGMENT, headers={"Cache-Control": "max-age=60"}))
    await origin.start()
    yield origin
    await origin.die()


async def fetch(port: int, trust: ssl.SSLContext, *requests: str) -> list[Seen]:
    """Ask for one thing after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    seen = []
    for request in requests:
        writer.write(f"GET {request}\r\n\r\n".encode())
        seen.append(await read_answer(reader))
    writer.close()
    await writer.wait_closed()
    return seen


@pytest.mark.usefixtures("either_path")
async def test_a_viewer_gets_whole_bodies_over_tls(origin: FakeOrigin, tmp_path: Path) -> None:
    pair = self_signed(tmp_path, "edge")
    environment = {
        "TIDECAST_EDGE__LISTEN__TLS_CERTIFICATE": str(pair.certificate),
        "TIDECAST_EDGE__LISTEN__TLS_KEY": str(pair.key),
    }
    plain, range_of = "/a.m4s HTTP/1.1\r\nHost: x", "\r\nRange: bytes=65000-66000"
    async with edge_process(origin.url, environment=environment) as (_, viewers):
        asked = (plain, plain, plain + range_of, plain)
        miss, hit, part, again = await fetch(viewers.port, trusting(pair), *asked)
    assert miss.body == hit.body == again.body == SEGMENT
    assert (part.status, part.body) == (206, SEGMENT[65000:66001])
    assert origin.requests == {"/a.m4s": 1}


async def served(certificate: Certificate, trust: ssl.SSLContext) -> bool:
    """Say whether somebody who trusts only that gets through a handshake."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=certificate.context)
    port = server.sockets[0].getsockname()[1]
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
    except ssl.SSLCertVerificationError:
        return False
    else:
        writer.close()
        await writer.wait_closed()
        return True
    finally:
        server.close()
        await server.wait_closed()


async def test_a_renewed_certificate_is_served_once_it_is_loaded(tmp_path: Path) -> None:
    old = self_signed(tmp_path, "edge")
    trusts_old = trusting(old)
    certificate = Certificate(*old)
    new = self_signed(tmp_path, "edge")
    assert await served(certificate, trusts_old)
    certificate.load()
    assert not await served(certificate, trusts_old)
    assert await served(certificate, trusting(new))


async def test_a_pair_that_does_not_fit_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    pair, other = self_signed(tmp_path, "edge"), self_signed(tmp_path, "other")
    trust = trusting(pair)
    certificate = Certificate(*pair)
    pair.key.write_bytes(other.key.read_bytes())
    with pytest.raises(SettingsError, match=r"edge\.pem .* cannot be used"):
        certificate.load()
    assert await served(certificate, trust)


def test_a_certificate_that_is_not_there_is_an_error_of_the_operators(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.pem"):
        Certificate(tmp_path / "none.pem", tmp_path / "none.key")


def test_a_key_with_a_passphrase_is_refused_instead_of_asked_for(tmp_path: Path) -> None:
    pair = self_signed(tmp_path, "edge")
    locked = Pair(pair.certificate, tmp_path / "locked.key")
    subprocess.run(
        ["openssl", "ec", "-in", pair.key, "-out", locked.key, "-aes256", "-passout", "pass:x1234"],
        check=True,
        capture_output=True,
    )
    with pytest.raises(SettingsError, match="passphrase"):
        Certificate(*locked)


def test_a_certificate_without_its_key_is_half_a_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="go together"):
        load(None, {"origin": {"url": "http://o"}, "listen": {"tls_certificate": tmp_path / "a"}})
