"""Whole sessions, recorded through the edge and judged by every rule of the validator.

Some rules are about time. Sessions that break any while the machine left somebody without a
processor show nothing about us, and are played again, twice at most.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.hls_parser import check_playlists
from tests.support.ladders import Rung, climbing
from tests.support.pushers import Ffmpeg, Picture, Pusher, Sound, pushing
from tests.support.scarcity import TRIES, watched_for_scarcity
from tests.support.servers import TidecastProcess, tidecast
from tests.validator.reading import read
from tests.validator.recorder import Recorder
from tests.validator.reload_rules import twins
from tests.validator.session import Probe, Purpose, Session
from tests.validator.validate import validate

pytestmark = pytest.mark.timeout(360)  # half a minute where nothing else runs

PATIENCE_S = 120
GONE_S = 3.0
CAMERA, MICROPHONE = Picture(), Sound()

Plot = Callable[["Stage"], Awaitable[None]]


class Stage:
    """One stream, with a recorder on each of its two multivariant playlists."""

    def __init__(self, server: TidecastProcess, name: str) -> None:
        self.name = name
        self.rtmp_url = server.rtmp_url(name)
        self.recorders = [
            Recorder(f"{server.base}/{name}/{container}index.m3u8") for container in ("", "ts/")
        ]

    @asynccontextmanager
    async def publisher(
        self,
        picture: Picture | None = CAMERA,
        sound: Sound | None = MICROPHONE,
        ffmpeg: Ffmpeg = Ffmpeg.NINE,
    ) -> AsyncIterator[Pusher]:
        """A publisher in real time, until the block ends or it is told to stop."""
        async with pushing(self.rtmp_url, picture, sound, ffmpeg=ffmpeg) as pusher:
            yield pusher

    @asynccontextmanager
    async def ladder(self, rungs: list[Rung], *, sounds: int) -> AsyncIterator[Pusher]:
        """A publisher of several pictures."""
        async with climbing(self.rtmp_url, rungs, sounds=sounds) as pusher:
            yield pusher

    async def quiet(self, seconds: float) -> None:
        """Let nobody publish for a while, and let the recorders know."""
        with self.recorders[0].silence(), self.recorders[1].silence():
            await asyncio.sleep(seconds)

    async def saw(self, segments: int) -> None:
        """Wait until both recorders have fetched so many segments."""
        await asyncio.gather(*(each.saw_segments(segments, PATIENCE_S) for each in self.recorders))


async def a_plain_broadcast(stage: Stage) -> None:
    """B-frames, FFmpeg 9, and a polite end after ten segments."""
    async with stage.publisher(Picture(b_frames=2)) as pusher:
        await stage.saw(10)
        await pusher.stop()


async def an_older_encoder(stage: Stage) -> None:
    """FFmpeg 5.1, no B-frames, keyframes at one second."""
    async with stage.publisher(Picture(gop_frames=30), ffmpeg=Ffmpeg.DEBIAN) as pusher:
        await stage.saw(10)
        await pusher.stop()


async def sound_alone(stage: Stage) -> None:
    """No picture at all."""
    async with stage.publisher(picture=None) as pusher:
        await stage.saw(8)
        await pusher.stop()


async def a_picture_alone(stage: Stage) -> None:
    """No sound at all."""
    async with stage.publisher(sound=None) as pusher:
        await stage.saw(6)
        await pusher.stop()


async def a_lost_connection(stage: Stage) -> None:
    """Gone in the middle of a GOP, and back after three seconds with the same settings."""
    async with stage.publisher() as pusher:
        await stage.saw(4)
        await pusher.vanish()
    await stage.quiet(GONE_S)
    async with stage.publisher() as pusher:
        await stage.saw(9)
        await pusher.stop()


async def another_encoder_comes_back(stage: Stage) -> None:
    """Lost, and replaced by one with another size, other B-frames and another sample rate."""
    async with stage.publisher() as pusher:
        await stage.saw(4)
        await pusher.vanish()
    await stage.quiet(GONE_S)
    other = Picture(width=480, height=270, b_frames=2)
    async with stage.publisher(other, Sound(sample_rate=44_100)) as pusher:
        await stage.saw(9)
        await pusher.stop()


async def long_groups_of_pictures(stage: Stage) -> None:
    """Keyframes only every three seconds: a target duration of three."""
    async with stage.publisher(Picture(gop_frames=90, b_frames=2)) as pusher:
        await stage.saw(6)
        await pusher.stop()


async def keyframes_that_stay_away(stage: Stage) -> None:
    """At first every two seconds, and then none for six: segments have to be cut without."""
    picture = Picture(gop_frames=900, keyframes_s=(2, 4, 10, 12, 14, 16, 18))
    async with stage.publisher(picture) as pusher:
        await stage.saw(8)
        await pusher.stop()


async def several_qualities(stage: Stage) -> None:
    """Two pictures with one sound: two muxed renditions. Only one encoder reorders."""
    async with stage.ladder([Rung(320, 400, b_frames=2), Rung(160, 100)], sounds=1) as pusher:
        await stage.saw(10)
        await pusher.stop()


async def several_sounds(stage: Stage) -> None:
    """Two pictures without sound, and two sounds to choose from."""
    rungs = [Rung(320, 400, b_frames=2), Rung(160, 100)]
    async with stage.ladder(rungs, sounds=2) as pusher:
        await stage.saw(14)
        await pusher.stop()


PLOTS: tuple[Plot, ...] = (
    a_plain_broadcast,
    an_older_encoder,
    sound_alone,
    a_picture_alone,
    a_lost_connection,
    another_encoder_comes_back,
    long_groups_of_pictures,
    keyframes_that_stay_away,
    several_qualities,
    several_sounds,
)
RENDITIONS = {
    "several_qualities": ({"v0", "v1"}, {"v0", "v1"}),
    "several_sounds": ({"p0", "p1", "a0", "a1"}, {"p0", "p1"}),
}
"""By play: those of fMP4, and those of TS; otherwise there is v0."""
CLASSIC: tuple[Plot, ...] = (a_plain_broadcast,)
NO_LOW_LATENCY = ("--low-latency", "false")


BILLS = (PLOTS[:4], PLOTS[4:8], PLOTS[8:])
"""What is played at the same time: recording all of them at once would keep a processor busy."""

Sessions = dict[str, list[Session]]


@pytest.mark.parametrize("plots", BILLS, ids=lambda plots: plots[0].__name__)
async def test_no_rule_is_broken_in_any_session(tmp_path: Path, plots: tuple[Plot, ...]) -> None:
    sessions = await perform_without_fault(tmp_path, plots)
    assert_low_latency(sessions)
    assert_strict_parser_agrees(sessions)


async def test_no_rule_is_broken_without_low_latency(tmp_path: Path) -> None:
    sessions = await perform_without_fault(tmp_path, CLASSIC, *NO_LOW_LATENCY)
    assert all(not parts_of(each) for recorded in sessions.values() for each in recorded)
    assert_strict_parser_agrees(sessions)


async def perform_without_fault(directory: Path, plots: tuple[Plot, ...], *flags: str) -> Sessions:
    """Play all plots; no rule may be broken."""
    for number in range(TRIES):
        folder = directory / str(number)
        folder.mkdir()
        async with tidecast(folder, "--open", *flags) as server, watched_for_scarcity() as scarcity:
            sessions = await perform_all(server, plots)
            assert "ERROR" not in server.output().upper(), server.output()
            was_starved = scarcity.was_there()
        broken = broken_rules(sessions)
        if not broken or not was_starved:
            break
    assert not broken, "\n".join(broken)
    return sessions


async def perform_all(server: TidecastProcess, plots: tuple[Plot, ...]) -> Sessions:
    """Play all plots on one server, at the same time."""
    stages = {plot.__name__: Stage(server, plot.__name__) for plot in plots}
    plays = [perform(stages[plot.__name__], plot) for plot in plots]
    return dict(zip(stages, await asyncio.gather(*plays), strict=True))


def broken_rules(sessions: Sessions) -> list[str]:
    return [
        f"{name}: {violation}"
        for name, recorded in sessions.items()
        for session in recorded
        for violation in validate(session)
    ]


def parts_of(session: Session) -> int:
    return sum(len(rendition.parts) for rendition in read(session).renditions)


def assert_low_latency(sessions: Sessions) -> None:
    """In fMP4 all readers had something to do; in TS there is no low latency."""
    compared = 0
    for name, (fmp4, ts) in sessions.items():
        assert not parts_of(ts)
        expected = RENDITIONS.get(name, ({"v0"}, {"v0"}))
        assert (names(fmp4), names(ts)) == expected
        for rendition in read(fmp4).renditions:
            assert len(rendition.parts) > len(rendition.segments)
            for probe in (Probe.BLOCKING, Probe.WHOLE, Probe.LONG_AGO, Probe.REORDERED):
                assert rendition.chain(probe), probe
            compared += len(list(twins(rendition)))
    assert compared, "no delta update could be compared with its full playlist"


def names(session: Session) -> set[str]:
    """What the renditions are called."""
    return {rendition.url.split("/")[-2] for rendition in read(session).renditions}


async def perform(stage: Stage, plot: Plot) -> list[Session]:
    """Play the plot while both recorders watch; return what they saw."""
    async with stage.recorders[0], stage.recorders[1]:
        await plot(stage)
        return list(await asyncio.gather(*(r.ended(PATIENCE_S) for r in stage.recorders)))


def assert_strict_parser_agrees(sessions: Sessions) -> None:
    """hls-parser, in strict mode, reads every version of every playlist."""
    playlists = {
        (f"{name} {exchange.request.url}", exchange.body.decode())
        for name, recorded in sessions.items()
        for session in recorded
        for exchange in session.exchanges
        if exchange.request.purpose in (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
        and exchange.status == 200
        and exchange.body.startswith(b"#EXTM3U")
    }
    assert len(playlists) > 10 * len(sessions)
    complaints = [checked for checked in check_playlists(sorted(playlists)) if checked.findings]
    assert not complaints
