"""The origin is killed under a live publisher, again and again, and viewers see one broadcast."""

import asyncio
import os
import random
import signal
from dataclasses import replace
from pathlib import Path

from tests.plays.test_viewer import reaches, seconds_played_in
from tests.support.browser import chromium, visit
from tests.support.phoenix import phoenix
from tests.support.servers import edge, tidecast
from tests.support.streamer import streaming
from tests.validator.reading import OK, read
from tests.validator.recorder import Recorder
from tests.validator.session import Session
from tests.validator.validate import validate

KILLS = 20
SEED = 4
BETWEEN_S = (1.9, 2.9)
LONGEST_SEGMENT_S = 2.0
GAVE_UP = "hls.js gave up"
"""What the page writes to the console at each fatal error of hls.js."""


async def test_twenty_kills_cost_at_most_a_segment_each_and_break_no_rule(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    async with (
        phoenix(tmp_path) as origin,
        edge(tmp_path, origin.control) as node,
        streaming(origin.rtmp_port) as streamer,
    ):
        recorders = [Recorder(f"{node.base}/main/{where}index.m3u8") for where in ("", "ts/")]
        async with recorders[0], recorders[1]:
            await recorders[0].saw_segments(1, 30)
            for kill in range(1, KILLS + 1):
                await streamer.sent(moments.uniform(*BETWEEN_S))
                with recorders[0].silence(), recorders[1].silence():
                    await origin.kill()
                    await streamer.sent(0.1, life=kill)
            await streamer.sent(BETWEEN_S[1])
            sessions = list(await asyncio.gather(*(each.stopped() for each in recorders)))
        log = (tmp_path / "origin.log").read_text()
        assert log.count("stream restored") == KILLS
        assert "ERROR" not in log.upper(), log
    for session in map(without_what_broke_off, sessions):
        assert validate(session) == []
        assert_little_is_lost(session, streamer.lives)


async def test_a_viewer_in_a_browser_plays_on_over_a_kill(tmp_path: Path) -> None:
    async with (
        tidecast(tmp_path, "--open") as server,
        streaming(server.ports.rtmp) as streamer,
        chromium() as browser,
        visit(browser) as viewer,
    ):
        await server.until("main", "live")
        await viewer.page.goto(f"{server.base}/main")
        await reaches(viewer.page, "live")
        await viewer.page.evaluate("window.sameDocument = true")
        assert await seconds_played_in(viewer.page, 3.0) >= 2.0
        (origin,) = [pid for pid, line in server.children().items() if " cdn" not in line]
        os.kill(origin, signal.SIGKILL)
        await streamer.sent(4.0, life=1)
        await reaches(viewer.page, "live")
        assert await seconds_played_in(viewer.page, 5.0) >= 4.0
        assert await viewer.page.evaluate("window.sameDocument")
        assert [line for line in viewer.complaints if GAVE_UP in line] == []
        assert await server.stop() == 0


def without_what_broke_off(session: Session) -> Session:
    """Leave out answers that were under way when the process died, and came when asked for again.

    The edge neither keeps such a body nor passes it off as whole; every player asks once more.
    """
    whole = {exchange.request.url for exchange in session.exchanges if exchange.status == OK}
    broken = [
        exchange
        for exchange in session.exchanges
        if exchange.error is not None
        and exchange.request.url in whole
        and any(
            exchange.sent_s <= silence.to_s and exchange.received_s >= silence.from_s
            for silence in session.silences
        )
    ]
    return replace(session, exchanges=tuple(e for e in session.exchanges if e not in broken))


def assert_little_is_lost(session: Session, lives: list[float]) -> None:
    """What was sent before each kill is there but for the last segment of it at most."""
    (rendition,) = read(session).renditions
    domains = list(rendition.domains())
    assert len(domains) == len(lives) == KILLS + 1, "one discontinuity for each kill"
    for sent_s, domain in zip(lives[:-1], domains, strict=False):
        kept_s = sum(float(segment.listed.duration) for segment in domain)
        assert kept_s > sent_s - LONGEST_SEGMENT_S
