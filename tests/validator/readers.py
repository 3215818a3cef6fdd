"""What low-latency viewers of one media playlist ask for, without I/O.

Five of them watch together, each in a way that some player has:

- one asks for the next part again and again (``_HLS_msn`` and ``_HLS_part``), as hls.js does;
- one asks for whole segments (``_HLS_msn`` alone), as Safari does after a segment's end;
- one asks for delta updates, at the same moments and for the same version as the first, so
  that what it puts together can be compared with the whole;
- one asks for each hinted part before it is there;
- one asks for what makes no sense, or too late, and wants to be told so.

They live on the answers: each is told of every one, and what it asks for next comes of it. All
are bounded in number, and stop when the playlist ends (draft-pantos-hls-rfc8216bis, 6.2.5 and
6.3.7 to 6.3.8).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urljoin

from tests.validator.playlist import MediaPlaylist, Position
from tests.validator.session import Exchange, Probe, Purpose, Request

MOST_RELOADS = 1000
"""Of each reader: a session of some minutes."""
MOST_FAILURES = 20
"""In a row."""
PROBED_AT = (2, 4, 9)
"""After which answers to the first reader the last one asks."""
DELTA_EVERY = 2
DELTA_NOW_AT = frozenset({8, 15, 32})
NEVER = 999
"""A part that no segment has."""
NOWHERE = Position(0, 0)
FAR_AHEAD = 4
"""Segments beyond the last: still too many when one more has come meanwhile."""


class Later(NamedTuple):
    """A request, and in how many seconds to make it."""

    delay_s: float
    request: Request


@dataclass(slots=True)
class Readers:
    """The viewers of the playlist at ``url``."""

    url: str
    retry_s: float
    has_begun: bool = False
    hinted: set[str] = field(default_factory=set)
    reloads: int = 0
    failures: int = 0
    reached: dict[Probe, Position] = field(default_factory=dict)
    """How far the first two have seen the playlist go."""

    def take(self, exchange: Exchange, playlist: MediaPlaylist | None) -> Iterator[Later]:
        """Take any answer for the playlist; ``playlist`` is None where it is none."""
        probe = exchange.request.probe
        if playlist is None:
            yield from self._after_failure(exchange)
            return
        if not playlist.is_low_latency:
            return
        if playlist.is_ended:
            if probe is Probe.BLOCKING:
                yield self._blocking(Probe.AFTER_END, playlist.position)
            return
        yield from self._hints(playlist)
        if not self.has_begun:
            self.has_begun = True
            yield self._blocking(Probe.BLOCKING, playlist.position)
            yield self._ask(Probe.WHOLE, f"_HLS_msn={playlist.next_msn}")
            self.reached = dict.fromkeys((Probe.BLOCKING, Probe.WHOLE), playlist.position)
        elif probe in (Probe.BLOCKING, Probe.WHOLE) and self.reloads < MOST_RELOADS:
            if playlist.position <= self.reached.get(probe, NOWHERE):
                yield from self._after_failure(exchange)  # held in vain
                return
            self.reached[probe], self.failures = playlist.position, 0
            if probe is Probe.WHOLE:
                yield self._ask(Probe.WHOLE, f"_HLS_msn={playlist.next_msn}")
            else:
                yield from self._next_reload(playlist)

    def _after_failure(self, exchange: Exchange) -> Iterator[Later]:
        if exchange.request.probe in (Probe.BLOCKING, Probe.WHOLE):
            self.failures += 1
            if self.failures <= MOST_FAILURES:
                yield Later(self.retry_s, exchange.request)

    def _hints(self, playlist: MediaPlaylist) -> Iterator[Later]:
        for tag in playlist.hints:
            uri = tag.attributes.get("URI", "")
            if uri not in self.hinted and len(self.hinted) < MOST_RELOADS:
                self.hinted.add(uri)
                address = urljoin(self.url, uri)
                yield Later(0.0, Request(Purpose.PART, Probe.HINT, address))

    def _next_reload(self, playlist: MediaPlaylist) -> Iterator[Later]:
        self.reloads += 1
        position = playlist.position
        yield self._blocking(Probe.BLOCKING, position)
        if self.reloads % DELTA_EVERY == 0:
            yield self._blocking(Probe.DELTA, position, "&_HLS_skip=YES")
        if self.reloads in DELTA_NOW_AT:
            yield self._ask(Probe.DELTA_NOW, "_HLS_skip=YES")
        if self.reloads in PROBED_AT:
            yield from self._odd(playlist)

    def _odd(self, playlist: MediaPlaylist) -> Iterator[Later]:
        msn, parts = playlist.position
        # Another number each time: what is cached under the same one may be as old as it is.
        yield self._ask(Probe.LONG_AGO, f"_HLS_msn={self.reloads}")
        yield self._ask(Probe.LONG_AGO, f"_HLS_msn={self.reloads}&_HLS_part=1")
        yield self._ask(Probe.REORDERED, f"_HLS_part={parts}&viewer=7&_HLS_msn={msn}")
        if playlist.segments and playlist.segments[-1].parts:
            count = len(playlist.segments[-1].parts)
            yield self._blocking(Probe.PAST_LAST_PART, Position(msn - 1, count))
        for query in (
            "_HLS_part=0",
            "_HLS_msn=soon",
            "_HLS_msn=-1",
            f"_HLS_msn={msn}.5",
            f"_HLS_msn={msn}&_HLS_part=x",
            f"_HLS_msn={msn - 1 + FAR_AHEAD}",
            f"_HLS_msn={msn + 1}&_HLS_part={NEVER}",
        ):
            yield self._ask(Probe.REFUSED, query)

    def _blocking(self, probe: Probe, position: Position, more: str = "") -> Later:
        return self._ask(probe, f"_HLS_msn={position.msn}&_HLS_part={position.parts}{more}")

    def _ask(self, probe: Probe, query: str) -> Later:
        return Later(0.0, Request(Purpose.MEDIA_PLAYLIST, probe, f"{self.url}?{query}"))
