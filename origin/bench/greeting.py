"""How a publisher gets in: handshake, connect, publish, and what the server says to that."""

import os
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from origin.bench.broadcast import CHUNK_SIZE
from origin.bench.errors import CannotMeasure
from origin.errors import OriginError
from origin.rtmp import amf0
from origin.rtmp.amf0 import Amf0Reader, AmfValue
from origin.rtmp.chunk import SET_CHUNK_SIZE, ChunkReader, Message
from origin.rtmp.chunk_writer import ChunkWriter
from origin.rtmp.limits import Limits
from origin.rtmp.messages import Type

RTMP_PORT = 1935
HANDSHAKE_BYTES = 1536
TIMEOUT_S = 10.0
REFUSALS = ("Rejected", "BadName", "Denied", "Failed", "Closed")


class NotAccepted(Exception):
    """The server did not let this publisher in; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to publish, read from rtmp://host:port/app/key."""

    host: str
    port: int
    app: str
    key: str
    """With ``{n}`` where the publisher's number goes."""


def parse_address(url: str, number: int) -> Address:
    """Read the address of ``number`` publishers."""
    parts = urlsplit(url)
    app, _, key = parts.path.strip("/").partition("/")
    if parts.scheme != "rtmp" or not parts.hostname or not app or not key:
        raise CannotMeasure(f"{url} is not an address such as rtmp://host/live/KEY-{{n}}.")
    if number > 1 and "{n}" not in key:
        raise CannotMeasure(
            f"{number} publishers need {number} keys: put {{n}} where the number goes, as in "
            f"{url}-{{n}}."
        )
    if parts.query:
        key += f"?{parts.query}"
    return Address(parts.hostname, parts.port or RTMP_PORT, app, key)


def enter(address: Address, number: int) -> socket.socket:
    """Begin to publish; return the connection once the server has said that it may."""
    try:
        connection = socket.create_connection((address.host, address.port), timeout=TIMEOUT_S)
    except OSError as error:
        raise NotAccepted(f"no connection: {error.strerror or error}") from error
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Greeting(connection).run(address, address.key.replace("{n}", str(number)))
    except (OSError, OriginError) as error:
        connection.close()
        raise NotAccepted(f"broken off: {error}") from error
    except NotAccepted:
        connection.close()
        raise
    return connection


class _Greeting:
    """One connection until it may send media (RTMP 1.0, 7.2)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = ChunkReader(Limits())
        self._writer = ChunkWriter()

    def run(self, address: Address, key: str) -> None:
        self._shake_hands()
        url = f"rtmp://{address.host}:{address.port}/{address.app}"
        self._send(Message(SET_CHUNK_SIZE, 0, 0, CHUNK_SIZE.to_bytes(4)))
        self._writer.chunk_size = CHUNK_SIZE
        info: AmfValue = {"app": address.app, "tcUrl": url, "flashVer": "FMLE/3.0"}
        self._command(0, "connect", 1.0, info)
        self._await("_result", 1.0)
        self._command(0, "releaseStream", 2.0, None, key)
        self._command(0, "FCPublish", 3.0, None, key)
        self._command(0, "createStream", 4.0, None)
        self._await("_result", 4.0)
        self._command(1, "publish", 5.0, None, key, "live")
        self._await("onStatus", "NetStream.Publish.Start")

    def _shake_hands(self) -> None:
        self._connection.sendall(b"\x03" + bytes(8) + os.urandom(HANDSHAKE_BYTES - 8))
        received = bytearray()
        while len(received) < 1 + 2 * HANDSHAKE_BYTES:
            received += self._receive()
        self._connection.sendall(received[1 : 1 + HANDSHAKE_BYTES])
        self._reader.receive(bytes(received[1 + 2 * HANDSHAKE_BYTES :]), 0.0)

    def _command(self, stream: int, *values: AmfValue) -> None:
        self._send(Message(Type.AMF0_COMMAND, stream, 0, amf0.encode(*values)))

    def _send(self, message: Message) -> None:
        chunk_stream = 2 if message.type_id == SET_CHUNK_SIZE else 3
        self._connection.sendall(self._writer.write(chunk_stream, message))

    def _await(self, name: str, about: float | str) -> None:
        """Wait for a result by its number, or for a status by its code."""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            self._reader.chunks_left = 1000
            while (message := self._reader.next_message()) is not None:
                if message.type_id != Type.AMF0_COMMAND:
                    continue
                values = Amf0Reader(message.payload, Limits().command).read_rest()
                if _is_answer(values, name, about):
                    return
            self._reader.receive(self._receive(), 0.0)
        raise NotAccepted(f"no answer to {about} within {TIMEOUT_S:g} s")

    def _receive(self) -> bytes:
        data = self._connection.recv(65536)
        if not data:
            raise NotAccepted("the server closed the connection")
        return data


def _is_answer(values: list[AmfValue], name: str, about: float | str) -> bool:
    """Whether this is what is waited for; a refusal is raised with its reason."""
    information = values[-1] if isinstance(values[-1], dict) else {}
    code = str(information.get("code", ""))
    if values[0] == "_error" or code.endswith(REFUSALS):
        raise NotAccepted(f"{code}: {information.get('description', '')}".strip(": "))
    if name == "onStatus":
        return values[0] == "onStatus" and code == about
    return values[0] == name and values[1] == about
