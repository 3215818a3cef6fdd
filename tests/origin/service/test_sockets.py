"""Ports: what cannot be listened on is told before anything has started."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from origin.errors import SettingsError
from origin.service.sockets import check_free, explain, listen

IPV6 = Path("/proc/net/if_inet6")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_with_the_flag_that_moves_it(taken: int) -> None:
    with pytest.raises(SettingsError, match=rf"{taken} is in use, so RTMP .* --rtmp-port"):
        listen("127.0.0.1", taken, what="RTMP", flag="--rtmp-port")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1:0 is no address here, .* with --host$"):
        listen("192.0.2.1", 0, what="RTMP", flag="--rtmp-port")
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    said = explain(unknown, "nobody:8081", "the control API", "--control-port")
    assert said.startswith("nobody:8081 is no address here")
    assert said.endswith("choose one with --control-host")


def test_a_port_that_needs_rights_is_told_from_one_that_is_taken() -> None:
    said = explain(PermissionError(errno.EACCES, "no"), "0.0.0.0:80", "the edge", "--http-port")
    assert said.startswith("0.0.0.0:80 needs more rights")
    assert said.endswith("choose a port above 1023 with --http-port")


@pytest.mark.skipif(not IPV6.exists() or not IPV6.read_text(), reason="no IPv6 here")
def test_an_ipv6_address_can_be_listened_on() -> None:
    with listen("::1", 0, what="RTMP", flag="--rtmp-port") as listener:
        assert listener.getsockname()[0] == "::1"


def test_a_port_that_was_checked_is_still_free(taken: int) -> None:
    with pytest.raises(SettingsError):
        check_free("127.0.0.1", taken, what="the edge", flag="--http-port")
    with listen("127.0.0.1", 0, what="RTMP", flag="--rtmp-port") as listener:
        port = listener.getsockname()[1]
    check_free("127.0.0.1", port, what="the edge", flag="--http-port")
    with listen("127.0.0.1", port, what="RTMP", flag="--rtmp-port") as listener:
        assert listener.getsockname()[1] == port
