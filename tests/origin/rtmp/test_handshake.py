import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import ProtocolError
from origin.rtmp.handshake import TLS_HANDSHAKE, Handshake
from tests.support.cuts import Cutter, every_way
from tests.support.encoders import ECHO, HELLO

NONCE = bytes(1000) + bytes(range(256)) * 2 + bytes(16)


@every_way
def test_s2_echoes_every_byte_of_c1(cut: Cutter) -> None:
    handshake = Handshake(NONCE)
    reply = b"".join(handshake.receive(piece) for piece in cut(HELLO))
    assert reply[:1] == b"\x03"
    assert reply[1:9] == bytes(8)
    assert reply[9:1537] == NONCE
    assert reply[1537:] == HELLO[1:]


@every_way
def test_bytes_after_c2_are_handed_on_untouched(cut: Cutter) -> None:
    handshake = Handshake(NONCE)
    for piece in cut(HELLO + ECHO + b"first chunk"):
        handshake.receive(piece)
    assert handshake.done
    assert handshake.leftover() == b"first chunk"


def test_the_echo_may_hold_anything() -> None:
    handshake = Handshake(NONCE)
    handshake.receive(HELLO)
    handshake.receive(b"\xff" * 1536)
    assert handshake.done


def test_nothing_is_left_over_before_c2_is_complete() -> None:
    handshake = Handshake(NONCE)
    handshake.receive(HELLO + ECHO[:-1])
    assert not handshake.done
    assert handshake.leftover() == b""


@pytest.mark.parametrize("version", [3, 6, 31])
def test_any_binary_version_is_answered_with_3(version: int) -> None:
    handshake = Handshake(NONCE)
    assert handshake.receive(bytes([version]) + HELLO[1:])[0] == 3


@pytest.mark.parametrize("greeting", [b"GET / HTTP/1.1\r\n", b"\x80", b" "])
def test_what_speaks_another_protocol_is_refused_at_its_first_byte(greeting: bytes) -> None:
    with pytest.raises(ProtocolError, match="not RTMP"):
        Handshake(NONCE).receive(greeting[:1])


@pytest.mark.parametrize(
    ("greeting", "looks_like"),
    [(b"GET / HTTP/1.1\r\n", "HTTP"), (b"PRI * HTTP/2.0\r\n", "HTTP"), (b"\x16\x03\x01", "TLS")],
)
def test_whoever_mistook_the_port_can_read_so_in_the_log(greeting: bytes, looks_like: str) -> None:
    with pytest.raises(ProtocolError, match=f"looks like {looks_like}: .* of (its|their) own"):
        Handshake(NONCE).receive(greeting)


@given(st.binary(max_size=4000))
def test_garbage_raises_nothing_but_protocol_errors(data: bytes) -> None:
    try:
        Handshake(NONCE).receive(data)
    except ProtocolError:
        assert data[0] >= 32 or data[0] == TLS_HANDSHAKE
