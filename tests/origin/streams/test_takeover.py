"""Who publishes when several may: the same key takes over, another waits for its turn."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from origin.auth.keys import StreamKey
from origin.errors import Refused
from origin.hls.rules import Rules
from origin.streams.door import Publication, PublishRequest
from origin.streams.registry import HANGS_AFTER_S, Registry
from origin.streams.stream import Patience, State, Stream
from tests.support.broadcasts import AVC_HEADER, broadcast, picture
from tests.support.clocks import FakeClock
from tests.support.gates import GateKeeper

STUDIO, ANNA = StreamKey("main", "studio-2222"), StreamKey("main", "anna-3333")


@dataclass
class House:
    """A registry behind a gate with two keys of one stream."""

    clock: FakeClock = field(default_factory=FakeClock)
    dismissals: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def __post_init__(self) -> None:
        self.keeper = GateKeeper([STUDIO, ANNA, StreamKey("second", "other-4444")], self.clock)
        self.registry = Registry(
            self.keeper.gate,
            rules=Rules(),
            patience=Patience(),
            clock=self.clock,
            new_epoch=lambda: "e",
        )

    async def publish(
        self, key: str, peer: str = "192.0.2.7:50000", *, query: str = ""
    ) -> Publication:
        request = PublishRequest("live", key, query, peer, "OBS", "")
        return await self.registry.publish(request, lambda why: self.dismissals.append((key, why)))

    @property
    def stream(self) -> Stream:
        stream = self.registry.find("main")
        assert stream is not None
        return stream

    @property
    def state(self) -> State:
        return self.stream.state

    def discontinuities(self) -> int:
        assert self.stream.session is not None
        resource = self.stream.session.presentation.main.playlist()
        assert resource is not None
        return b"".join(resource.pieces).decode().count("#EXT-X-DISCONTINUITY\n")


@pytest.fixture
async def house() -> House:
    return House()


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_same_key_takes_over_at_once_from_another_address(house: House) -> None:
    first = await house.publish("studio-2222")
    broadcast(first, 5.0)
    before = house.clock.now
    second = await house.publish("studio-2222", "198.51.100.1:50000")
    assert house.clock.now == before
    assert [key for key, _ in house.dismissals] == ["studio-2222"]
    broadcast(second, 4.2)
    assert house.state is State.LIVE
    assert house.discontinuities() == 1


async def test_another_key_does_not_throw_out_a_publisher_who_sends(house: House) -> None:
    first = await house.publish("studio-2222")
    broadcast(first, 5.0)
    asking = asyncio.ensure_future(house.publish("anna-3333"))
    await turns()
    assert not asking.done()
    first.push(5000, picture(125))
    house.clock.advance(HANGS_AFTER_S)
    with pytest.raises(Refused, match="main is being published with another key"):
        await asking
    assert house.dismissals == []
    broadcast(first, 4.2, begin=5040, with_headers=False)
    assert house.discontinuities() == 0


async def test_another_key_takes_over_from_a_publisher_who_hangs(house: House) -> None:
    first = await house.publish("studio-2222")
    broadcast(first, 5.0)
    asking = asyncio.ensure_future(house.publish("anna-3333"))
    await turns()
    house.clock.advance(HANGS_AFTER_S)
    second = await asking
    assert [key for key, _ in house.dismissals] == ["studio-2222"]
    broadcast(second, 4.2)
    assert house.discontinuities() == 1


async def test_another_key_goes_on_when_the_first_has_left_meanwhile_or_before(
    house: House,
) -> None:
    first = await house.publish("studio-2222")
    broadcast(first, 5.0)
    asking = asyncio.ensure_future(house.publish("anna-3333"))
    await turns()
    first.push(5000, picture(125))
    first.end(clean=False)
    house.clock.advance(HANGS_AFTER_S)
    second = await asking
    broadcast(second, 4.2)
    second.end(clean=False)
    third = await house.publish("studio-2222")
    broadcast(third, 4.2)
    assert house.discontinuities() == 2


async def test_a_wrong_key_disturbs_nobody(house: House) -> None:
    first = await house.publish("studio-2222")
    first.push(0, AVC_HEADER)
    with pytest.raises(Refused, match="unknown stream key"):
        await house.publish("wrong-2222")
    broadcast(first, 4.2)
    assert house.state is State.LIVE
    assert house.dismissals == []


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([replace(STUDIO, disabled=True), ANNA], id="disabled"),
        pytest.param([ANNA], id="removed"),
        pytest.param([replace(STUDIO, secret="studio-9999"), ANNA], id="rotated"),
    ],
)
async def test_who_loses_the_key_loses_the_publish(house: House, keys: list[StreamKey]) -> None:
    studio = await house.publish("studio-2222")
    broadcast(studio, 5.0)
    house.keeper.ring.replace(keys)
    house.registry.recheck()
    assert house.dismissals == [("studio-2222", "its stream key has been taken back")]
    states = [house.state]
    broadcast(await house.publish("anna-3333"), 4.2)
    assert [*states, house.state] == [State.RECONNECTING, State.LIVE]


async def test_who_keeps_the_key_keeps_the_publish(house: House) -> None:
    studio, other = await house.publish("studio-2222"), await house.publish("other-4444")
    broadcast(studio, 5.0)
    broadcast(other, 5.0)
    house.keeper.ring.replace([replace(STUDIO, note="renamed"), StreamKey("second", "other-4444")])
    house.registry.recheck()
    assert house.dismissals == []


async def test_a_bandwidth_test_ends_with_its_key(house: House) -> None:
    """Also one that another test of the same stream has taken the place of."""
    query = "bandwidthtest=true"
    tests = [await house.publish(key, query=query) for key in ("studio-2222", "studio-2222")]
    await house.publish("other-4444", query=query)
    house.keeper.ring.replace([ANNA, StreamKey("second", "other-4444")])
    for _ in range(2):
        house.registry.recheck()
        assert house.dismissals == [("studio-2222", "its stream key has been taken back")] * 2
    found = house.registry.bandwidth_tests.find("main")
    assert found is not None
    assert not found.is_running
    for test in tests:
        test.end(clean=False)  # as the listener does afterwards
    house.registry.close("over")
    assert house.dismissals[2:] == [("other-4444", "over")]
