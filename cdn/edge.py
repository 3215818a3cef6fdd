"""The parts of one edge process: made here, put together here, and changed by a reload here.

A reload (SIGHUP) changes what the next request meets: rules, limits, origins, the certificate. It
drops nothing: the cache stays, connections stay, and fetches under way end at the origins that they
were sent to, whose connections are closed after the last of them.
"""

import asyncio
from contextlib import AbstractAsyncContextManager

from cdn.cache.cache import Cache, Limits
from cdn.clock import Clock
from cdn.fetch.failover import Failover
from cdn.fetch.upstream import Reply
from cdn.figures import Parts, export, export_connections, export_origins
from cdn.front.app import App
from cdn.front.door import Door, most_connections
from cdn.front.hall import Deadlines, Hall
from cdn.front.tls import Certificate
from cdn.health import Health
from cdn.http.freshness import Lifetime
from cdn.http.keys import Key
from cdn.http.loops import PSEUDONYM
from cdn.http.message import Head
from cdn.observe import Metrics
from cdn.observe.access_log import AccessLog
from cdn.observe.ages import PlaylistAges
from cdn.observe.fetches import Fetches
from cdn.observe.lag import LoopLag
from cdn.policy import Policy
from cdn.settings import EdgeSettings, Listen, Log


class Edge:
    """The parts of one edge process and who knows whom; made inside of the running loop."""

    def __init__(self, settings: EdgeSettings, clock: Clock, name: str = PSEUDONYM) -> None:
        self.settings = settings
        self.health = Health(clock)
        self._clock = clock
        self._name = name
        self._policy = Policy(settings.rules, settings.cache)
        self._retiring: set[asyncio.Task[None]] = set()
        self.metrics = Metrics()
        self.lag = LoopLag(clock, self.metrics.lagged)
        self.access_log = access_log_of(settings.log)
        self.failover = Failover(settings.origin, self.health, clock, name)
        ages = PlaylistAges()
        fetches = Fetches(self._ask_origin, self.metrics, ages, clock)
        self.cache = Cache(
            fetch=fetches,
            judge=self._judge,
            clock=clock,
            limits=limits_of(settings),
        )
        self.app = App(
            cache=self.cache,
            clock=clock,
            health=self.health,
            probe=self._probe_origin,
            metrics=self.metrics,
            name=name,
            access_log=self.access_log,
        )
        self.certificate = certificate_of(settings.listen)
        self.hall = self._hall(settings, clock)
        parts = Parts(self.cache, self.health, fetches, ages, self.access_log)
        export(self.metrics, parts, clock)
        export_origins(self.metrics, lambda: self.failover)

    def _hall(self, settings: EdgeSettings, clock: Clock) -> Hall:
        hall = Hall(
            cache=self.cache,
            clock=clock,
            health=self.health,
            metrics=self.metrics,
            deadlines=deadlines_of(settings.listen),
            door=Door(most_of(settings), settings.listen.connections_per_address),
            access_log=self.access_log,
            is_tls=self.certificate is not None,
        )
        export_connections(self.metrics, hall)
        return hall

    async def open(self) -> None:
        await self.failover.open()

    async def reload(self, settings: EdgeSettings) -> None:
        """Go on with other settings; raise ``SettingsError``, and change nothing, if they are bad.

        What is changed must be what ``reload.merged`` lets through. Requests under way end as they
        began: fetches at the origins that they were sent to, connections with their certificate.
        """
        if self.certificate is not None:
            self.certificate.load()
        before, self.settings = self.settings, settings
        self._policy = Policy(settings.rules, settings.cache)
        self.cache.limit(limits_of(settings))
        self.hall.deadlines = deadlines_of(settings.listen)
        self.hall.door.limit(most_of(settings), settings.listen.connections_per_address)
        if self.access_log is not None:
            self.access_log.pick(settings.log.access_sample)
            self.access_log.reopen()
        if settings.origin != before.origin:
            await self._change_origins(settings)

    async def close(self) -> None:
        await self.cache.close()
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await self.failover.close()
        if self.access_log is not None:
            self.access_log.close()

    async def _change_origins(self, settings: EdgeSettings) -> None:
        before = self.failover
        self.failover = Failover(settings.origin, self.health, self._clock, self._name)
        await self.failover.open()
        retiring = asyncio.create_task(before.retire())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _judge(self, key: Key, head: Head) -> Lifetime:
        return self._policy.judge(key, head)

    def _ask_origin(self, key: Key, etag: bytes | None) -> AbstractAsyncContextManager[Reply]:
        return self.failover.fetch(key, etag)

    async def _probe_origin(self) -> None:
        await self.failover.probe()


def limits_of(settings: EdgeSettings) -> Limits:
    """Return how much the cache keeps, and how patient it is."""
    cache = settings.cache
    return Limits(memory_bytes=cache.memory, patience_s=cache.patience_s, retry_s=cache.retry_s)


def deadlines_of(listen: Listen) -> Deadlines:
    """Return how long connections may keep the edge waiting."""
    return Deadlines(listen.head_timeout_s, listen.keep_alive_s, listen.slow_reader_s)


def most_of(settings: EdgeSettings) -> int:
    """Return how many connections of viewers there may be."""
    return most_connections(settings.listen.connections, settings.origin.connections)


def access_log_of(settings: Log) -> AccessLog | None:
    """Open the access log, if there is to be one."""
    if settings.access_sample == 0:
        return None
    return AccessLog(settings.access_sample, settings.access_file)


def certificate_of(listen: Listen) -> Certificate | None:
    """Read the certificate, if the port is to speak TLS."""
    if listen.tls_certificate is None or listen.tls_key is None:
        return None
    return Certificate(listen.tls_certificate, listen.tls_key)
