"""The reception: who came, what was asked and what came of it, without a word that opens."""

import asyncio

import pytest

from origin.auth.asking import Asked
from origin.auth.attempts import Outcome
from origin.auth.gate import OpenToAll
from origin.auth.keyring import Grant
from origin.auth.keys import StreamKey
from origin.errors import Refused
from origin.hls.rules import Rules
from origin.streams.door import PublishRequest
from origin.streams.reception import TOO_SLOW, Reception
from origin.streams.registry import Registry
from origin.streams.stream import Patience
from tests.support.clocks import EPOCH, FakeClock
from tests.support.gates import GateKeeper
from tests.support.stations import Station

KEY = "main-7f3k-92qd-x4mv"


@pytest.fixture
async def reception() -> Reception:
    clock = FakeClock()
    gate = GateKeeper([StreamKey("main", KEY)], clock).gate
    registry = Registry(
        gate, rules=Rules(), patience=Patience(), clock=clock, new_epoch=lambda: "e"
    )
    return Reception(registry, gate, clock)


async def knock(reception: Reception, name: str, peer: str = "192.0.2.7:50000") -> None:
    request = PublishRequest("live", name, "", peer, "OBS 32", "rtmp://host/live")
    await reception.publish(request, lambda reason: None)


async def test_who_is_let_in_is_written_down_with_the_stream(reception: Reception) -> None:
    await knock(reception, KEY)
    (attempt,) = reception.attempts
    assert (attempt.outcome, attempt.stream) == (Outcome.ACCEPTED, "main")
    assert (attempt.address, attempt.encoder) == ("192.0.2.7", "OBS 32")
    assert attempt.at == EPOCH
    assert attempt.asked == "live/mai…"


async def test_who_is_refused_is_written_down_with_the_reason_and_a_hint(
    reception: Reception,
) -> None:
    with pytest.raises(Refused):
        await knock(reception, "mian-7f3k-92qd-x4mv", "[2001:db8::7]:50000")
    (attempt,) = reception.attempts
    assert (attempt.outcome, attempt.stream) == (Outcome.REFUSED, None)
    assert attempt.address == "2001:db8::7"
    assert attempt.reason.startswith("unknown stream key")
    assert attempt.hint == "did you mean `main`?"
    assert attempt.asked == "live/mia…"


class Undecided(OpenToAll):
    """Never comes to a decision."""

    async def admit(self, asked: Asked) -> Grant:
        await asyncio.Event().wait()
        raise AssertionError("nobody decided")


async def test_a_decision_that_is_not_waited_for_is_written_down() -> None:
    station = Station()
    reception = Reception(station.registry, Undecided(), station.clock)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await knock(reception, KEY)
    (attempt,) = reception.attempts
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, TOO_SLOW)


async def test_no_key_is_in_the_book_right_or_wrong(reception: Reception) -> None:
    for name in (KEY, "wrong-5555-6666-7777", f"main?key={KEY}"):
        try:
            await knock(reception, name)
        except Refused:
            continue
    written = repr(list(reception.attempts))
    assert "7f3k" not in written
    assert "5555" not in written
