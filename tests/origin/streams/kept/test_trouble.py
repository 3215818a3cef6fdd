"""Slow disks, full disks, strange files: live goes on, and numbers never go back."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import origin.hls.rendition as packaging
from origin.hls.fmp4 import fragment
from origin.media.sample import Sample
from origin.media.track import Track
from origin.store.journal import Pieces
from origin.streams.kept.keeper import PATIENCE_S
from origin.streams.stream import State
from origin.streams.waiting import Outcome
from tests.origin.streams.kept.test_restart import numbered, state_of, tag
from tests.support.broadcasts import broadcast
from tests.support.disks import FullDisk, SlowDisk
from tests.support.keeping import House


@pytest.fixture
async def house(tmp_path: Path) -> House:
    return House(tmp_path)


def reasons(logs: Sequence[Mapping[str, object]]) -> list[object]:
    return [line["reason"] for line in logs if line["event"] == "the window is lost"]


async def test_a_disk_that_stands_still_holds_up_neither_ingest_nor_viewers(house: House) -> None:
    house.kill()
    disk = SlowDisk()
    house.start(disk, limit_bytes=2000)
    publication = await house.publish()
    broadcast(publication, 3.0)
    held = house.stream.waiting.hold(lambda: True, 5.0)
    broadcast(publication, 3.0, begin=3000, with_headers=False)
    assert len(house.stream.waiting) == 1, "nothing of it is kept yet"
    house.clock.advance(PATIENCE_S)
    assert await held.outcome() is Outcome.READY
    broadcast(publication, 60.0, begin=6000, with_headers=False, meanwhile=house.clock.advance)
    assert len(numbered(house.playlist())) == 12
    assert house.writer.waiting_bytes <= 2000
    last = max(numbered(house.playlist()))

    disk.may_go_on.set()
    with capture_logs() as logs:
        house.restart()
    assert reasons(logs) == ["more had been shown than could be kept"]
    assert state_of(house) is State.OFFLINE
    broadcast(await house.publish(), 5.0)
    assert min(numbered(house.playlist())) > last


async def test_a_disk_that_was_full_for_a_while_costs_what_came_meanwhile(house: House) -> None:
    house.kill()
    disk = FullDisk(room=20_000)
    house.start(disk)
    publication = await house.publish()
    broadcast(publication, 10.0, meanwhile=house.wait)
    assert disk.room < 0
    assert state_of(house) is State.LIVE
    disk.room = 1 << 30
    for begin in range(10, 30, 5):
        broadcast(
            publication,
            5.0,
            begin=begin * 1000,
            with_headers=False,
            meanwhile=house.wait,
        )
    before = numbered(house.playlist())
    house.restart()
    after = numbered(house.playlist())
    assert max(after) in (max(before), max(before) + 1)
    assert min(after) > min(before)
    assert all(before[number] == name for number, name in after.items() if number in before)


async def test_who_waits_is_woken_when_it_is_kept(house: House) -> None:
    publication = await house.publish()
    broadcast(publication, 3.0)
    held = house.stream.waiting.hold(lambda: True, 5.0)
    broadcast(publication, 1.0, begin=3000, with_headers=False)
    house.settle()
    assert await held.outcome() is Outcome.READY
    assert house.clock.now == 0


async def test_a_disk_that_was_late_and_got_there_costs_nothing(house: House) -> None:
    house.kill()
    disk = SlowDisk()
    house.start(disk)
    publication = await house.publish()
    broadcast(publication, 5.2, meanwhile=house.clock.advance)
    before = numbered(house.playlist())
    disk.may_go_on.set()
    house.restart()
    assert before.items() <= numbered(house.playlist()).items()


async def test_the_next_boot_of_the_machine_trusts_numbers_only(house: House) -> None:
    broadcast(await house.publish(), 5.0)
    last = max(numbered(house.playlist()))
    house.kill()
    house.boot = "the next one"
    with capture_logs() as logs:
        house.start()
    assert reasons(logs) == ["the machine was restarted"]
    house.settle()
    assert not list(house.root.glob("main/*/*.segment"))
    house.restart()
    broadcast(await house.publish(), 5.0)
    playlist = house.playlist()
    assert min(numbered(playlist)) > last + 30, "what was not written may have been shown"
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1


async def test_a_version_that_packages_otherwise_does_not_put_its_bytes_under_old_names(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(
        sequence: int, tracks: tuple[Track, ...], samples: tuple[tuple[Sample, ...], ...]
    ) -> Pieces:
        return (b"free", *fragment(sequence, tracks, samples))

    broadcast(await house.publish(), 5.0)
    last = max(numbered(house.playlist()))
    house.kill()
    monkeypatch.setattr(packaging, "fragment", other)
    with capture_logs() as logs:
        house.start()
    assert reasons(logs) == ["this version would package it otherwise"]
    broadcast(await house.publish(), 5.0)
    assert min(numbered(house.playlist())) == last + 2


def cut_the_last(house: House) -> None:
    """In the midst of its last part."""
    path = max(house.root.glob("main/*/*.segment"))
    path.write_bytes(path.read_bytes()[:-100])


def damage_one(house: House) -> None:
    """In its first record."""
    path = sorted(house.root.glob("main/*/*.segment"))[3]
    path.write_bytes(path.read_bytes()[:200] + b"?" + path.read_bytes()[201:])


def lose_one(house: House) -> None:
    sorted(house.root.glob("main/*/*.segment"))[3].unlink()


def add_another_version_s(house: House) -> None:
    path = sorted(house.root.glob("main/*/*.segment"))[3]
    path.write_bytes(b"TIDEKEPT\x00\x09" + bytes(100))


def add_strangers(house: House) -> None:
    (house.root / "main" / "notes.txt").write_text("mine")
    (next(house.root.glob("main/*/")) / "1.segment").write_bytes(b"no segment")


@pytest.mark.parametrize(
    ("spoil", "left"),
    [
        (cut_the_last, 8),
        (damage_one, 4),
        (lose_one, 4),
        (add_another_version_s, 4),
        (add_strangers, 8),
    ],
)
async def test_what_is_broken_is_left_out_and_what_follows_it_is_shown(
    house: House, spoil: Callable[[House], None], left: int
) -> None:
    broadcast(await house.publish(), 15.2)
    before = numbered(house.playlist())
    house.kill()
    spoil(house)
    house.start()
    assert state_of(house) is State.RECONNECTING
    after = numbered(house.playlist())
    assert len(after) == left
    assert all(before[number] == name for number, name in after.items() if number in before)
    broadcast(await house.publish(), 3.0)
    assert max(numbered(house.playlist())) > max(before)


async def test_numbers_never_go_back_though_nothing_else_can_be_read(house: House) -> None:
    broadcast(await house.publish(), 15.2)
    last = max(numbered(house.playlist()))
    house.kill()
    (house.root / "main" / "note").write_bytes(b"TIDEKEPT\x00\x09")
    house.start()
    assert state_of(house) is State.OFFLINE
    house.clock.advance(20)
    broadcast(await house.publish(), 3.0)
    assert int(tag(house.playlist(), "MEDIA-SEQUENCE")[0]) > last, "the calendar sees to it"


async def test_our_own_mistake_costs_the_window_and_not_the_start(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError

    broadcast(await house.publish(), 5.0)
    house.kill()
    monkeypatch.setattr("origin.streams.kept.revival.read_begin", wrong)
    with capture_logs() as logs:
        house.start()
    assert [line["log_level"] for line in logs] == ["error"]
    assert state_of(house) is State.OFFLINE
