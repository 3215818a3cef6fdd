"""The life of a stream: publishers come, go and come back; the playlist survives them."""

from collections.abc import Iterator
from itertools import count

import pytest

from origin.auth.gate import OpenToAll
from origin.auth.keys import StreamKey
from origin.errors import Refused
from origin.hls.rules import Rules
from origin.streams.door import Publication, PublishRequest
from origin.streams.registry import Registry
from origin.streams.stream import Patience, State, Stream
from tests.support.broadcasts import broadcast
from tests.support.clocks import FakeClock
from tests.support.gates import GateKeeper


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def registry(clock: FakeClock) -> Registry:
    return make_registry(clock)


@pytest.fixture
async def obs(registry: Registry) -> "Encoder":
    return Encoder(registry)


def make_registry(clock: FakeClock) -> Registry:
    epochs: Iterator[str] = (f"epoch{number}" for number in count())
    return Registry(
        OpenToAll(),
        rules=Rules(),
        patience=Patience(grace_s=90, keep_ended_s=300),
        clock=clock,
        new_epoch=lambda: next(epochs),
    )


class Encoder:
    """Publishes under the name ``main``, and hears when it is sent away."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.dismissals: list[str] = []

    async def connect(self) -> Publication:
        request = PublishRequest("live", "main", "", "192.0.2.7:50000", "OBS", "")
        return await self.registry.publish(request, self.dismissals.append)

    @property
    def stream(self) -> Stream:
        stream = self.registry.find("main")
        assert stream is not None
        return stream


def state_of(encoder: Encoder) -> State:
    return encoder.stream.state


def playlist(stream: Stream) -> str:
    assert stream.session is not None
    resource = stream.session.presentation.main.playlist()
    assert resource is not None
    return b"".join(resource.pieces).decode()


def uris(stream: Stream) -> list[str]:
    return [line for line in playlist(stream).splitlines() if not line.startswith("#")]


async def test_a_stream_is_starting_until_its_first_segment_is_complete(obs: Encoder) -> None:
    assert state_of(obs) is State.OFFLINE
    publication = await obs.connect()
    broadcast(publication, 1.9)
    assert state_of(obs) is State.STARTING
    broadcast(publication, 0.3, begin=2000)
    assert state_of(obs) is State.LIVE


@pytest.mark.parametrize("clean", [True, False])
async def test_a_publisher_who_brought_nothing_leaves_nothing_behind(
    obs: Encoder, clock: FakeClock, clean: bool
) -> None:
    publication = await obs.connect()
    publication.end(clean=clean)
    assert state_of(obs) is State.OFFLINE
    assert obs.stream.session is None
    assert clock.pending == 0
    broadcast(await obs.connect(), 3.0)
    assert sequence_numbers(playlist(obs.stream))[1] == 0
    assert "#EXT-X-DISCONTINUITY\n" not in playlist(obs.stream)


async def test_a_clean_end_puts_endlist_at_once_and_the_window_stays(obs: Encoder) -> None:
    publication = await obs.connect()
    broadcast(publication, 5.0)
    publication.end(clean=True)
    assert state_of(obs) is State.ENDED
    assert playlist(obs.stream).endswith("#EXT-X-ENDLIST\n")
    assert len(uris(obs.stream)) == 3


async def test_a_lost_publisher_is_waited_for_as_long_as_grace_says(
    obs: Encoder, clock: FakeClock
) -> None:
    publication = await obs.connect()
    broadcast(publication, 5.0)
    publication.end(clean=False)
    clock.advance(89.9)
    assert state_of(obs) is State.RECONNECTING
    assert "ENDLIST" not in playlist(obs.stream)
    clock.advance(0.2)
    assert state_of(obs) is State.ENDED
    assert playlist(obs.stream).endswith("#EXT-X-ENDLIST\n")


async def test_what_a_lost_publisher_sent_is_published_to_the_last_frame(obs: Encoder) -> None:
    publication = await obs.connect()
    broadcast(publication, 4.6)
    publication.end(clean=False)
    assert obs.stream.session is not None
    listed = obs.stream.session.presentation.main.listed
    assert sum(segment.duration_s for segment in listed) == pytest.approx(4.6)


async def test_a_publisher_who_is_back_in_time_goes_on_in_the_same_playlist(
    obs: Encoder, clock: FakeClock
) -> None:
    first = await obs.connect()
    broadcast(first, 5.0)
    first.end(clean=False)
    before = uris(obs.stream)
    clock.advance(20)
    second = await obs.connect()
    assert state_of(obs) is State.RECONNECTING
    broadcast(second, 4.2)
    assert state_of(obs) is State.LIVE
    assert uris(obs.stream)[: len(before)] == before
    assert playlist(obs.stream).count("#EXT-X-DISCONTINUITY\n") == 1
    clock.advance(500)
    assert state_of(obs) is State.LIVE


async def test_the_same_key_takes_over_from_a_connection_that_hangs(obs: Encoder) -> None:
    hanging = await obs.connect()
    broadcast(hanging, 5.0)
    second = await obs.connect()
    assert obs.dismissals == ["replaced by a newer connection to this stream"]
    broadcast(hanging, 5.0, begin=5000)
    hanging.end(clean=True)
    assert state_of(obs) is State.RECONNECTING
    broadcast(second, 4.2)
    assert state_of(obs) is State.LIVE
    assert playlist(obs.stream).count("#EXT-X-DISCONTINUITY\n") == 1


async def test_the_next_session_counts_on_and_lists_nothing_old(
    obs: Encoder, clock: FakeClock
) -> None:
    numbers = list[tuple[int, int]]()
    names = set[str]()
    for _ in range(3):
        publication = await obs.connect()
        broadcast(publication, 5.0)
        publication.end(clean=True)
        clock.advance(10)
        numbers.append(sequence_numbers(playlist(obs.stream)))
        assert not names & set(uris(obs.stream))
        names |= set(uris(obs.stream))
    (first, zero), (second, _), (third, discontinuity) = numbers
    assert (second, third) == (first + 3, first + 6)
    assert zero == 0
    assert discontinuity == 1


async def test_sequence_numbers_go_on_when_the_session_is_long_forgotten(
    obs: Encoder, clock: FakeClock
) -> None:
    publication = await obs.connect()
    broadcast(publication, 21.0)
    publication.end(clean=True)
    last = sequence_numbers(playlist(obs.stream))[0] + len(uris(obs.stream)) - 1
    clock.advance(301)
    assert state_of(obs) is State.OFFLINE
    assert obs.stream.session is None
    broadcast(await obs.connect(), 4.2)
    assert sequence_numbers(playlist(obs.stream))[0] == last + 1


async def test_a_restarted_process_does_not_count_from_an_earlier_number(clock: FakeClock) -> None:
    before = Encoder(make_registry(clock))
    broadcast(await before.connect(), 60.0, meanwhile=clock.advance)
    reached = sequence_numbers(playlist(before.stream))[0]
    after = Encoder(make_registry(clock))
    broadcast(await after.connect(), 4.2)
    assert sequence_numbers(playlist(after.stream))[0] > reached


async def test_an_ended_stream_leaves_no_timer_behind(obs: Encoder, clock: FakeClock) -> None:
    for clean in (True, False):
        publication = await obs.connect()
        broadcast(publication, 3.0)
        publication.end(clean=clean)
    clock.advance(1000)
    assert clock.pending == 0
    assert state_of(obs) is State.OFFLINE


async def test_closing_sends_publishers_away_and_keeps_what_they_sent(obs: Encoder) -> None:
    publication = await obs.connect()
    broadcast(publication, 2.6)
    obs.registry.close("the server is shutting down")
    assert obs.dismissals == ["the server is shutting down"]
    assert state_of(obs) is State.RECONNECTING
    assert len(uris(obs.stream)) == 2


async def test_a_wrong_key_disturbs_nobody(clock: FakeClock) -> None:
    registry = Registry(
        GateKeeper([StreamKey("main", "right")], clock).gate,
        rules=Rules(),
        patience=Patience(),
        clock=clock,
        new_epoch=lambda: "e",
    )
    request = PublishRequest("live", "right", "", "peer", "OBS", "")
    broadcast(await registry.publish(request, lambda reason: None), 3.0)
    with pytest.raises(Refused, match="unknown stream key"):
        await registry.publish(
            PublishRequest("live", "wrong", "", "peer", "OBS", ""), lambda reason: None
        )
    stream = registry.find("main")
    assert stream is not None
    assert stream.state is State.LIVE


async def test_only_names_that_were_published_are_listed(obs: Encoder) -> None:
    assert obs.registry.find("other") is not None
    assert obs.registry.find("a/b") is None
    assert list(obs.registry) == []
    await obs.connect()
    assert [stream.name for stream in obs.registry] == ["main"]


def sequence_numbers(text: str) -> tuple[int, int]:
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(fields["#EXT-X-MEDIA-SEQUENCE"]), int(fields["#EXT-X-DISCONTINUITY-SEQUENCE"])
