"""What to ask for next, so that a session can be judged: the recorder without the network.

A ``Watch`` is told of every answer and says what to ask for and when. Time comes from the
caller, so tests drive it with a clock of their own against an origin in memory, and the
recorder (``recorder``) drives it with aiohttp; both record the same things.

What it does with what it finds:

- the multivariant playlist is polled slowly, every media playlist quickly, until it ends;
- whatever a playlist lists is fetched at once, as a player would, and again while it is listed;
- a segment that leaves the playlist is fetched once more just before the time is over for
  which it has to remain (RFC 8216, 6.2.2: its duration and that of the longest playlist);
- where there is low latency, viewers who want it ask as well (``readers``);
- when the playlist has ended, all that it lists is fetched once more, and the playlist is
  polled a few times more, since it may not change any longer;
- one resource of every kind is probed for the manners of HTTP: HEAD, conditions, ranges,
  compression, preflight; and a name that cannot exist is asked for. Media playlists are asked
  for compressed again and again, since that is how browsers see them.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urljoin

from tests.validator.errors import UnreadableError
from tests.validator.playlist import (
    Listed,
    MediaPlaylist,
    decode,
    read_media,
    read_multivariant,
)
from tests.validator.readers import Readers
from tests.validator.session import READERS, Exchange, Probe, Purpose, Request

OK = 200
RANGE_FIRST, RANGE_LAST, SUFFIX_BYTES = 10, 99, 50
"""Bytes asked for by the range probes; every segment is longer."""
FAR_BEYOND = 10**12
NO_SUCH_TAG = '"no such tag"'
NO_SUCH_NAME = "0000-no-such-name.m4s"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to ask, in seconds."""

    playlist_s: float = 0.5
    multivariant_s: float = 3.0
    again_after_s: float = 3.0
    removal_margin_s: float = 2.0
    """How long before the end of its time a removed segment is asked for: what the poll and
    the caches in between may have delayed the news of its removal."""
    polls_after_end: int = 3
    gzip_every: int = 4
    """Every so many polls of a media playlist it is asked for compressed, too."""
    retry_s: float = 1.0
    retries: int = 3


@dataclass(slots=True)
class _Rendition:
    readers: Readers
    longest_s: float = 0.0
    listed: dict[int, Listed] = field(default_factory=dict)
    polls: int = 0
    polls_after_end: int = 0


@dataclass(order=True, slots=True)
class _Due:
    at_s: float
    order: int
    request: Request = field(compare=False)


class Watch:
    """One recording under way."""

    def __init__(self, url: str, pace: Pace) -> None:
        self._url = url
        self._pace = pace
        self._queue: list[_Due] = []
        self._order = count()
        self._in_flight = 0
        self._seen: dict[str, int] = {}
        """Tries by address of everything listed that was asked for."""
        self._gaps: set[str] = set()
        """Of those, what the playlist says is missing."""
        self._probed: set[Purpose] = set()
        self._renditions: dict[str, _Rendition] = {}
        self._stopping = False
        self.exchanges: list[Exchange] = []

    def begin(self, now_s: float) -> None:
        self._ask(now_s, Request(Purpose.MULTIVARIANT, Probe.PLAIN, self._url))

    def stop(self, now_s: float) -> None:
        """Poll no more; do at once what was to be done later."""
        self._stopping = True
        remaining = [due.request for due in sorted(self._queue)]
        self._queue.clear()
        for request in remaining:
            if not _is_of_a_living_stream(request):
                self._ask(now_s, request)

    @property
    def is_done(self) -> bool:
        return self._stopping and not self._queue and not self._in_flight

    @property
    def segments_fetched(self) -> int:
        """How many different segments there are bytes of."""
        return sum(
            exchange.request.purpose is Purpose.SEGMENT
            and exchange.request.probe is Probe.PLAIN
            and exchange.status == OK
            for exchange in self.exchanges
        )

    def next_due_s(self) -> float | None:
        return self._queue[0].at_s if self._queue else None

    def due(self, now_s: float) -> Iterator[Request]:
        """What to ask for now; each has to be answered by ``receive``."""
        while self._queue and self._queue[0].at_s <= now_s:
            self._in_flight += 1
            yield heapq.heappop(self._queue).request

    def receive(self, exchange: Exchange) -> None:
        """Take an answer, or the failure to get one."""
        self._in_flight -= 1
        self.exchanges.append(exchange)
        request, now_s = exchange.request, exchange.received_s
        if request.purpose is Purpose.MEDIA_PLAYLIST and request.probe in READERS:
            self._take_version(exchange, now_s)
        if request.probe is not Probe.PLAIN:
            return
        match request.purpose:
            case Purpose.MULTIVARIANT:
                self._take_multivariant(exchange, now_s)
            case Purpose.MEDIA_PLAYLIST:
                self._take_playlist(exchange, now_s)
            case Purpose.NOTHING:
                pass
            case _:
                self._take_media(exchange, now_s)
        is_first = request.purpose not in self._probed
        if exchange.status == OK and is_first and request.purpose is not Purpose.NOTHING:
            self._probed.add(request.purpose)
            for probe in probes(exchange):
                self._ask(now_s, probe)

    def _ask(self, at_s: float, request: Request) -> None:
        heapq.heappush(self._queue, _Due(at_s, next(self._order), request))

    def _poll_again(self, exchange: Exchange, pause_s: float) -> None:
        if not self._stopping:
            self._ask(exchange.received_s + pause_s, exchange.request)

    def _take_multivariant(self, exchange: Exchange, now_s: float) -> None:
        is_there = exchange.status == OK
        self._poll_again(exchange, self._pace.multivariant_s if is_there else self._pace.playlist_s)
        if not is_there:
            return
        try:
            uris = read_multivariant(decode(exchange.body)).media_uris
        except UnreadableError:
            return  # the rules see the same bytes and say so
        for uri in uris:
            url = urljoin(self._url, uri)
            if url not in self._renditions:
                self._renditions[url] = _Rendition(Readers(url, self._pace.retry_s))
                self._ask(now_s, Request(Purpose.MEDIA_PLAYLIST, Probe.PLAIN, url))

    def _take_version(self, exchange: Exchange, now_s: float) -> None:
        """Whoever asked: what it lists is fetched, and who waits asks again."""
        url = exchange.request.url.partition("?")[0]
        playlist = _playlist_of(exchange)
        if playlist is not None and not playlist.skipped:
            self._fetch_listed(url, playlist, now_s)
        if not self._stopping:
            for delay_s, request in self._renditions[url].readers.take(exchange, playlist):
                self._ask(now_s + delay_s, request)

    def _take_playlist(self, exchange: Exchange, now_s: float) -> None:
        url = exchange.request.url
        rendition = self._renditions[url]
        playlist = _playlist_of(exchange)
        if playlist is not None:
            rendition.polls += 1
            if rendition.polls % self._pace.gzip_every == 0:
                self._ask(now_s, _compressed(exchange.request))
            self._notice_removed(url, rendition, playlist, now_s)
            if playlist.is_ended:
                self._take_end(url, rendition, playlist, now_s)
        self._poll_again(exchange, self._pace.playlist_s)
        if all(each.polls_after_end > self._pace.polls_after_end for each in self._all()):
            self.stop(now_s)

    def _all(self) -> list[_Rendition]:
        return list(self._renditions.values())

    def _take_end(
        self, url: str, rendition: _Rendition, playlist: MediaPlaylist, now_s: float
    ) -> None:
        rendition.polls_after_end += 1
        if rendition.polls_after_end == 1:
            for purpose, uri in _listed(playlist):
                self._ask(now_s, Request(purpose, Probe.AFTER_END, urljoin(url, uri)))

    def _fetch_listed(self, url: str, playlist: MediaPlaylist, now_s: float) -> None:
        self._gaps |= {urljoin(url, uri) for uri in playlist.gaps}
        for purpose, uri in _listed(playlist):
            address = urljoin(url, uri)
            if address not in self._seen:
                self._seen[address] = 1
                self._ask(now_s, Request(purpose, Probe.PLAIN, address))

    def _notice_removed(
        self, url: str, rendition: _Rendition, playlist: MediaPlaylist, now_s: float
    ) -> None:
        current = {segment.msn: segment for segment in playlist.segments}
        removed = [each for msn, each in rendition.listed.items() if msn not in current]
        for segment in removed:
            remains_s = float(segment.duration) + rendition.longest_s
            at_s = now_s + max(0.0, remains_s - self._pace.removal_margin_s)
            address = urljoin(url, segment.uri)
            self._ask(at_s, Request(Purpose.SEGMENT, Probe.AFTER_REMOVAL, address))
        rendition.listed = current
        rendition.longest_s = max(rendition.longest_s, float(playlist.duration))

    def _take_media(self, exchange: Exchange, now_s: float) -> None:
        request = exchange.request
        if exchange.status == OK:
            again = Request(request.purpose, Probe.AGAIN, request.url)
            self._ask(now_s + self._pace.again_after_s, again)
        elif request.url in self._gaps:
            return
        elif self._seen[request.url] <= self._pace.retries and not self._stopping:
            self._seen[request.url] += 1
            self._ask(now_s + self._pace.retry_s, request)


def _is_of_a_living_stream(request: Request) -> bool:
    """Polls, and what is held until media comes."""
    is_playlist = request.purpose in (Purpose.MULTIVARIANT, Purpose.MEDIA_PLAYLIST)
    is_poll = is_playlist and request.probe in READERS - {Probe.AFTER_END}
    return is_poll or request.probe is Probe.HINT


def _compressed(request: Request) -> Request:
    return Request(request.purpose, Probe.GZIP, request.url, headers={"accept-encoding": "gzip"})


def _playlist_of(exchange: Exchange) -> MediaPlaylist | None:
    if exchange.status != OK:
        return None
    try:
        return read_media(decode(exchange.body))
    except UnreadableError:
        return None  # the rules see the same bytes and say so


def _listed(playlist: MediaPlaylist) -> Iterator[tuple[Purpose, str]]:
    """All that a playlist says can be fetched now."""
    tags = [tag for segment in playlist.segments for tag in segment.tags] + list(playlist.tail)
    for tag in tags:
        if tag.name == "EXT-X-MAP":
            yield Purpose.INIT, tag.attributes.get("URI", "")
        elif tag.name == "EXT-X-PART":
            yield Purpose.PART, tag.attributes.get("URI", "")
    for segment in playlist.segments:
        yield Purpose.SEGMENT, segment.uri


def probes(exchange: Exchange) -> Iterator[Request]:
    """What else to ask for at the address of a good answer."""
    purpose, url = exchange.request.purpose, exchange.request.url
    yield Request(purpose, Probe.HEAD, url, "HEAD")
    yield _compressed(exchange.request)
    tag = exchange.headers.get("etag")
    if tag is not None:
        yield Request(purpose, Probe.SAME_TAG, url, headers={"if-none-match": tag})
    yield Request(purpose, Probe.OTHER_TAG, url, headers={"if-none-match": NO_SUCH_TAG})
    preflight = {
        "origin": "https://player.example",
        "access-control-request-method": "GET",
        "access-control-request-headers": "range",
    }
    yield Request(purpose, Probe.OPTIONS, url, "OPTIONS", preflight)
    if purpose in (Purpose.SEGMENT, Purpose.PART):
        wanted = {
            Probe.RANGE: f"bytes={RANGE_FIRST}-{RANGE_LAST}",
            Probe.RANGE_SUFFIX: f"bytes=-{SUFFIX_BYTES}",
            Probe.RANGE_BEYOND: f"bytes={FAR_BEYOND}-",
        }
        for probe, value in wanted.items():
            yield Request(purpose, probe, url, headers={"range": value})
    if purpose is Purpose.SEGMENT:
        yield Request(Purpose.NOTHING, Probe.PLAIN, urljoin(url, NO_SUCH_NAME))
