"""The bandwidth test: a publish that is measured and never shown.

Whoever adds ``?bandwidthtest=true`` to a stream key (the form that Twitch has, and encoders with
it) is let in like any publisher of that key, and what comes is counted and dropped. There is no
stream, no playlist, nothing to list; a publisher who is live on the same stream is not disturbed.
The latest result of each stream is kept. A test ends with its publisher, or when its key is taken
back.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

import structlog

from origin.auth.keyring import Grant
from origin.media.coded import Coded, CodedFrame, MediaKind
from origin.observe.health.monitor import Monitor
from origin.observe.health.report import Report
from origin.observe.health.uplink import Uplink
from origin.streams.clock import Clock
from origin.streams.door import PublishRequest

MARK = "bandwidthtest"
YES = frozenset({"true", "1", "yes"})
LONGEST_QUERY = 1024

MOST_RESULTS = 100
"""Streams whose latest result is kept; where anybody may publish, anybody may make up names."""

log = structlog.get_logger()


class BandwidthTest:
    """One test; fulfils ``streams.door.Publication``."""

    def __init__(self, stream: str, clock: Clock, on_closed: Callable[[str], None]) -> None:
        self.stream = stream
        self._on_closed = on_closed
        self.began: datetime = clock.wall()
        self.is_running = True
        self._clock = clock
        self._began = clock.monotonic()
        self._monitor = Monitor(clock.monotonic)
        self._bytes = 0
        self._result: tuple[Uplink, Report] | None = None

    def push(self, at: int, unit: Coded) -> None:
        """Count a unit, and forget it."""
        if isinstance(unit, CodedFrame):
            self._bytes += len(unit.payload)
        self._monitor.take(at, unit)

    def relay(
        self, kind: MediaKind, at: int, body: memoryview | bytes, held: tuple[Coded, ...]
    ) -> None:
        """Nobody watches a test."""

    def describe(self, metadata: Mapping[str, object]) -> None:
        """Take onMetaData."""
        self._monitor.describe(metadata)

    def end(self, *, clean: bool) -> None:
        """The test is over, however it ended."""
        if not self.is_running:
            return
        self._result = self._measure()
        self.is_running = False
        log.info(
            "bandwidth test is over", stream=self.stream, result=self._result[0].sentence,
            said_goodbye=clean,
        )  # fmt: skip

    def dismiss(self, reason: str) -> None:
        """Send its publisher away, for a reason that it is told."""
        self.end(clean=False)
        self._on_closed(reason)

    def result(self) -> tuple[Uplink, Report]:
        """What has been found so far, or in the end."""
        return self._result or self._measure()

    def _measure(self) -> tuple[Uplink, Report]:
        seconds = self._clock.monotonic() - self._began
        report = self._monitor.report()
        return Uplink(seconds, self._bytes, self._monitor.worst_lag_ms), report


class BandwidthTests:
    """The latest test of each stream, running or over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tests: dict[str, BandwidthTest] = {}
        self._running: list[tuple[Grant, BandwidthTest]] = []  # and those just over

    def begin(self, grant: Grant, peer: str, on_closed: Callable[[str], None]) -> BandwidthTest:
        """Let a test begin; it takes the place of the stream's last one."""
        stream = grant.stream
        log.info("bandwidth test begins", stream=stream, peer=peer)
        self._tests.pop(stream, None)
        if len(self._tests) >= MOST_RESULTS:
            del self._tests[next(iter(self._tests))]
        test = self._tests[stream] = BandwidthTest(stream, self._clock, on_closed)
        self._running = [pair for pair in self._running if pair[1].is_running]
        self._running.append((grant, test))
        return test

    def dismiss(self, is_unwanted: Callable[[Grant], bool], reason: str) -> None:
        """Send away whoever tests by a grant that is unwanted."""
        for grant, test in self._running:
            if test.is_running and is_unwanted(grant):
                test.dismiss(reason)

    def find(self, stream: str) -> BandwidthTest | None:
        """The latest test of ``stream``, if there was one."""
        return self._tests.get(stream)


def is_bandwidth_test(request: PublishRequest) -> bool:
    """Whether ``request`` carries the mark, wherever the encoder has put the query."""
    return any(
        name.lower() == MARK and value.strip().lower() in YES
        for query in _queries(request)
        for name, value in parse_qsl(query[:LONGEST_QUERY])
    )


def _queries(request: PublishRequest) -> Iterator[str]:
    yield request.query
    for text in (request.name, request.app, request.tc_url):
        yield text.partition("?")[2].partition("/")[0]
