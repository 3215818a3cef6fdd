"""A process is killed under a live publisher; the next one goes on where it was."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from origin.streams.stream import State
from tests.support.broadcasts import AAC_HEADER, AVC_HEADER, broadcast, media
from tests.support.keeping import House, named_in

DATE = "#EXT-X-PROGRAM-DATE-TIME:"


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


def state_of(house: House) -> State:
    return house.stream.state


def tag(playlist: str, name: str) -> list[str]:
    return re.findall(rf"^#EXT-X-{name}:(.*)$", playlist, re.MULTILINE)


def numbered(playlist: str) -> dict[int, str]:
    """Segments by media sequence number."""
    first = int(tag(playlist, "MEDIA-SEQUENCE")[0])
    names = [line for line in playlist.splitlines() if line and not line.startswith("#")]
    return dict(enumerate(names, first))


def entries(playlist: str) -> dict[str, list[str]]:
    """What is said of each segment, but for its parts, by its name."""
    said: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in playlist.splitlines():
        if line.startswith((DATE, "#EXTINF", "#EXT-X-DISCONTINUITY\n")):
            lines.append(line)
        elif line and not line.startswith("#"):
            said[line], lines = lines, []
    return said


async def test_between_two_segments_everything_is_as_it_was(house: House) -> None:
    publication = await house.publish()
    broadcast(publication, 70.0)
    publication.end(clean=False)
    before, served, state = house.playlist(), house.served(), house.presentation.memory()
    house.restart()
    assert state_of(house) is State.RECONNECTING
    after = house.playlist()
    assert after.replace("epoch1", "epoch0") == before, "but for the next part's name"
    assert house.served() == served
    assert house.presentation.segment_count == state.segment_count
    assert house.presentation.memory().renditions == state.renditions
    assert house.presentation.oldest_msn < int(tag(after, "MEDIA-SEQUENCE")[0])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(60, 600), min_size=1, max_size=3))
async def test_whenever_it_is_killed_nothing_that_was_shown_comes_back_as_something_else(
    kills: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = House(tmp_path_factory.mktemp("house"))
    seen: dict[str, bytes] = {}
    said: dict[str, list[str]] = {}
    numbers: dict[int, str] = {}
    lost = 0
    for frames in kills:
        publication = await house.publish()
        publication.push(0, AVC_HEADER)
        publication.push(0, AAC_HEADER)
        for at, frame in list(media(15))[:frames]:
            publication.push(at, frame)
        house.clock.advance(frames / 68)
        if not house.presentation.main.listed:
            house.restart()
            continue
        last = max(numbered(house.playlist()))
        parts = house.presentation.main.last_part
        look(house, seen, said, numbers)
        house.restart()
        assert state_of(house) is State.RECONNECTING
        now = house.playlist()
        lost += last not in numbered(now)
        assert house.presentation.main.last_part == parts, "no part is lost that was kept"
        look(house, seen, said, numbers)
    assert not lost


def look(
    house: House, seen: dict[str, bytes], said: dict[str, list[str]], numbers: dict[int, str]
) -> None:
    """See all there is; whatever was seen before must be the same."""
    playlist = house.playlist()
    for name, content in house.served().items():
        if name != "index.m3u8":
            assert seen.setdefault(name, content) == content, name
    for name, lines in entries(playlist).items():
        assert said.setdefault(name, lines) == lines
    for number, name in numbered(playlist).items():
        assert numbers.setdefault(number, name) == name
    assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1))


async def test_a_segment_that_was_open_is_closed_under_a_new_name_with_the_parts_it_had(
    house: House,
) -> None:
    broadcast(await house.publish(), 5.2)
    parts = [name for name in named_in(house.playlist()) if name.count(".") == 2]
    house.restart()
    listed = list(numbered(house.playlist()).values())
    assert [name.split("-")[0] for name in listed] == ["epoch0", "epoch0", "epoch1"]
    assert parts[-2] in named_in(house.playlist()), "the last part that was listed"
    house.restart()
    assert list(numbered(house.playlist()).values()) == listed, "and stays so"


async def test_a_publisher_who_comes_back_goes_on_with_one_discontinuity(house: House) -> None:
    broadcast(await house.publish(), 5.2)
    house.clock.advance(5.2)
    before = house.playlist()
    house.restart()
    house.clock.advance(1)
    broadcast(await house.publish(), 6.2)
    assert state_of(house) is State.LIVE
    after = house.playlist()
    assert after.count("#EXT-X-DISCONTINUITY\n") == 1
    assert sorted(numbered(after)) == list(range(min(numbered(before)), max(numbered(after)) + 1))
    for name in ("TARGETDURATION", "SERVER-CONTROL", "PART-INF", "VERSION", "MEDIA-SEQUENCE"):
        assert tag(after, name) == tag(before, name)
    dates = [line for line in after.splitlines() if line.startswith(DATE)]
    assert dates == sorted(dates)
    assert len(set(dates)) == len(dates)


async def test_the_window_moves_on_over_restarts_and_what_leaves_it_leaves_the_disk(
    house: House,
) -> None:
    for _ in range(10):
        broadcast(await house.publish(), 12.2)
        house.clock.advance(12.2)
        house.restart()
    playlist = house.playlist()
    assert int(tag(playlist, "DISCONTINUITY-SEQUENCE")[0]) == 7
    assert len(numbered(playlist)) == 12
    kept = {int(path.stem) for path in house.root.glob("main/*/*.segment")}
    assert kept == set(range(house.presentation.oldest_msn, house.presentation.next_msn))
    assert len(kept) < 30
    assert len(list((house.root / "main").iterdir())) == 2, "a session and a note"


async def test_sigterm_publishes_and_keeps_what_was_sent(house: House) -> None:
    publication = await house.publish()
    broadcast(publication, 5.3)
    house.registry.close("the server is shutting down")
    before = house.playlist()
    lengths = re.findall(r"^#EXTINF:([\d.]+)", before, re.MULTILINE)
    assert sum(map(float, lengths)) == pytest.approx(5.3, abs=0.05)
    house.restart()
    assert house.playlist().replace("epoch1", "epoch0") == before
    assert state_of(house) is State.RECONNECTING


async def test_grace_begins_anew_with_the_process(house: House) -> None:
    broadcast(await house.publish(), 5.2)
    house.clock.advance(5)
    house.restart()
    house.clock.advance(89)
    assert state_of(house) is State.RECONNECTING
    house.clock.advance(2)
    assert state_of(house) is State.ENDED
    assert house.playlist().endswith("#EXT-X-ENDLIST\n")


async def test_an_ended_session_is_served_for_the_rest_of_its_time(house: House) -> None:
    publication = await house.publish()
    broadcast(publication, 5.2)
    publication.end(clean=True)
    ended_at, before, served = house.clock.wall(), house.playlist(), house.served()
    house.clock.advance(200)
    house.restart()
    assert state_of(house) is State.ENDED
    assert house.stream.last_live == house.stream.since == ended_at
    assert house.playlist() == before
    assert house.served() == served
    house.clock.advance(101)
    assert state_of(house) is State.OFFLINE
    house.settle()
    assert not list(house.root.glob("main/*/*.segment"))


@pytest.mark.parametrize(("step_s", "left_s"), [(-7200, 300), (7200, 0)])
async def test_a_wall_clock_that_steps_neither_keeps_a_session_for_ever_nor_breaks_it(
    house: House, step_s: float, left_s: float
) -> None:
    publication = await house.publish()
    broadcast(publication, 5.2)
    publication.end(clean=True)
    house.kill()
    house.clock.now += step_s
    house.start()
    assert state_of(house) is State.ENDED
    house.clock.advance(left_s + 1)
    assert state_of(house) is State.OFFLINE


async def test_the_next_session_goes_on_with_the_numbers_of_one_that_is_forgotten(
    house: House,
) -> None:
    publication = await house.publish()
    broadcast(publication, 5.2)
    publication.end(clean=True)
    last = max(numbered(house.playlist()))
    house.clock.advance(301)
    assert state_of(house) is State.OFFLINE
    live = house.stream.last_live
    house.restart()
    assert state_of(house) is State.OFFLINE
    assert house.stream.last_live == live
    broadcast(await house.publish(), 5.2)
    playlist = house.playlist()
    assert min(numbered(playlist)) == last + 1
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1


async def test_a_session_of_which_nothing_was_shown_leaves_nothing_behind(house: House) -> None:
    broadcast(await house.publish(), 1.2)
    house.restart()
    assert state_of(house) is State.OFFLINE
    assert house.stream.session is None
    house.settle()
    assert not list(house.root.glob("main/*/*.segment"))


async def test_a_session_cut_by_other_rules_is_served_and_has_ended(house: House) -> None:
    broadcast(await house.publish(), 5.2)
    last = max(numbered(house.playlist()))
    house.kill()
    house.rules = type(house.rules)(segment_s=4.0)
    house.clock.advance(1000)
    house.start()
    house.clock.advance(200)
    house.restart()
    house.clock.advance(99)
    assert state_of(house) is State.ENDED
    assert house.playlist().endswith("#EXT-X-ENDLIST\n")
    broadcast(await house.publish(), 9.2)
    assert min(numbered(house.playlist())) == last + 2
    assert tag(house.playlist(), "TARGETDURATION") == ["4"]


async def test_clean_ends_and_grace_leave_no_timer_and_no_file_behind(house: House) -> None:
    for _ in range(3):
        publication = await house.publish()
        broadcast(publication, 3.0)
        publication.end(clean=True)
    house.clock.advance(301)
    house.settle()
    assert house.clock.pending == 0
    assert [path.name for path in (house.root / "main").iterdir()] == ["note"]
