"""Answers that were rendered before and are true still, and whole requests that they answer.

A viewer of a live stream sends what thousands of others send in the same second, byte for byte. So
beside the rendering of each entry stands a shorter way, from the very bytes of a request to what
was written for it last (``Again``). It is taken only while the rendering is true to the second and
the cache would serve that very entry. Everything else takes the longer way, which ends with
remembering. (Another shorter way leads to those who wait for the same already: see ``crowd``.)

Renderings hold bodies that the cache may have dropped meanwhile. They are true for a second at
most, so all are forgotten at each stroke of the sweep, and there are never more than ``MOST``.
"""

from dataclasses import dataclass, replace

from cdn.cache.cache import Cache
from cdn.cache.entry import Found, Outcome
from cdn.clock import Clock
from cdn.front.parcels import Parcel, Shelf
from cdn.front.request import LONGEST_REMEMBERED_BYTES, Request
from cdn.front.wire import Rendered, render
from cdn.http.keys import Key, kind_of
from cdn.observe import Metrics
from cdn.observe.metrics import Tally

MOST = 2048
"""What is remembered of each sort: beyond that everything is forgotten, and learned anew."""


@dataclass(slots=True)
class Again:
    """What was written for a request, and what has to be so for it to be written again."""

    request: Request
    found: Found
    until: float
    parcel: Parcel
    body_bytes: int
    tally: Tally
    seen: int
    """The cache's version when the entry was last known to be what it would serve."""


class Renderings:
    """One for each edge process."""

    def __init__(self, cache: Cache, clock: Clock, metrics: Metrics) -> None:
        self._cache = cache
        self._store = cache.store
        self._now = clock.monotonic
        self._metrics = metrics
        self._rendered: dict[Key, Rendered] = {}
        self._again: dict[bytes, Again] = {}
        self._last: Again | None = None
        self.shelf = Shelf()
        self._tallies: dict[tuple[str, int, str], Tally] = {}

    def again(self, data: bytes) -> Again | None:
        """Return what to write for these bytes, if that is known."""
        again = self._again.get(data)
        if again is None or self._now() >= again.until:
            return None
        if again.seen != (version := self._store.version):
            if not self._cache.would_serve(again.request.key, again.found.entry):
                return None
            again.seen = version
        return again

    def shared(self, found: Found, request: Request) -> Again | None:
        """Return what was written last, if it was for this very finding and request.

        So it is for all but the first of ten thousand who have waited for one playlist.
        """
        last = self._last
        if (
            last is None
            or last.found is not found
            or last.request is not request
            or self._now() >= last.until
        ):
            return None
        return last

    def wrote(self, request: Request, rendered: Rendered) -> None:
        """Note an answer to a plain request that has been written whole."""
        self._last = self.again_of(request, rendered)

    def again_of(self, request: Request, rendered: Rendered) -> Again:
        """Return a whole answer as what is written again."""
        found = rendered.found
        return Again(
            request=request,
            found=found,
            until=rendered.until,
            parcel=rendered.parcel,
            body_bytes=rendered.body_bytes,
            tally=self.tally(request.key, rendered.status, found.outcome.value),
            seen=-1,
        )

    def remember(self, data: bytes, request: Request, found: Found) -> None:
        """Keep the shorter way from these bytes to the answer that was just written."""
        last = self._last
        if last is None or last.found is not found or last.request is not request:
            return  # it was not written whole, or not to everybody's taste
        if found.outcome is not Outcome.HIT or len(data) > LONGEST_REMEMBERED_BYTES:
            return
        if len(self._again) >= MOST:
            self._again.clear()
        until = min(last.until, found.entry.ask_at)
        self._again[data] = replace(last, until=until)

    def of(self, found: Found, request: Request, *, closes: bool, joins: bool) -> Rendered:
        """Return the answer's bytes, rendered for this viewer or for one before."""
        now = self._now()
        if request.if_none_match is not None or closes:
            return render(found, request.if_none_match, now, closes=closes, joins=joins)
        rendered = self._rendered.get(request.key)
        if rendered is None or not _is_true(rendered, found, now):
            rendered = render(found, None, now, closes=False, joins=joins)
            if len(self._rendered) >= MOST:
                self._rendered.clear()
            self._rendered[request.key] = rendered
        return rendered

    def tally(self, key: Key, status: int, cache: str) -> Tally:
        """Return where requests of this sort are counted."""
        sort = (key.target, status, cache)
        tally = self._tallies.get(sort)
        if tally is None:
            tally = self._metrics.tally(kind_of(key.target), status, cache)
            if len(self._tallies) >= MOST:
                self._tallies.clear()
            self._tallies[sort] = tally
        return tally

    def forget(self) -> None:
        """Let go of everything."""
        self._rendered.clear()
        self._again.clear()
        self._last = None
        self.shelf.empty()
        self._tallies.clear()


def _is_true(rendered: Rendered, found: Found, now: float) -> bool:
    return (
        now < rendered.until
        and rendered.found.entry is found.entry
        and rendered.found.outcome is found.outcome
        and not (rendered.grows and found.entry.body.complete)
    )
