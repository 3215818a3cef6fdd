"""The places of an address: who is being decided about keeps one, and leaving early wins none."""

import asyncio

import pytest

from origin.auth.keys import StreamKey
from origin.ingest.settings import IngestSettings
from tests.support.doors import GatedDoor, SlowDoor
from tests.support.encoders import ECHO, HELLO, Encoder
from tests.support.gates import GateKeeper
from tests.support.listeners import listening
from tests.support.rtmp_client import rtmp_client
from tests.support.transports import Wire

ONE = IngestSettings(strangers_per_address=1)


class Newcomer:
    """Asks for a place, and would be a connection."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ask_to_reconnect(self, reason: str) -> None:
        """Has nowhere else to go."""

    def send_away(self, reason: str) -> None:
        """Nobody does."""


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_who_leaves_while_being_decided_about_keeps_the_place_until_then() -> None:
    door = SlowDoor()
    wire = Wire(door, ONE)
    address = wire.transport.get_extra_info("peername")[0]
    encoder = Encoder()
    wire.deliver(HELLO + ECHO + encoder.connect() + encoder.publish())
    await door.asked.wait()
    wire.lose()
    assert wire.shared.welcome(Newcomer(), address) == "too many from one address"
    assert wire.shared.welcome(Newcomer(), "198.51.100.1") is None
    door.may_open.set()
    await wire.connection.gone
    assert wire.shared.welcome(Newcomer(), address) is None


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_a_right_key_gets_in_behind_an_address_full_of_wrong_ones() -> None:
    keeper = GateKeeper([StreamKey("main", "right-2222")])
    door = GatedDoor(keeper.gate)
    async with listening(door) as listener:
        for number in range(20):
            async with rtmp_client(listener.port) as guesser:
                await guesser.begin(f"wrong-{number}")
                await guesser.hear("NetStream.Publish.BadName")
        async with rtmp_client(listener.port) as publisher:
            await publisher.begin("right-2222")
            await publisher.hear("NetStream.Publish.Start")
            assert listener.counters.refused == 20
    assert door.streams == ["main"]
    assert keeper.waits[-1] == 4.0
    assert len(keeper.waits) == 20
