"""All origins together: one is asked, and where it fails, one more.

``origins`` decides who is asked; here are the connections, the second try and the probes.

A fetch is tried at a second origin in three cases, and never once a byte of a body has been handed
on:

- the first gave no answer, or a server error;
- it said 503: it is starting or draining, and the other may not be;
- it said 404, and origins are asked in order (``retry_missing``). Origins that are fed alike differ
  for moments only, and that moment is where one was restarted and its publishers are not all
  back. Where each stream has its own origin, that one's word holds.

If the second has nothing better to say, the first answer stands. There is no third try: a viewer's
request costs at most two, whatever it asks for.

With several origins each is probed in the background. An origin that goes down takes nobody along:
requests that wait there for an answer (blocked playlists wait for seconds) are called back, and
asked again at the next. With one origin nothing of this exists: there is nowhere else to go, and
``health`` asks it when somebody wants to know.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from cdn.clock import Clock, Timer
from cdn.errors import OriginFailed
from cdn.fetch.origins import Choice, Origins, Turn, stream_of
from cdn.fetch.upstream import Reply, Upstream
from cdn.health import Health
from cdn.http.keys import Key
from cdn.http.loops import PSEUDONYM
from cdn.settings import Origin

LOG_EVERY_S = 10.0
"""No more than one outage of an origin is logged in this time; its end is, if its beginning was."""


class Member:
    """One origin among others: its connections, and what is counted of it."""

    def __init__(
        self, settings: Origin, url: str, name: str, heard: Callable[["Member", str | None], None]
    ) -> None:
        self.url = url
        self.fetches = 0
        self.failures = 0
        self.is_logged = False
        self.logged_at: float | None = None
        self.upstream = Upstream(settings, url, self, name)
        self._heard = heard

    def answered(self) -> None:
        """Hear from the upstream that it was answered (``upstream.Watcher``)."""
        self._heard(self, None)

    def failed(self, reason: str) -> None:
        """Hear from the upstream that it was not."""
        self.failures += 1
        self._heard(self, reason)


class Failover:
    """The origins of one edge process; made anew where the settings of origins change."""

    def __init__(
        self, settings: Origin, health: Health, clock: Clock, name: str = PSEUDONYM
    ) -> None:
        self._settings = settings
        self._health = health
        self._clock = clock
        self._origins = Origins(
            settings.url, Choice(settings.choice), settings.down_after, settings.up_after
        )
        self.members = [Member(settings, url, name, self._heard) for url in settings.url]
        self._log = structlog.get_logger("edge")
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._next_round: Timer | None = None
        self._round: asyncio.Task[None] | None = None

    async def open(self) -> None:
        for member in self.members:
            await member.upstream.open()
        if len(self.members) > 1:
            self._start_round()

    async def close(self) -> None:
        if self._next_round is not None:
            self._next_round.cancel()
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)
        for member in self.members:
            await member.upstream.close()

    async def retire(self) -> None:
        """Close once the last fetch is over; the settings see to it that each is, one day."""
        try:
            await self._idle.wait()
        finally:
            await self.close()

    def conditions(self) -> Iterator[tuple[Member, bool]]:
        """Return each origin, and whether it counts as well."""
        for place, member in enumerate(self.members):
            yield member, self._origins.is_well(place)

    @asynccontextmanager
    async def fetch(self, key: Key, etag: bytes | None) -> AsyncGenerator[Reply]:
        """Ask for a key; with an ETag, only for what is newer."""
        self._in_flight += 1
        self._idle.clear()
        try:
            async with AsyncExitStack() as stack:
                try:
                    reply = await self._reply(stack, key, etag)
                except OriginFailed as failure:
                    self._health.failed(str(failure))
                    raise
                self._health.answered()
                yield reply
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def probe(self) -> None:
        """Ask all whether they are well; ``health`` hears of one that is, or that none is."""
        patience_s = self._settings.probe_timeout_s
        if len(self.members) == 1:
            patience_s = self._settings.first_byte_timeout_s
        asked = (member.upstream.probe(patience_s) for member in self.members)
        if any(await asyncio.gather(*asked)):
            self._health.answered()
        else:
            self._health.failed("no answer to /healthz")

    async def _reply(self, stack: AsyncExitStack, key: Key, etag: bytes | None) -> Reply:
        """Ask the first, and one more if that may help; return the better answer."""

        def ask(place: int) -> Awaitable[Reply]:
            member = self.members[place]
            member.fetches += 1
            return stack.enter_async_context(member.upstream.fetch(key, etag))

        stream = stream_of(key.target)
        ranking = self._origins.ranking(stream, self._clock.monotonic())
        if len(ranking) == 1:
            return await ask(ranking[0])
        try:
            first = await ask(ranking[0])
        except OriginFailed:
            return await ask(ranking[1])
        if not self._may_be_better_elsewhere(first.head.status):
            return first
        try:
            second = await ask(ranking[1])
        except OriginFailed:
            return first
        if second.head.status >= 400:
            return first
        self._origins.found(stream, ranking[1], self._clock.monotonic())
        return second

    def _may_be_better_elsewhere(self, status: int) -> bool:
        in_order = self._settings.choice == Choice.IN_ORDER.value
        return status == 503 or (status == 404 and in_order and self._settings.retry_missing)

    def _heard(self, member: Member, reason: str | None) -> None:
        place = self.members.index(member)
        turn = self._origins.answered(place) if reason is None else self._origins.failed(place)
        if len(self.members) == 1:
            if reason is not None:
                self._health.failed(reason)
        elif turn is Turn.WENT_DOWN:
            self._say_down(member, reason)
            member.upstream.give_up_waiting()
        elif turn is Turn.CAME_BACK and member.is_logged:
            member.is_logged = False
            self._log.info("an origin is back", origin=member.url)

    def _say_down(self, member: Member, reason: str | None) -> None:
        now = self._clock.monotonic()
        if member.logged_at is None or now - member.logged_at >= LOG_EVERY_S:
            member.is_logged, member.logged_at = True, now
            self._log.warning("an origin is down", origin=member.url, reason=reason)

    def _start_round(self) -> None:
        self._round = asyncio.create_task(self._probe_and_plan())

    async def _probe_and_plan(self) -> None:
        await self.probe()
        self._next_round = self._clock.call_later(
            self._settings.probe_interval_s, self._start_round
        )
