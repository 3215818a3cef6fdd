"""``--check``: what keeps an edge from starting is an error; what may pass is a warning."""

import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.origins import FakeOrigin, Resource
from tests.support.processes import python
from tests.support.servers import free_ports

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def origin() -> AsyncIterator[FakeOrigin]:
    origin = FakeOrigin()
    origin.serve("/healthz", Resource(b"ok"))
    await origin.start()
    yield origin
    await origin.die()


async def checked(*flags: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    (port,) = free_ports(1)
    port_flags = () if "--http-port" in flags else ("--http-port", str(port))
    arguments = ("-m", "cdn", "--host", "127.0.0.1", *port_flags, *flags, "--check")
    async with python(*arguments, environment=environment) as child:
        return await child.exit()


async def test_where_all_is_well_nothing_is_said(origin: FakeOrigin) -> None:
    assert await checked("--origin", origin.url) == (0, "")


async def test_an_origin_that_does_not_answer_is_named_and_no_error(origin: FakeOrigin) -> None:
    code, said = await checked("--origin", origin.url, "--origin", NOBODY)
    assert (code, said) == (0, f"tidecast edge: warning: origin.url: {NOBODY} does not answer\n")


async def test_no_origin_that_answers_is_no_error_either_and_what_it_means_is_said() -> None:
    code, said = await checked("--origin", NOBODY)
    assert code == 0
    assert "no origin answers: until one does, viewers would get 503" in said


async def test_a_port_that_somebody_has_is_a_warning(origin: FakeOrigin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await checked("--origin", origin.url, "--http-port", port)
    assert code == 0
    assert said.startswith(f"tidecast edge: warning: listen.http_port: 127.0.0.1 port {port} ")


async def test_a_certificate_and_another_ones_key_are_an_error(
    origin: FakeOrigin, tmp_path: Path
) -> None:
    certificate, key = self_signed(tmp_path, "mine")
    _, strange_key = self_signed(tmp_path, "another")
    names = ("TIDECAST_EDGE__LISTEN__TLS_CERTIFICATE", "TIDECAST_EDGE__LISTEN__TLS_KEY")
    right = dict(zip(names, (str(certificate), str(key)), strict=True))
    wrong = dict(zip(names, (str(certificate), str(strange_key)), strict=True))
    assert await checked("--origin", origin.url, environment=right) == (0, "")
    code, said = await checked("--origin", origin.url, environment=wrong)
    assert code == 2
    assert "listen.tls_certificate" in said
