"""The origin is killed under a live publisher, again and again, and viewers see one broadcast."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plays.test_viewer import plays, reaches
from tests.support.browser import SMALL, chromium, visit
from tests.support.phoenix import phoenix
from tests.support.scarcity import TRIES, watched_for_scarcity
from tests.support.servers import edge, tidecast
from tests.support.streamer import streaming
from tests.validator.reading import OK, read
from tests.validator.recorder import Recorder
from tests.validator.session import Exchange, Purpose, Session
from tests.validator.validate import validate

pytestmark = [
    pytest.mark.lasts(95),
    pytest.mark.timeout(500),  # a minute and a half where nothing else runs
]

PATIENCE_S = 90
KILLS = 20
SEED = 4
BETWEEN_S = (1.7, 2.7)
LONGEST_SEGMENT_S = 2.0
UNAVAILABLE = 503
STALE = "stale-if-error"
"""What an edge says of a playlist that it stands in with."""
ASKED_AGAIN_AFTER_S = 1.0
"""By an edge, once its origin has failed."""
GAVE_UP = "hls.js gave up"
"""What the page writes to the console at each fatal error of hls.js."""


async def test_twenty_kills_cost_at_most_a_segment_each_and_break_no_rule(tmp_path: Path) -> None:
    for number in range(TRIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        async with watched_for_scarcity() as scarcity:
            sessions, lives = await kill_again_and_again(folder)
            was_starved = scarcity.was_there()
        recorded = [without_stand_ins(session) for session in sessions]
        faults = [str(each) for session in recorded for each in validate(session)]
        faults += [each for session in recorded for each in lost_too_much(session, lives)]
        if not faults or not was_starved:
            break
    assert faults == []


async def kill_again_and_again(folder: Path) -> tuple[list[Session], list[float]]:
    """What was recorded, and how much was sent before each kill."""
    moments = random.Random(SEED)
    async with (
        phoenix(folder) as origin,
        edge(folder, origin.control) as node,
        streaming(origin.rtmp_port) as streamer,
    ):
        recorders = [Recorder(f"{node.base}/main/{where}index.m3u8") for where in ("", "ts/")]
        async with recorders[0], recorders[1]:
            await recorders[0].saw_segments(1, PATIENCE_S)
            for kill in range(1, KILLS + 1):
                await streamer.sent(moments.uniform(*BETWEEN_S))
                with recorders[0].silence(), recorders[1].silence():
                    await origin.kill()
                    await streamer.sent(0.1, life=kill)
            await streamer.sent(BETWEEN_S[1])
            sessions = list(await asyncio.gather(*(each.stopped() for each in recorders)))
        log = (folder / "origin.log").read_text()
        assert log.count("stream restored") == KILLS
        assert "ERROR" not in log.upper(), log
        return sessions, list(streamer.lives)


async def test_a_viewer_in_a_browser_plays_on_over_a_kill(tmp_path: Path) -> None:
    async with (
        tidecast(tmp_path, "--open") as server,
        streaming(server.ports.rtmp) as streamer,
        chromium() as browser,
        visit(browser, viewport=SMALL) as viewer,
    ):
        await server.until("main", "live")
        await viewer.page.goto(f"{server.base}/main")
        await reaches(viewer.page, "live")
        await viewer.page.evaluate("window.sameDocument = true")
        assert await plays(viewer.page, 2.0, of=3.0)
        (origin,) = [pid for pid, line in server.children().items() if " cdn" not in line]
        os.kill(origin, signal.SIGKILL)
        await streamer.sent(4.0, life=1)
        await reaches(viewer.page, "live")
        assert await plays(viewer.page, 4.0, of=5.0)
        assert await viewer.page.evaluate("window.sameDocument")
        assert [line for line in viewer.complaints if GAVE_UP in line] == []
        assert await server.stop() == 0


def without_stand_ins(session: Session) -> Session:
    """Leave out what the edge answered in the origin's place, while that was away.

    That is what it promises: bodies that break off reach nobody as whole, what it does not have is
    503 with Retry-After, and a playlist that it stands in with is the last one, not to be kept.
    All that is listed must have come in the end: what never did is left in, and judged.
    """
    came = {exchange.request.url for exchange in session.exchanges if exchange.status == OK}
    return replace(
        session,
        exchanges=tuple(
            exchange
            for exchange in session.exchanges
            if not (is_in_an_outage(session, exchange) and is_stand_in(exchange, came))
        ),
    )


def is_in_an_outage(session: Session, exchange: Exchange) -> bool:
    return any(
        exchange.sent_s <= silence.to_s + ASKED_AGAIN_AFTER_S
        and exchange.received_s >= silence.from_s
        for silence in session.silences
    )


def is_stand_in(exchange: Exchange, came: set[str]) -> bool:
    if exchange.error is not None or exchange.status == UNAVAILABLE:
        return exchange.request.url in came
    is_playlist = exchange.request.purpose is Purpose.MEDIA_PLAYLIST
    return is_playlist and STALE in exchange.headers.get("cache-status", "")


def lost_too_much(session: Session, lives: list[float]) -> Iterator[str]:
    """What was sent before each kill is there but for the last segment of it at most."""
    (rendition,) = read(session).renditions
    domains = list(rendition.domains())
    assert len(domains) == len(lives) == KILLS + 1, "one discontinuity for each kill"
    for sent_s, domain in zip(lives[:-1], domains, strict=False):
        kept_s = sum(float(segment.listed.duration) for segment in domain)
        if kept_s <= sent_s - LONGEST_SEGMENT_S:
            yield f"{kept_s} s of {sent_s} s were kept"
