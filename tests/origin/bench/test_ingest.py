"""Publishers come in, are refused with the server's words, or are lost; each is counted."""

import asyncio
from pathlib import Path

import pytest

from origin.bench.broadcast import prepare
from origin.bench.clip import FRAME_RATE, SECONDS, make_clip
from origin.bench.errors import CannotMeasure
from origin.bench.greeting import Address, parse_address
from origin.bench.ingest import Ingest, IngestReport, run_ingest
from origin.media.coded import MediaKind
from tests.support.doors import ClosedDoor, OpenDoor
from tests.support.listeners import listening
from tests.support.servers import free_ports


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.flv"
    path.write_bytes(make_clip(300_000))
    return path


async def publish(url: str, ingest: Ingest) -> IngestReport:
    return await asyncio.to_thread(run_ingest, url, ingest)


async def test_every_publisher_is_let_in_and_its_frames_arrive(clip: Path) -> None:
    door = OpenDoor()
    async with listening(door) as server:
        report = await publish(server.url("cam-{n}"), Ingest(3, 2, clip))
    assert report.is_flawless, report
    assert sorted(each.request.name for each in door.publications) == ["cam-0", "cam-1", "cam-2"]
    for publication in door.publications:
        assert publication.frames(MediaKind.VIDEO)
        assert publication.frames(MediaKind.AUDIO)


async def test_a_refusal_is_reported_in_the_servers_words(clip: Path) -> None:
    async with listening(ClosedDoor("that key is not known here")) as server:
        report = await publish(server.url("cam-{n}"), Ingest(2, 1, clip))
    assert report.accepted == 0
    ((reason, count),) = report.refused.items()
    assert "that key is not known here" in reason
    assert count == 2


async def test_nobody_listening_is_a_refusal_and_no_hang(clip: Path) -> None:
    (port,) = free_ports(1)
    report = await publish(f"rtmp://127.0.0.1:{port}/live/cam", Ingest(1, 1, clip))
    assert report.accepted == 0
    assert "no connection" in next(iter(report.refused))


async def test_a_publisher_that_is_cut_off_is_lost(clip: Path) -> None:
    door = OpenDoor()
    async with listening(door) as server:
        publishing = asyncio.create_task(publish(server.url("cam"), Ingest(1, 30, clip)))
        await door.entered.wait()
        await door.publications[0].pushed.wait()
        door.publications[0].close("enough")
        report = await publishing
    assert report.accepted == 1
    assert sum(report.lost.values()) == 1


def test_every_pass_is_as_long_as_the_file_and_says_the_same() -> None:
    broadcast = prepare(make_clip(200_000))
    pictures = SECONDS * FRAME_RATE
    assert broadcast.period_ms == pytest.approx(SECONDS * 1000, abs=40)
    assert len(broadcast.first_slots) == len(broadcast.again_slots)
    assert len(broadcast.first_slots) - pictures in (0, 1)  # sound may come before the first one
    assert len(broadcast.first) == len(broadcast.again)


@pytest.mark.parametrize(
    "url", ["http://h/live/k", "rtmp://h/live", "rtmp:///live/k"], ids=["scheme", "no key", "host"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(CannotMeasure, match="rtmp://host/live/KEY"):
        parse_address(url, 1)


def test_several_publishers_need_several_keys() -> None:
    with pytest.raises(CannotMeasure, match="20 keys"):
        parse_address("rtmp://h/live/cam", 20)
    assert parse_address("rtmp://h:1/live/cam-{n}?t=1", 20) == Address(
        "h", 1, "live", "cam-{n}?t=1"
    )


def test_a_file_that_is_no_flv_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    with pytest.raises(CannotMeasure, match="not an FLV"):
        run_ingest("rtmp://127.0.0.1/live/cam", Ingest(file=path))
