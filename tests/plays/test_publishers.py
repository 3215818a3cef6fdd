"""A server with several keys and RTMPS, from outside: taken back, renewed, refused and told."""

import asyncio
import os
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.certificates import Pair, self_signed
from tests.support.pushers import pushing
from tests.support.servers import (
    ADDRESS,
    ASK_EVERY_S,
    NO_EDGE,
    TidecastProcess,
    free_ports,
    running,
)

STUDIO, ANNA, WRONG = "main-Stud10-aaaa", "main-Ann4-bbbb", "mian-Wr0ng-cccc-dddd"
KEYS = f'[[key]]\nstream = "main"\nkey = "{STUDIO}"\n\n[[key]]\nstream = "main"\nkey = "{ANNA}"\n'


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Pair, Pair]:
    return self_signed(tmp_path, "first"), self_signed(tmp_path, "second")


def put(text: str, path: Path) -> None:
    """Replace a file, as an editor does."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    os.replace(draft, path)


async def presents(port: int, certificate: Path) -> bool:
    """Whether the server on ``port`` shows this certificate."""
    try:
        _, writer = await asyncio.open_connection(
            ADDRESS, port, ssl=ssl.create_default_context(cafile=str(certificate))
        )
    except ssl.SSLError:
        return False
    writer.close()
    return True


async def attempts(
    client: ClientSession, server: TidecastProcess, token: str
) -> list[dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}"}
    async with client.get(f"{server.control}/api/v1/ingest/attempts", headers=headers) as answer:
        assert answer.status == 200
        found: list[dict[str, str]] = (await answer.json())["attempts"]
        return found


async def test_keys_and_certificates_change_under_publishers(
    tmp_path: Path, pairs: tuple[Pair, Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, live = tmp_path / "data", Pair(tmp_path / "live.pem", tmp_path / "live.key")
    data.mkdir()
    put(KEYS, data / "keys.toml")
    for part in (0, 1):
        put(pairs[0][part].read_text(), live[part])
    (tls_port,) = free_ports(1)
    tls = [f"--rtmp-tls-port={tls_port}", f"--rtmp-tls-key={live.key}"]
    server = TidecastProcess(tmp_path, *NO_EDGE, *tls, f"--rtmp-tls-certificate={live.certificate}")
    monkeypatch.setenv("SSL_CERT_FILE", str(live.certificate))
    async with running(server), ClientSession() as client:
        token = (data / "control.token").read_text().strip()
        secure = f"rtmps://{ADDRESS}:{tls_port}/live/main?key={STUDIO}"
        async with pushing(secure, sound=None) as studio:
            await server.until("main", "live")
            async with pushing(server.rtmp_url(WRONG), None) as intruder:
                assert await intruder.finished() != 0
                assert "unknown stream key" in intruder.log()
            async with pushing(server.rtmp_url(ANNA), None) as anna:
                assert await anna.finished() != 0
                assert "main is being published with another key" in anna.log()
            await the_certificate_is_renewed(server, live, pairs, tls_port)
            put(KEYS.replace(f'"{STUDIO}"', f'"{STUDIO}"\ndisabled = true'), data / "keys.toml")
            assert await studio.finished() != 0
        async with pushing(server.rtmp_url(ANNA), sound=None):
            await server.until("main", "live")
        told = [(each["outcome"], each["asked"]) for each in await attempts(client, server, token)]
        assert told == [
            ("accepted", "live/mai…"),
            ("refused", "live/mai…"),
            ("refused", "live/mia…"),
            ("accepted", "live/main?…"),
        ]
        async with client.get(f"{server.control}/api/v1/ingest/attempts") as answer:
            assert answer.status == 401
        titles = "".join(server.children().values())
        assert await server.stop() == 0
    written = server.output().partition("Ctrl-C ends it.")[2]
    for secret in ("Stud10", "Ann4", "Wr0ng", token):
        assert secret not in written
        assert secret not in titles


async def the_certificate_is_renewed(
    server: TidecastProcess, live: Pair, pairs: tuple[Pair, Pair], port: int
) -> None:
    """First it breaks, which the log says and nobody else notices; then it is a new one."""
    put("half a key", live.key)
    while "RTMPS certificate: what was in force stays" not in server.output():  # noqa: ASYNC110
        await asyncio.sleep(ASK_EVERY_S)  # another process gives no event
    assert await presents(port, pairs[0].certificate)
    for part in (0, 1):
        put(pairs[1][part].read_text(), live[part])
    while not await presents(port, pairs[1].certificate):  # noqa: ASYNC110
        await asyncio.sleep(ASK_EVERY_S)
